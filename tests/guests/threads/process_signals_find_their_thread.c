// build: -O1 -pthread
// What is sent to the process goes to a thread that does not block it, also a signal that faults raise; what all block
// comes to the first that does not any more.
#include <pthread.h>
#include "check.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGUSR1};
static __thread int is_taker;
static volatile int taken, taken_elsewhere, value;
static volatile int turn;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    value = info->si_value.sival_int;
    if (is_taker)
        __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
    else
        __atomic_add_fetch(&taken_elsewhere, 1, __ATOMIC_SEQ_CST);
}

static sigset_t only(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

static void until(volatile int *word, int wanted)
{
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != wanted)
        usleep(200);
}

/* Blocks in its first half, takes in the second. */
static void *taker(void *argument)
{
    int signal = *(int *)argument;
    sigset_t set = only(signal);
    is_taker = 1;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    __atomic_store_n(&turn, 1, __ATOMIC_SEQ_CST);
    until(&turn, 2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    __atomic_store_n(&turn, 3, __ATOMIC_SEQ_CST);
    until(&turn, 4);
    CHECK_EQ(taken, 2);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    REREAD();
    CHECK_EQ(taken, 3);
    return NULL;
}

static void one(int signal)
{
    sigset_t set = only(signal), pending;
    taken = taken_elsewhere = turn = 0;
    on_signal(signal, handler, 0);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, taker, &signal), 0);
    until(&turn, 1);
    CHECK_EQ(kill(getpid(), signal), 0);
    until(&taken, 1);
    union sigval v = {.sival_int = 7};
    CHECK_EQ(sigqueue(getpid(), signal, v), 0);
    until(&taken, 2);
    CHECK_EQ(value, 7);
    __atomic_store_n(&turn, 2, __ATOMIC_SEQ_CST);
    until(&turn, 3);
    CHECK_EQ(kill(getpid(), signal), 0);
    /* Any thread may be the one that is told. */
    do
        CHECK_EQ(sigpending(&pending), 0);
    while (!sigismember(&pending, signal));
    __atomic_store_n(&turn, 4, __ATOMIC_SEQ_CST);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(sigpending(&pending), 0);
    CHECK(!sigismember(&pending, signal));
    CHECK_EQ(taken_elsewhere, 0);
}

int main(void)
{
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        one(signals[i]);
    return done();
}
