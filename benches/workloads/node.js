const [count,rounds,depth]=process.argv.slice(2).map(Number);
function fib(n){return n<2?n:fib(n-1)+fib(n-2)}
let m=new Map();for(let i=0;i<2e6*rounds/20;i++){m.set(i%9973,(m.get(i%9973)||0)+i)}
let a=new Float64Array(1<<20);for(let k=0;k<rounds;k++)for(let i=0;i<a.length;i++)a[i]+=Math.sqrt(i+k);
let s='';for(let i=0;i<count;i++)s+=i.toString(36);let c=(s.match(/[a-f]+[0-9]/g)||[]).length;
let o=[];for(let i=0;i<count;i++)o.push({k:i*7919%300007,v:'x'+i});o.sort((x,y)=>x.k-y.k);let j=JSON.stringify(o);
console.log(fib(depth),m.get(5),a[7],c,JSON.parse(j).length)
