/* One primitive operation in a loop; prints nanoseconds of CPU time per operation, or of wall time where
 * another process does part of the work.
 *
 *     primitives NAME COUNT [wall]
 *     primitives peak-rss FILE PROGRAM [ARGUMENT...]
 *
 * The last form runs a program and writes its peak resident size in KiB to FILE. The kernel counts
 * the address space that called exec as well, so the caller has to be smaller than what it measures.
 * Built with -O2 -fno-inline -fno-optimize-sibling-calls: a call stays a call.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
#define TARGETS 64

static long raw_syscall(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The order of targets: fixed pseudo-random bytes, long enough that no predictor learns them. */
#define ORDER_LEN 65536
static uint8_t order[ORDER_LEN];

static void fill_order(void)
{
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < ORDER_LEN; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        order[i] = (uint8_t)(state >> 32);
    }
}

static uint64_t sink;

static NOINLINE void leaf(void) { __asm__ volatile(""); }

#define FUNCTION(n) static NOINLINE void target_##n(void) { sink += n; }
#define NAME(n) target_##n,
#define EIGHT(m, t) m(t##0) m(t##1) m(t##2) m(t##3) m(t##4) m(t##5) m(t##6) m(t##7)
#define ALL(m) EIGHT(m, 1) EIGHT(m, 2) EIGHT(m, 3) EIGHT(m, 4) EIGHT(m, 5) EIGHT(m, 6) EIGHT(m, 7) EIGHT(m, 8)
ALL(FUNCTION)
static void (*const targets[TARGETS])(void) = { ALL(NAME) };

static uint64_t run_getppid(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        raw_syscall(SYS_getppid, 0, 0, 0);
    return count;
}

static uint64_t run_getpid(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        raw_syscall(SYS_getpid, 0, 0, 0);
    return count;
}

/* The number stands right before the instruction, in the loop itself: whoever reads the code knows the call. */
static uint64_t run_getpid_known(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        __asm__ volatile("mov %0, %%eax\n\tsyscall" : : "i"(SYS_getpid) : "rax", "rcx", "r11", "memory");
    return count;
}

/* The number comes from memory, some instructions before: only a look at rax tells the call. */
static uint64_t run_getpid_any(uint64_t count)
{
    static volatile uint32_t number = SYS_getpid;
    for (uint64_t i = 0; i < count; i++)
        __asm__ volatile("mov %0, %%eax\n\txor %%edi, %%edi\n\txor %%esi, %%esi\n\txor %%edx, %%edx\n\t"
                         "xor %%r10d, %%r10d\n\txor %%r8d, %%r8d\n\txor %%r9d, %%r9d\n\tsyscall"
                         : : "m"(number)
                         : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
    return count;
}

static uint64_t run_cpuid(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t a = 7, b, c = 0, d;
        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        sink += b;
    }
    return count;
}

static uint64_t run_read_zero(uint64_t count)
{
    char byte;
    int fd = open("/dev/zero", O_RDONLY);
    for (uint64_t i = 0; i < count; i++)
        if (raw_syscall(SYS_read, fd, (long)&byte, 1) != 1)
            exit(1);
    return count;
}

static uint64_t run_clock(uint64_t count)
{
    struct timespec now;
    for (uint64_t i = 0; i < count; i++)
        clock_gettime(CLOCK_MONOTONIC, &now);
    return count;
}

static uint64_t run_call(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        leaf();
    return count;
}

static uint64_t run_indirect_1(uint64_t count)
{
    void (*volatile pointer)(void) = leaf;
    for (uint64_t i = 0; i < count; i++)
        pointer();
    return count;
}

static uint64_t run_indirect_64(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        targets[order[i % ORDER_LEN] % TARGETS]();
    return count;
}

