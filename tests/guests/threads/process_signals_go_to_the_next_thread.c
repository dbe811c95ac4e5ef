// build: -O1 -pthread
// What is sent to the process and blocked by the main thread goes to the first thread, by age, that does not block it, and
// to the same one again as long as it takes it; the main thread comes before all others (kernel/signal.c,
// complete_signal).
#include <pthread.h>
#include "check.h"

enum { THREADS = 4 };
static const int signals[] = {SIGUSR1, SIGSEGV, SIGBUS};
static __thread int number;
static volatile int taker = -1;
static volatile int turn, ready, rounds[THREADS + 1];
static int which;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    __atomic_store_n(&taker, number, __ATOMIC_SEQ_CST);
}

static int taken(void)
{
    int by;
    while ((by = __atomic_exchange_n(&taker, -1, __ATOMIC_SEQ_CST)) == -1)
        ;
    return by;
}

static sigset_t only(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

/* Each step is taken by one thread while all others look on, so that none has another signal. */
static void *other(void *argument)
{
    number = (int)(long)argument;
    sigset_t set = only(which);
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        __atomic_add_fetch(&rounds[number], 1, __ATOMIC_SEQ_CST);
        int now = __atomic_load_n(&turn, __ATOMIC_SEQ_CST);
        if (now == 99)
            return NULL;
        if (now / 10 == number) {
            pthread_sigmask(now % 10 == 1 ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
            __atomic_store_n(&turn, 0, __ATOMIC_SEQ_CST);
        }
        sched_yield();
    }
}

static void tell(int thread, int is_to_block)
{
    __atomic_store_n(&turn, thread * 10 + (is_to_block ? 1 : 2), __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != 0)
        sched_yield();
}

static int sent(int signal)
{
    CHECK_EQ(kill(getpid(), signal), 0);
    int by = taken(), before = rounds[by];
    /* Its handler has ended, and blocks nothing any more. */
    while (by != 0 && __atomic_load_n(&rounds[by], __ATOMIC_SEQ_CST) == before)
        sched_yield();
    return by;
}

static void one(int signal)
{
    sigset_t set = only(signal);
    pthread_t threads[THREADS];
    which = signal;
    turn = ready = 0;
    on_signal(signal, handler, 0);
    for (long i = 1; i <= THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i - 1], NULL, other, (void *)i), 0);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != THREADS)
        sched_yield();
    CHECK_EQ(sent(signal), 0);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    CHECK_EQ(sent(signal), 1);
    CHECK_EQ(sent(signal), 1);
    tell(1, 1);
    CHECK_EQ(sent(signal), 2);
    tell(1, 0);
    CHECK_EQ(sent(signal), 2);
    tell(2, 1);
    CHECK_EQ(sent(signal), 3);
    tell(3, 1);
    tell(4, 1);
    CHECK_EQ(sent(signal), 1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    CHECK_EQ(sent(signal), 0);
    __atomic_store_n(&turn, 99, __ATOMIC_SEQ_CST);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        one(signals[i]);
    return done();
}
