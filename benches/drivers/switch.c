/* Changes of who runs: into the kernel, to another thread or process, to a signal's handler, to the page-fault handler.
 * See measure.h. */
#include "measure.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PAGE_LEN 4096
#define MAX_MEMBERS 64

static void run_getppid(uint64_t operations)
{
    long parent = getppid(), wrong = 0;
    for (uint64_t i = 0; i < operations; i++)
        wrong |= raw_syscall(SYS_getppid, 0, 0, 0) ^ parent;
    errno = 0;
    check(wrong == 0, "getppid");
}

/* A number that no kernel has so far. */
static void run_invalid(uint64_t operations)
{
    long wrong = 0;
    for (uint64_t i = 0; i < operations; i++)
        wrong |= raw_syscall(500, 0, 0, 0) ^ -ENOSYS;
    errno = 0;
    check(wrong == 0, "system call 500 is not ENOSYS");
}

/* A token goes round through pipes; whoever has it goes through a working set of its own first. */
static unsigned members;
static size_t set_len;
static int ring[MAX_MEMBERS][2];
static pid_t processes[MAX_MEMBERS];
static pthread_t threads[MAX_MEMBERS];
static char *sets[MAX_MEMBERS];
static int ring_of_threads;

static void touch_set(unsigned member)
{
    for (size_t at = 0; at < set_len; at += 64)
        (*(volatile char *)(sets[member] + at))++;
}

static void make_set(unsigned member)
{
    sets[member] = set_len ? malloc(set_len) : NULL;
    check(set_len == 0 || sets[member] != NULL, "malloc");
    if (set_len)
        memset(sets[member], 0, set_len);
}

static int pass_on(unsigned member)
{
    uint64_t token;
    ssize_t got = read(ring[member][0], &token, sizeof token);
    if (got != sizeof token || token == 0)
        return 0;
    touch_set(member);
    token++;
    check(write(ring[(member + 1) % members][1], &token, sizeof token) == sizeof token, "pipe");
    return 1;
}

static void *be_member(void *number)
{
    unsigned member = (unsigned)(uintptr_t)number;
    make_set(member);
    while (pass_on(member))
        ;
    return NULL;
}

static void start_ring(int of_threads)
{
    members = (unsigned)number_parameter(0);
    set_len = number_parameter(1);
    ring_of_threads = of_threads;
    errno = 0;
    check(members >= 2 && members <= MAX_MEMBERS, "members");
    make_set(0);
    for (unsigned i = 0; i < members; i++)
        check(pipe(ring[i]) == 0, "pipe");
    for (unsigned i = 1; i < members; i++)
        if (of_threads) {
            check(pthread_create(&threads[i], NULL, be_member, (void *)(uintptr_t)i) == 0, "pthread_create");
        } else {
            processes[i] = fork();
            check(processes[i] >= 0, "fork");
            if (processes[i] == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                be_member((void *)(uintptr_t)i);
                _exit(0);
            }
        }
}

/* One operation is one switch: `members` of them for one time round. */
static void run_ring(uint64_t operations)
{
    for (uint64_t done = 0; done < operations; done += members) {
        uint64_t token = 1;
        check(write(ring[1][1], &token, sizeof token) == sizeof token, "pipe");
        check(read(ring[0][0], &token, sizeof token) == sizeof token, "pipe");
        touch_set(0);
        errno = 0;
        check(token == members, "the token was not passed on by all");
    }
}

static void end_ring(void)
{
    for (unsigned i = 1; i < members; i++) {
        uint64_t token = 0;
        int status;
        check(write(ring[i][1], &token, sizeof token) == sizeof token, "pipe");
        if (ring_of_threads) {
            check(pthread_join(threads[i], NULL) == 0, "pthread_join");
        } else {
            check(waitpid(processes[i], &status, 0) == processes[i], "waitpid");
            errno = 0;
            check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "exit status");
        }
    }
}

/* From before FUTEX_WAKE until the other thread is back from FUTEX_WAIT, by the counter that both CPUs share. */
static _Atomic uint32_t ball;
static _Atomic uint64_t woken_at;

