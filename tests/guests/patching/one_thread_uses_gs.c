// build: -O1 -pthread
// One thread sets its gs base and uses it, while others make calls of their own, and take signals.
#include "enter.h"
#include <asm/prctl.h>
#include <pthread.h>
#include <sched.h>

FUNCTION(numbered, "mov $39, %eax\nsyscall\nmovslq %eax, %rdx\nmov %rdx, %rax\nret")
FUNCTION(passed, "mov $110, %eax\njmp 1f\n1: syscall\nret")
FUNCTION(from_gs, "mov %gs:0, %rax\nret")
long numbered(void), passed(void), from_gs(void);

static volatile int stop, handled;
static volatile long rounds[3];
static long pid, parent;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    CHECK_EQ(numbered(), pid);
    handled++;
}

static void *others(void *argument)
{
    long id = (long)argument;
    while (!stop) {
        CHECK_EQ(numbered(), pid);
        CHECK_EQ(passed(), parent);
        rounds[id]++;
        if (rounds[id] % 64 == 0)
            sched_yield();
    }
    return NULL;
}

static void *uses_gs(void *argument)
{
    (void)argument;
    static uint64_t areas[2] = {0x1122334455667788, 0x99aabbccddeeff00};
    for (int i = 0; i < 2000; i++) {
        uint64_t base = 1;
        CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_SET_GS, &areas[i % 2]), 0);
        CHECK_EQ(from_gs(), areas[i % 2]);
        CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_GET_GS, &base), 0);
        CHECK_EQ(base, &areas[i % 2]);
        CHECK_EQ(numbered(), pid);
        CHECK_EQ(passed(), parent);
        CHECK_EQ(from_gs(), areas[i % 2]);
        if (i % 10 == 0) {
            CHECK_EQ(RAW3(SYS_tgkill, pid, RAW0(SYS_gettid), SIGUSR1), 0);
            CHECK_EQ(from_gs(), areas[i % 2]);
        }
    }
    CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_SET_GS, 0), 0);
    CHECK_EQ(numbered(), pid);
    return NULL;
}

int main(void)
{
    pid = getpid(), parent = getppid();
    on_signal(SIGUSR1, handler, 0);
    pthread_t threads[4];
    for (long i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, others, (void *)i), 0);
    for (int i = 0; i < 3; i++)
        while (rounds[i] < 100)
            sched_yield();
    CHECK_EQ(pthread_create(&threads[3], NULL, uses_gs, NULL), 0);
    CHECK_EQ(pthread_join(threads[3], NULL), 0);
    for (int i = 0; i < 3; i++) {
        long before = rounds[i];
        while (rounds[i] < before + 100)
            sched_yield();
        CHECK_EQ(pthread_kill(threads[i], SIGUSR1), 0);
    }
    while (handled < 203)
        sched_yield();
    CHECK_EQ(numbered(), pid);
    stop = 1;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    return done();
}
