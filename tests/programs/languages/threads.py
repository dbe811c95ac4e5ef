import threading, queue
work, out, lock = queue.Queue(), [], threading.Lock()
def worker():
    while (n := work.get()) is not None:
        value = sum(i * i for i in range(n))
        with lock: out.append((n, value))
threads = [threading.Thread(target=worker) for _ in range(6)]
for t in threads: t.start()
for n in range(300): work.put(n)
for t in threads: work.put(None)
for t in threads: t.join()
print(len(out), sum(v for _, v in out))
local, barrier, event = threading.local(), threading.Barrier(4), threading.Event()
seen = []
def meet(i):
    local.value = i
    for _ in range(50): barrier.wait()
    assert local.value == i
    event.wait(); 
    with lock: seen.append(i)
threads = [threading.Thread(target=meet, args=(i,)) for i in range(4)]
for t in threads: t.start()
event.set()
for t in threads: t.join()
print(sorted(seen))
