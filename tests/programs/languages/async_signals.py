import asyncio, signal, os, threading, ctypes, mmap, faulthandler
async def echo(r, w):
    while data := await r.readline(): w.write(data.upper()); await w.drain()
    w.close()
async def client(port, i):
    r, w = await asyncio.open_connection("127.0.0.1", port)
    for k in range(20):
        w.write(f"client {i} line {k}\n".encode()); await w.drain()
        assert await r.readline() == f"CLIENT {i} LINE {k}\n".encode()
    w.close(); return i
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(sum(await asyncio.gather(*(client(port, i) for i in range(20)))))
    p = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print((await p.communicate(b"through cat"))[0], p.returncode)
    loop = asyncio.get_running_loop(); got = loop.create_future()
    loop.add_signal_handler(signal.SIGUSR1, got.set_result, "SIGUSR1 in the loop")
    os.kill(os.getpid(), signal.SIGUSR1); print(await got)
    print(await asyncio.to_thread(threading.active_count) >= 1)
asyncio.run(main())
count = 0
def tick(*_):
    global count; count += 1
signal.signal(signal.SIGVTALRM, tick); signal.setitimer(signal.ITIMER_VIRTUAL, 0.001, 0.001)
while count < 100: pass
signal.setitimer(signal.ITIMER_VIRTUAL, 0); print("ticked")
def raises(*_): raise KeyboardInterrupt
signal.signal(signal.SIGINT, raises)
try: os.kill(os.getpid(), signal.SIGINT); [None for _ in range(10**7)]
except KeyboardInterrupt: print("interrupted")
signal.signal(signal.SIGALRM, raises); signal.setitimer(signal.ITIMER_REAL, 0.01)
try: signal.pause()
except KeyboardInterrupt: print("alarm")
print(ctypes.CDLL(None).getpid() == os.getpid())
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
array = (ctypes.c_int * 5)(3, 1, 2, 5, 4)
ctypes.CDLL(None).qsort(array, 5, 4, callback(lambda a, b: a[0] - b[0])); print(list(array))