static void futex_wait(uint32_t value)
{
    syscall(SYS_futex, &ball, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(void)
{
    syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *be_woken(void *unused)
{
    (void)unused;
    pin_to(plan.cpu_two);
    for (;;) {
        while (atomic_load(&ball) == 0)
            futex_wait(0);
        atomic_store(&woken_at, now_cycles());
        if (atomic_load(&ball) == 2)
            return NULL;
        atomic_store(&ball, 0);
        futex_wake();
    }
}

static void start_sleeper(void)
{
    check(pthread_create(&threads[0], NULL, be_woken, NULL) == 0, "pthread_create");
}

/* On a CPU of its own the other thread needs some time until it sleeps again. */
static void let_sleep(void)
{
    enum { CYCLES = 50000 };
    if (plan.cpu_one != plan.cpu_two)
        for (uint64_t start = now_cycles(); now_cycles() - start < CYCLES;)
            ;
}

static void run_wake(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i++) {
        let_sleep();
        uint64_t called_at = now_cycles();
        atomic_store(&ball, 1);
        futex_wake();
        while (atomic_load(&ball) == 1)
            futex_wait(1);
        uint64_t latency = atomic_load(&woken_at) - called_at;
        errno = 0;
        check(latency < 1ull << 40, "woken before it was called");
        note_latency(latency);
    }
}

static void end_sleeper(void)
{
    atomic_store(&ball, 2);
    futex_wake();
    check(pthread_join(threads[0], NULL) == 0, "pthread_join");
}

static volatile uint64_t signals_caught;

static void count_signal(int signal)
{
    (void)signal;
    signals_caught++;
}

static void catch_signals(uint64_t operations)
{
    (void)operations;
    struct sigaction action = { .sa_handler = count_signal };
    check(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    signals_caught = 0;
}

static void run_signal(uint64_t operations)
{
    pid_t self = getpid();
    for (uint64_t i = 0; i < operations; i++)
        kill(self, SIGUSR1);
}

static void check_signals(uint64_t operations)
{
    errno = 0;
    check(signals_caught == operations, "SIGUSR1");
}

/* Pages of new memory, or of a file in the page cache, read at a distance that the kernel does not map around a fault. */
#define FAULT_AROUND_LEN 65536
static char *pages;
static size_t stride, file_len;
static int file = -1;
static long faults_before;

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static void map_anonymous(uint64_t operations)
{
    stride = PAGE_LEN;
    pages = mmap(NULL, operations * stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(pages != MAP_FAILED, "mmap");
    madvise(pages, operations * stride, MADV_NOHUGEPAGE);
    faults_before = faults();
}

static void write_pages(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i++)
        *(volatile char *)(pages + i * stride) = 1;
}

static void make_file(void)
{
    static char block[FAULT_AROUND_LEN];
    char name[] = "switch-pages-XXXXXX";
    file = mkstemp(name);
    check(file >= 0, name);
    check(unlink(name) == 0, name);
    memset(block, 1, sizeof block);
    file_len = plan.operations * FAULT_AROUND_LEN;
    for (size_t at = 0; at < file_len; at += sizeof block)
        check(write(file, block, sizeof block) == sizeof block, "write");
}

static void map_file(uint64_t operations)
{
    stride = FAULT_AROUND_LEN;
    pages = mmap(NULL, operations * stride, PROT_READ, MAP_PRIVATE, file, 0);
    check(pages != MAP_FAILED, "mmap");
    faults_before = faults();
}

static void read_pages(uint64_t operations)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < operations; i++)
        sum += (uint64_t)*(volatile char *)(pages + i * stride);
    errno = 0;
    check(sum == operations, "the file's pages");
}

static void check_faults(uint64_t operations)
{
    long seen = faults() - faults_before;
    errno = 0;
    /* A folio of the page cache may be larger than what is mapped around a fault. */
    check(seen >= (long)operations / 2, "fewer faults than touches");
    munmap(pages, operations * stride);
}

static const struct benchmark table[] = {
    { "syscall", run_getppid, NULL, NULL },
    { "syscall-invalid", run_invalid, NULL, NULL },
    { "process-switch", run_ring, NULL, NULL },
    { "thread-switch", run_ring, NULL, NULL },
    { "wake-up", run_wake, NULL, NULL },
    { "signal", run_signal, catch_signals, check_signals },
    { "page-fault-anonymous", write_pages, map_anonymous, check_faults },
    { "page-fault-file", read_pages, map_file, check_faults },
};

int main(int argc, char **argv)
{
    const struct benchmark *benchmark = read_plan(argc, argv, table, sizeof table / sizeof *table);
    pin_to(plan.cpu_one);
    if (benchmark->run == run_ring)
        start_ring(!strcmp(plan.name, "thread-switch"));
    if (benchmark->run == run_wake) {
        make_room_for_latencies();
        start_sleeper();
    }
    if (benchmark->run == read_pages)
        make_file();
    run_loops(benchmark);
    if (benchmark->run == run_ring)
        end_ring();
    if (benchmark->run == run_wake)
        end_sleeper();
    return 0;
}
