const { Worker, isMainThread, workerData, parentPort } = require("worker_threads");
if (isMainThread) {
  const shared = new SharedArrayBuffer(16), cells = new Int32Array(shared), N = 4;
  let sums = [], left = N;
  for (let id = 0; id < N; id++) {
    const w = new Worker(__filename, { workerData: { id, shared } });
    w.on("message", (m) => sums.push(m));
    w.on("exit", (code) => {
      if (code) throw new Error("exit " + code);
      if (--left == 0) { sums.sort((a, b) => a - b); console.log(sums.join(" "), cells[0], cells[1]); failing(); }
    });
  }
  function failing() {
    const w = new Worker("throw new TypeError('in the worker')", { eval: true });
    w.on("error", (e) => console.log(e.name, e.message));
    w.on("exit", (c) => { console.log(c); stopped(); });
  }
  function stopped() {
    const w = new Worker("require('worker_threads').parentPort.postMessage(1); for (;;);", { eval: true });
    w.on("message", () => w.terminate().then((c) => console.log("terminated", c)));
  }
} else {
  const cells = new Int32Array(workerData.shared);
  let s = 0;
  for (let i = 0; i < 200000; i++) { s = (s * 31 + i * (workerData.id + 1)) | 0; Atomics.add(cells, 0, 1); }
  Atomics.add(cells, 1, 1); Atomics.notify(cells, 1);
  while (Atomics.load(cells, 1) < 4) Atomics.wait(cells, 1, Atomics.load(cells, 1), 100);
  parentPort.postMessage(s);
}
