mount -t tmpfs none /tmp 2>/dev/null || echo mount refused
touch /usr/file 2>/dev/null || echo read-only
ls /sys/class/net | wc -l
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
python3 -c '
import mmap
for prot in (mmap.PROT_READ | mmap.PROT_WRITE, mmap.PROT_WRITE | mmap.PROT_EXEC):
    try:
        mmap.mmap(-1, 4096, prot=prot)
        print("mapped")
    except PermissionError:
        print("refused")
'
seq 1 1000 | sort -n | tail -1
