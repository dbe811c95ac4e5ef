// build: -O1 -pthread
// limit: 60
// Filters may forbid what the program itself never asks for: signals arrive, code is found, threads and processes end.
#include "check.h"
#include <asm/prctl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

static void set_filter(struct sock_filter *filter, unsigned short len)
{
    struct sock_fprog program = {len, filter};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* The call with the number ends so, all others are made. */
static void only_this(int number, unsigned result)
{
    struct sock_filter filter[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1), RETURN(result),
                                   RETURN(SECCOMP_RET_ALLOW)};
    set_filter(filter, 4);
}

static int status_of(void (*what)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        what();
        _exit(96);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

enum { SIGNALS = 2000 };
static volatile int got, traps;

static void count(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    got++;
}

static void trap(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    traps++;
}

/* Signals come while calls are made that the runtime looks at. */
static void signals_in_calls(void)
{
    int begin[2];
    char byte = 0;
    CHECK_EQ(pipe(begin), 0);
    on_signal(SIGRTMIN + 2, count, SA_RESTART);
    pid_t me = getpid(), sender = fork();
    if (sender == 0) {
        union sigval value = {0};
        read(begin[0], &byte, 1);
        for (int i = 0; i < SIGNALS; i++)
            while (sigqueue(me, SIGRTMIN + 2, value) < 0)
                sched_yield();
        _exit(0);
    }
    only_this(SYS_rt_tgsigqueueinfo, SECCOMP_RET_ERRNO | EPERM);
    CHECK_EQ(write(begin[1], &byte, 1), 1);
    int status;
    while (waitpid(sender, &status, WNOHANG) == 0) {
        char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(pages, 4096, PROT_READ);
        munmap(pages, 8192);
    }
    REREAD();
    _exit(got == SIGNALS ? 0 : 1);
}

/* So much code that what is known of it has to grow. */
static void much_code(void)
{
    enum { FUNCTIONS = 60000 };
    static char segment[4096];
    on_signal(SIGSYS, trap, SA_NODEFER);
    only_this(SYS_mremap, SECCOMP_RET_TRAP);
    CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_SET_GS, segment), 0);
    unsigned char *code = mmap(NULL, FUNCTIONS * 16L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < FUNCTIONS; i++) {
        unsigned char *at = code + i * 16L;
        at[0] = 0xb8;
        memcpy(at + 1, &i, 4);
        at[5] = 0xc3;
    }
    CHECK_EQ(mprotect(code, FUNCTIONS * 16L, PROT_READ | PROT_EXEC), 0);
    long sum = 0;
    for (int i = 0; i < FUNCTIONS; i++)
        sum += ((int (*)(void))(code + i * 16L))();
    CHECK_EQ(sum, FUNCTIONS * (FUNCTIONS - 1L) / 2);
    REREAD();
    _exit(traps);
}

static void strict_mode(void)
{
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), 0);
    RAW1(SYS_exit, 5);
}

static void writes_in_strict_mode(void)
{
    char bytes[64];
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), 0);
    for (int i = 0; i < 5000; i++) {
        RAW3(SYS_write, ends[1], bytes, sizeof bytes);
        RAW3(SYS_read, ends[0], bytes, sizeof bytes);
    }
    RAW1(SYS_exit, 6);
}

/* Only what is needed to end, and to make a last call. */
static void allow_list(void)
{
    struct sock_filter filter[] = {LOAD(nr),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 3, 0),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 2, 0),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
                                   RETURN(SECCOMP_RET_KILL_PROCESS),
                                   RETURN(SECCOMP_RET_ALLOW)};
    set_filter(filter, 6);
    for (int i = 0; i < 2000; i++)
        RAW0(SYS_getppid);
    struct timespec time;
    RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    RAW1(SYS_exit, 7);
}

static void *end_of_a_thread(void *argument)
{
    (void)argument;
    RAW1(SYS_exit, 0);
    return NULL;
}

/* Threads end that may not change their mask. */
static void threads_end(void)
{
    struct sock_filter filter[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 1),
                                   RETURN(SECCOMP_RET_ERRNO | EPERM), RETURN(SECCOMP_RET_ALLOW)};
    pthread_t threads[4];
    set_filter(filter, 4);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 4; i++)
            CHECK_EQ(pthread_create(&threads[i], NULL, end_of_a_thread, NULL), 0);
        for (int i = 0; i < 4; i++)
            CHECK_EQ(pthread_join(threads[i], NULL), 0);
    }
    RAW1(SYS_exit_group, 8);
}

int main(void)
{
    CHECK_EQ(status_of(signals_in_calls), 0);
    CHECK_EQ(status_of(much_code), 0);
    CHECK_EQ(status_of(strict_mode), 5 << 8);
    CHECK_EQ(status_of(writes_in_strict_mode), 6 << 8);
    CHECK_EQ(status_of(allow_list), 7 << 8);
    CHECK_EQ(status_of(threads_end), 8 << 8);
    return done();
}
