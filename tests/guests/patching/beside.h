/* Three threads that make calls and take signals while a fourth uses the gs base. */
#ifndef BESIDE_H
#define BESIDE_H
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

/* Runs `fourth` beside the three, which go on after it. */
static void run_beside(void *(*fourth)(void *))
{
    pid = getpid(), parent = getppid();
    on_signal(SIGUSR1, handler, 0);
    pthread_t threads[4];
    for (long i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, others, (void *)i), 0);
    for (int i = 0; i < 3; i++)
        while (rounds[i] < 100)
            sched_yield();
    CHECK_EQ(pthread_create(&threads[3], NULL, fourth, NULL), 0);
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
}
#endif
