// build: -O1 -pthread
// pthread_kill hits one thread; a process-wide signal hits one that does not block it; each thread has a
// mask and an alternate stack of its own.
#include "check.h"
#include <pthread.h>
#include <sched.h>

enum { THREADS = 4 };
static __thread volatile int mine;
static __thread char *stack_area;
static volatile int anyone, ready, total;
static volatile pid_t handled_by;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    char here;
    if (signal == SIGUSR1)
        CHECK(&here >= stack_area && &here < stack_area + 65536);
    mine++;
    if (signal == SIGUSR2)
        handled_by = (pid_t)RAW0(SYS_gettid);
    __atomic_fetch_add(&total, 1, __ATOMIC_SEQ_CST);
}

static void *run(void *argument)
{
    long id = (long)argument;
    stack_t stack = {.ss_sp = stack_area = malloc(65536), .ss_size = 65536};
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(id == 2 ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    while (mine < 100 * (id + 1))
        if (id % 2)
            sched_yield();
    if (id == 2) {
        while (!anyone)
            ;
        while (handled_by == 0)
            ;
        CHECK_EQ(handled_by, RAW0(SYS_gettid));
    }
    CHECK_EQ(mine, 100 * (id + 1) + (id == 2));
    return NULL;
}

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    on_signal(SIGUSR1, handler, SA_ONSTACK);
    on_signal(SIGUSR2, handler, 0);
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run, (void *)i);
    while (ready < THREADS)
        sched_yield();
    int sent = 0;
    for (int round = 0; round < 100 * THREADS; round++)
        for (int i = 0; i < THREADS; i++)
            if (round < 100 * (i + 1)) {
                int before = total;
                CHECK_EQ(pthread_kill(threads[i], SIGUSR1), 0);
                /* Standard signals merge: wait until it was taken. */
                while (total == before)
                    sched_yield();
                sent++;
            }
    anyone = 1;
    kill(getpid(), SIGUSR2);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(total, sent + 1);
    printf("%d\n", sent);
    return done();
}