static uint64_t run_switch(uint64_t count)
{
    uint64_t x = 1;
    for (uint64_t i = 0; i < count; i++) {
#define CASE(n) case n: __asm__ volatile("add $" #n ", %0" : "+r"(x)); break;
#define FOUR(a, b, c, d) CASE(a) CASE(b) CASE(c) CASE(d)
        switch (i % 32) {
        FOUR(0, 1, 2, 3) FOUR(4, 5, 6, 7) FOUR(8, 9, 10, 11) FOUR(12, 13, 14, 15)
        FOUR(16, 17, 18, 19) FOUR(20, 21, 22, 23) FOUR(24, 25, 26, 27) FOUR(28, 29, 30, 31)
        }
    }
    sink += x;
    return count;
}

/* An interpreter of eight operations over a program of 500 random ones. */
static uint64_t run_computed_goto(uint64_t count)
{
    static const void *const handlers[8] = { &&op0, &&op1, &&op2, &&op3, &&op4, &&op5, &&op6, &&op7 };
    enum { PROGRAM_LEN = 500 };
    uint64_t x = 1, done = 0;
    unsigned pc = 0;
#define NEXT \
    do { \
        if (++pc == PROGRAM_LEN) { \
            pc = 0, done += PROGRAM_LEN; \
            if (done >= count) \
                goto end; \
        } \
        __asm__ volatile("" : "+r"(x)); \
        goto *handlers[order[pc] % 8]; \
    } while (0)
    goto *handlers[order[pc] % 8];
op0: x += 3; NEXT;
op1: x ^= x >> 3; NEXT;
op2: x -= 7; NEXT;
op3: x *= 5; NEXT;
op4: x |= 64; NEXT;
op5: x += x >> 5; NEXT;
op6: x &= ~(uint64_t)8; NEXT;
op7: x = ~x; NEXT;
end:
    sink += x;
    return done;
}

static uint64_t calls;
static NOINLINE long fib(long n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

/* fib(n) makes 2 * fib(n + 1) - 1 calls. */
static uint64_t run_fib(uint64_t count)
{
    for (calls = 0; calls < count; calls += 2 * 1346269 - 1)
        sink += (uint64_t)fib(30);
    return calls;
}

static const struct {
    const char *name;
    uint64_t (*run)(uint64_t count);
} table[] = {
    { "getppid", run_getppid },       { "getpid", run_getpid },       { "getpid-known", run_getpid_known },
    { "getpid-any", run_getpid_any }, { "read-zero", run_read_zero }, { "clock-gettime", run_clock },
    { "cpuid", run_cpuid },           { "call-return", run_call },    { "indirect-1", run_indirect_1 },
    { "indirect-64", run_indirect_64 }, { "switch", run_switch },     { "computed-goto", run_computed_goto },
    { "fib", run_fib },
};

static int peak_rss(const char *file, char **argv)
{
    struct rusage usage;
    int status;
    pid_t child = vfork();
    if (child == 0) {
        execv(argv[0], argv);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 125;
    FILE *out = fopen(file, "w");
    if (!out)
        return 125;
    fprintf(out, "%ld\n", usage.ru_maxrss);
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    if (argc >= 4 && !strcmp(argv[1], "peak-rss"))
        return peak_rss(argv[2], argv + 3);
    fill_order();
    clockid_t clock = argc == 4 && !strcmp(argv[3], "wall") ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    int is_loop = argc == 3 || (argc == 4 && clock == CLOCK_MONOTONIC);
    for (unsigned i = 0; is_loop && i < sizeof table / sizeof *table; i++)
        if (!strcmp(argv[1], table[i].name)) {
            uint64_t count = strtoull(argv[2], NULL, 10);
            table[i].run(count / 50 + 1); /* warm-up */
            uint64_t start = now_ns(clock);
            uint64_t done = table[i].run(count);
            printf("%.4f\n", (double)(now_ns(clock) - start) / (double)done);
            return 0;
        }
    fprintf(stderr, "usage: primitives NAME COUNT [wall] | primitives peak-rss FILE PROGRAM [ARGUMENT...]\n");
    return 2;
}
