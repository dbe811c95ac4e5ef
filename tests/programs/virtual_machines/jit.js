// Hot code is compiled, its assumptions fail, it is compiled again.
function poly(o) { return o.x + o.y; }
let s = 0;
for (let i = 0; i < 2e6; i++) s += poly({ x: i, y: 1 });
for (let i = 0; i < 1e5; i++) s += poly({ y: i, x: 0.5, z: 2 });
s += poly({ x: "a", y: "b" }).length;
console.log(s);
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
console.log(fib(27));
const a = new Float64Array(1 << 16); for (let k = 0; k < 50; k++) for (let i = 0; i < a.length; i++) a[i] = a[i] * 0.5 + i;
console.log(a[12345]);
let re = 0; for (let i = 0; i < 20000; i++) if (/^(\d+)-(\w*)$/.test(i + "-x" + i)) re++;
console.log(re, JSON.stringify(JSON.parse(JSON.stringify({ list: [...Array(1000).keys()] }))).length);
function* gen(n) { for (let i = 0; i < n; i++) yield i; }
let g = 0; for (const v of gen(100000)) g += v; console.log(g);
let threw = 0; for (let i = 0; i < 50000; i++) try { if (i % 3 == 0) throw new Error(i); } catch (e) { threw++; } console.log(threw);
try { (function f() { f(); })(); } catch (e) { console.log(e instanceof RangeError); }
const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 30, 1, 28, 0, 32, 0, 65, 2, 72, 4, 127, 32, 0, 5, 32, 0, 65, 1, 107, 16, 0, 32, 0, 65, 2, 107, 16, 0, 106, 11, 11]);
console.log(new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports.f(24));
const t = []; for (let i = 0; i < 300; i++) t.push(new Array(10000).fill(i)); console.log(t[299][9999]);
console.log(eval("(" + poly + ")({x: 1, y: 2})"), 2n ** 200n % 1000007n);
