const { execFileSync, spawn, spawnSync } = require("child_process"), fs = require("fs"), http = require("http"), crypto = require("crypto"), zlib = require("zlib");
console.log(execFileSync("echo", ["from", "a", "child"]).toString());
console.log(spawnSync("sh", ["-c", "kill -9 $$"]).signal, spawnSync("sh", ["-c", "exit 6"]).status);
fs.writeFileSync("file", "x".repeat(100000)); fs.appendFileSync("file", "end");
console.log(fs.statSync("file").size, fs.readFileSync("file", "utf8").slice(-5), fs.readdirSync(".").includes("file"));
console.log(crypto.createHash("sha256").update(zlib.gunzipSync(zlib.gzipSync(fs.readFileSync("file")))).digest("hex"));
const server = http.createServer((q, r) => r.end("you asked for " + q.url)).listen(0, "127.0.0.1", async () => {
  const get = (p) => new Promise((ok, no) => http.get({ port: server.address().port, path: p, agent: false }, (r) => { let t = ""; r.on("data", (d) => (t += d)); r.on("end", () => ok(t)); }).on("error", no));
  console.log((await Promise.all([...Array(50).keys()].map((i) => get("/" + i)))).sort()[49]);
  server.close();
  process.once("SIGUSR2", () => console.log("SIGUSR2"));
  process.kill(process.pid, "SIGUSR2");
  const child = spawn(process.execPath, ["-e", "process.stdin.on('data', d => process.stdout.write(d.toString().toUpperCase()))"]);
  child.stdout.on("data", (d) => console.log(d.toString()));
  child.on("exit", (c, s) => console.log("exit", c, s));
  child.stdin.end("through a child");
});
