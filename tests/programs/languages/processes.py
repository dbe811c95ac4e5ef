import multiprocessing as mp, subprocess, sys, os, signal, concurrent.futures as cf
def square(n): return n * n
def fail(): os.kill(os.getpid(), signal.SIGSEGV)
def produce(q, n):
    for i in range(n): q.put(i)
    q.put(None)
if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        ctx = mp.get_context(method)
        with ctx.Pool(3) as pool: print(method, sum(pool.map(square, range(200))))
        q = ctx.Queue(); p = ctx.Process(target=produce, args=(q, 100)); p.start()
        total = 0
        while (n := q.get()) is not None: total += n
        p.join(); print(total, p.exitcode)
        p = ctx.Process(target=fail); p.start(); p.join(); print(p.exitcode)
    with cf.ProcessPoolExecutor(2) as ex: print(list(ex.map(square, range(10))))
    print(subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True, text=True))
    p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print(p.communicate(b"x" * 1000000)[0].count(b"x"), p.returncode)
    p = subprocess.Popen([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(1000)"], stdout=subprocess.PIPE)
    p.stdout.readline(); p.terminate(); print(p.wait())
    try: subprocess.run(["no-such-program"])
    except FileNotFoundError as e: print(e)
    try: subprocess.run(["sleep", "100"], timeout=0.05)
    except subprocess.TimeoutExpired as e: print(e.cmd, "timed out")
    print(os.posix_spawn("/bin/true", ["true"], os.environ) > 0, os.wait()[1])
