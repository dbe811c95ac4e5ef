/* The operations of Adams and Agesen, A Comparison of Software and Hardware Techniques for x86 Virtualization (ASPLOS 2006), as far as
 * a process can do them. See measure.h.
 *
 * Besides: `vmware forkwait COUNT` is the paper's whole program.
 */
#include "measure.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>

#define PAGE_LEN 4096

static void run_syscall(uint64_t operations)
{
    long parent = getppid(), wrong = 0;
    for (uint64_t i = 0; i < operations; i++)
        wrong |= raw_syscall(SYS_getppid, 0, 0, 0) ^ parent;
    errno = 0;
    check(wrong == 0, "getppid");
}

static uint64_t called;

__attribute__((noinline, noclone)) static void leaf(void)
{
    __asm__ volatile("incq %0" : "+m"(called));
}

static void run_call_ret(uint64_t operations)
{
    called = 0;
    for (uint64_t i = 0; i < operations; i++)
        leaf();
    errno = 0;
    check(called == operations, "calls");
}

static char *pages;
static long faults_before;

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static void map_pages(uint64_t operations)
{
    pages = mmap(NULL, operations * PAGE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(pages != MAP_FAILED, "mmap");
    madvise(pages, operations * PAGE_LEN, MADV_NOHUGEPAGE);
    faults_before = faults();
}

static void run_pgfault(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i++)
        *(volatile char *)(pages + i * PAGE_LEN) = 1;
}

static void check_pages(uint64_t operations)
{
    long seen = faults() - faults_before;
    errno = 0;
    check(seen >= (long)operations, "fewer faults than pages");
    for (uint64_t i = 0; i < operations; i++)
        check(pages[i * PAGE_LEN] == 1, "a page");
    munmap(pages, operations * PAGE_LEN);
}

static volatile uint64_t divisions_caught;
static volatile int wrong_code;

/* The division is `idivl %ecx`, two bytes: the next instruction goes on. */
static void skip_division(int signal, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    const unsigned char *at = (const unsigned char *)user->uc_mcontext.gregs[REG_RIP];
    wrong_code |= signal != SIGFPE || info->si_code != FPE_INTDIV || at[0] != 0xf7 || at[1] != 0xf9;
    user->uc_mcontext.gregs[REG_RIP] += 2;
    divisions_caught++;
}

static void catch_divisions(uint64_t operations)
{
    (void)operations;
    struct sigaction action = { .sa_sigaction = skip_division, .sa_flags = SA_SIGINFO };
    check(sigaction(SIGFPE, &action, NULL) == 0, "sigaction");
    divisions_caught = 0;
}

static void run_divzero(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i++) {
        uint32_t low = 1, high = 0;
        __asm__ volatile("idivl %%ecx" : "+a"(low), "+d"(high) : "c"(0) : "cc", "memory");
    }
}

static void check_divisions(uint64_t operations)
{
    errno = 0;
    check(divisions_caught == operations && !wrong_code, "SIGFPE");
}

static void map_page(uint64_t operations)
{
    (void)operations;
    pages = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(pages != MAP_FAILED, "mmap");
    *pages = 0;
}

/* One change of the page's table entry each time; the page is written whenever it may be, so that the change counts. */
static void run_ptemod(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i++) {
        int writable = (int)(i & 1);
        check(mprotect(pages, PAGE_LEN, writable ? PROT_READ | PROT_WRITE : PROT_READ) == 0, "mprotect");
        if (writable)
            *(volatile char *)pages = (char)i;
    }
}

static void unmap_page(uint64_t operations)
{
    uint64_t last = operations & 1 ? operations - 2 : operations - 1;
    errno = 0;
    check(operations < 2 || *pages == (char)last, "the page's last value");
    munmap(pages, PAGE_LEN);
}

/* A chain through every cache line of a memory: each element names the next one, in an order no prefetcher guesses. */
#define LINE_LEN 64
static char *memory;
static uint64_t line_count, chain_at;

static uint64_t next_line(uint64_t line)
{
    /* A full period modulo a power of two (Knuth, volume 2, 3.2.1.2, theorem A); the multiplier scatters the high bits. */
    return (line * 2862933555777941757u + 3037000493u) & (line_count - 1);
}

static void make_chain(void)
{
    line_count = number_parameter(0) * (1u << 20) / LINE_LEN;
    errno = 0;
    check(line_count > 0 && (line_count & (line_count - 1)) == 0, "MiB must be a power of two");
    memory = mmap(NULL, line_count * LINE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory != MAP_FAILED, "mmap");
    for (uint64_t line = 0; line < line_count; line++)
        *(uint64_t *)(memory + line * LINE_LEN) = next_line(line);
}

static void run_memory_walk(uint64_t operations)
{
    uint64_t at = chain_at;
    for (uint64_t i = 0; i < operations; i++)
        at = *(volatile uint64_t *)(memory + at * LINE_LEN);
    chain_at = at;
}

static uint64_t walk_start;

static void begin_walk(uint64_t operations)
{
    (void)operations;
    walk_start = chain_at;
}

static void check_walk(uint64_t operations)
{
    uint64_t at = walk_start;
    for (uint64_t i = 0; i < operations; i++)
        at = next_line(at);
    errno = 0;
    check(at == chain_at, "the end of the walk");
}

static int forkwait(uint64_t count)
{
    plan.name = "forkwait";
    for (uint64_t i = 0; i < count; i++) {
        int status, expected = (int)(i & 127);
        pid_t child = fork();
        check(child >= 0, "fork");
        if (child == 0)
            _exit(expected);
        check(waitpid(child, &status, 0) == child, "waitpid");
        errno = 0;
        check(WIFEXITED(status) && WEXITSTATUS(status) == expected, "exit status");
    }
    printf("forkwait %llu\n", (unsigned long long)count);
    return 0;
}

static const struct benchmark table[] = {
    { "syscall", run_syscall, NULL, NULL },
    { "call-ret", run_call_ret, NULL, NULL },
    { "pgfault", run_pgfault, map_pages, check_pages },
    { "divzero", run_divzero, catch_divisions, check_divisions },
    { "ptemod", run_ptemod, map_page, unmap_page },
    { "memory-walk", run_memory_walk, begin_walk, check_walk },
};

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "forkwait"))
        return forkwait(strtoull(argv[2], NULL, 10));
    const struct benchmark *benchmark = read_plan(argc, argv, table, sizeof table / sizeof *table);
    pin_to(plan.cpu_one);
    if (benchmark->run == run_memory_walk)
        make_chain();
    run_loops(benchmark);
    return 0;
}
