// build: -O1 -pthread
// rt_sigprocmask, rt_sigpending and sigaltstack in loops, with signals from another thread, from timers and from the thread
// itself: none is lost, none comes while it is blocked, each comes before the call that lets it in returns.
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile int runs, is_blocked, on_stack;
static char stack[65536];
static sigset_t usr, both;

static void count(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    char here;
    CHECK(!is_blocked || signal == SIGALRM);
    if (&here >= stack && &here < stack + sizeof stack)
        on_stack++;
    if (signal == SIGUSR1)
        runs++;
}

static long mask(int how, const sigset_t *set, sigset_t *old) { return RAW4(SYS_rt_sigprocmask, how, set, old, 8); }

/* Signals of the thread to itself: the answers are exact. */
static void to_itself(void)
{
    sigset_t old, waiting, none;
    sigemptyset(&none);
    for (int i = 0; i < 2000; i++) {
        int before = runs;
        CHECK_EQ(mask(SIG_BLOCK, &usr, &old), 0);
        CHECK(!sigismember(&old, SIGUSR1));
        is_blocked = 1;
        if (i % 2) {
            raise(SIGUSR1);
            raise(SIGUSR1);
        }
        CHECK_EQ(RAW2(SYS_rt_sigpending, &waiting, 8), 0);
        CHECK_EQ(sigismember(&waiting, SIGUSR1), i % 2);
        CHECK_EQ(mask(SIG_SETMASK, NULL, &old), 0);
        CHECK(sigismember(&old, SIGUSR1));
        REREAD();
        CHECK_EQ(runs, before);
        is_blocked = 0;
        switch (i % 3) {
        case 0: CHECK_EQ(mask(SIG_UNBLOCK, &usr, NULL), 0); break;
        case 1: CHECK_EQ(mask(SIG_SETMASK, &none, &old), 0); break;
        default: CHECK_EQ(mask(SIG_SETMASK, &none, NULL), 0);
        }
        REREAD();
        CHECK_EQ(runs, before + i % 2);
        CHECK_EQ(RAW2(SYS_rt_sigpending, &waiting, 8), 0);
        CHECK(!sigismember(&waiting, SIGUSR1));
    }
    printf("%d to itself\n", runs);
}

static pthread_t target;
static volatile int stop, sent;

static void *sends(void *unused)
{
    (void)unused;
    while (!stop) {
        int before = runs;
        CHECK_EQ(pthread_kill(target, SIGUSR1), 0);
        sent++;
        while (runs == before && !stop)
            REREAD();
    }
    return NULL;
}

/* Signals from elsewhere: each that was sent arrives, at a moment when it is let in. */
static void from_elsewhere(void)
{
    pthread_t thread;
    runs = sent = 0;
    struct itimerval every = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    target = pthread_self();
    CHECK_EQ(mask(SIG_BLOCK, &both, NULL), 0);
    CHECK_EQ(pthread_create(&thread, NULL, sends, NULL), 0);
    CHECK_EQ(mask(SIG_UNBLOCK, &both, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
    sigset_t old;
    long long begin = now_ns(CLOCK_MONOTONIC);
    while (runs < 500 && now_ns(CLOCK_MONOTONIC) - begin < 300000000) {
        CHECK_EQ(mask(SIG_BLOCK, &usr, &old), 0);
        is_blocked = 1;
        CHECK(!sigismember(&old, SIGUSR1));
        int before = runs;
        for (volatile int k = 0; k < 50; k++)
            ;
        CHECK_EQ(runs, before);
        is_blocked = 0;
        CHECK_EQ(mask(SIG_SETMASK, &old, NULL), 0);
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK_EQ(mask(SIG_BLOCK, &usr, NULL), 0);
    stop = 1;
    pthread_join(thread, NULL);
    CHECK_EQ(mask(SIG_UNBLOCK, &usr, NULL), 0);
    REREAD();
    CHECK(runs > 0);
    /* Each was waited for before the next was sent. */
    CHECK_EQ(runs, sent);
    puts("all from elsewhere");
}

static void other_stacks(void)
{
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack}, off = {.ss_flags = SS_DISABLE}, old;
    struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    runs = on_stack = 0;
    for (int i = 0; i < 2000; i++) {
        CHECK_EQ(RAW2(SYS_sigaltstack, &own, &old), 0);
        CHECK_EQ(old.ss_flags, SS_DISABLE);
        CHECK_EQ(RAW2(SYS_sigaltstack, 0, &old), 0);
        CHECK(old.ss_sp == stack && old.ss_size == sizeof stack && old.ss_flags == 0);
        raise(SIGUSR1);
        CHECK_EQ(RAW2(SYS_sigaltstack, &off, &old), 0);
        CHECK(old.ss_sp == stack);
        raise(SIGUSR1);
    }
    REREAD();
    printf("%d on the other stack of %d\n", on_stack, runs);
}

static sigjmp_buf back;
static volatile int has_mask;

static void jumps(int signal, siginfo_t *info, void *context)
{
    (void)info;
    sigset_t now;
    /* The frame holds the mask from before, the thread has the handler's. */
    has_mask = sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
    CHECK_EQ(mask(SIG_SETMASK, NULL, &now), 0);
    CHECK(sigismember(&now, signal));
    siglongjmp(back, 1);
}

static void jumps_restore(void)
{
    sigset_t other, now;
    sigemptyset(&other);
    sigaddset(&other, SIGUSR2);
    on_signal(SIGUSR1, jumps, 0);
    for (volatile int i = 0; i < 2000; i++) {
        CHECK_EQ(mask(i % 2 ? SIG_BLOCK : SIG_UNBLOCK, &other, NULL), 0);
        if (sigsetjmp(back, 1) == 0)
            raise(SIGUSR1);
        REREAD();
        CHECK_EQ(has_mask, i % 2);
        CHECK_EQ(mask(SIG_SETMASK, NULL, &now), 0);
        CHECK_EQ(sigismember(&now, SIGUSR2), i % 2);
        CHECK(!sigismember(&now, SIGUSR1));
    }
    puts("jumps restore the mask");
}

int main(void)
{
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    both = usr;
    sigaddset(&both, SIGALRM);
    on_signal(SIGUSR1, count, 0);
    on_signal(SIGALRM, count, SA_RESTART);
    to_itself();
    from_elsewhere();
    other_stacks();
    jumps_restore();
    return done();
}
