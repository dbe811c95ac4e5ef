// build: -O1 -pthread
// limit: 60
// Signals that faults raise too are sent to a process whose threads block and unblock them all the time, and come and go: each
// that arrives is one that was sent, the last one arrives, and nothing of it is taken for a fault.
#include <pthread.h>
#include "check.h"
#include <sys/wait.h>

enum { THREADS = 4, SIGNALS = 20000 };
static volatile int got, stop;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    if (info->si_code != SI_USER)
        check_failed(__FILE__, __LINE__, "it was sent", info->si_code, signal);
    __atomic_add_fetch(&got, 1, __ATOMIC_SEQ_CST);
}

static sigset_t both(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigaddset(&set, SIGBUS);
    return set;
}

static void *change(void *argument)
{
    sigset_t set = both();
    uint64_t state = (uint64_t)(long)argument;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        uint64_t random = next_random(&state);
        pthread_sigmask(random & 1 ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
        if ((random & 14) == 0)
            sched_yield();
    }
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return NULL;
}

static void *nothing(void *argument) { return argument; }

int main(void)
{
    pthread_t threads[THREADS];
    sigset_t set = both();
    pid_t parent = getpid();
    on_signal(SIGSEGV, handler, 0);
    on_signal(SIGBUS, handler, 0);
    for (long i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, change, (void *)(i + 1)), 0);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < SIGNALS; i++)
            CHECK_EQ(kill(parent, i & 1 ? SIGSEGV : SIGBUS), 0);
        _exit(0);
    }
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        pthread_t another;
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        CHECK_EQ(pthread_create(&another, NULL, nothing, NULL), 0);
        CHECK_EQ(pthread_join(another, NULL), 0);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    }
    CHECK_EQ(status, 0);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    /* Everybody has unblocked them: what was pending has come. */
    sigset_t pending;
    CHECK_EQ(sigpending(&pending), 0);
    CHECK(!sigismember(&pending, SIGSEGV) && !sigismember(&pending, SIGBUS));
    int before = got;
    CHECK_EQ(kill(parent, SIGSEGV), 0);
    while (__atomic_load_n(&got, __ATOMIC_SEQ_CST) == before)
        ;
    return done();
}
