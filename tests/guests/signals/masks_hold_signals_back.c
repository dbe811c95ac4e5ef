// build: -O1
// Blocked signals stay pending and come on unblocking; sa_mask, SA_NODEFER, SA_RESETHAND and the order
// of several pending signals are kept.
#include "check.h"

static volatile int log_length;
static char trail[256];
static sigset_t inside;

static void note(char what)
{
    trail[log_length++] = what;
    trail[log_length] = 0;
}

static void plain(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    note((char)('A' + (signal == SIGUSR1 ? 0 : signal == SIGUSR2 ? 1 : signal - SIGRTMIN + 2)));
    sigprocmask(SIG_BLOCK, NULL, &inside);
}

static volatile int depth;

static void recursive(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    note((char)('0' + depth));
    if (++depth < 3)
        raise(signal);
    depth--;
    note((char)('a' + depth));
}

static void expect(const char *text)
{
    REREAD();
    if (strcmp(trail, text) != 0)
        dprintf(2, "trail %s, expected %s\n", trail, text);
    CHECK(strcmp(trail, text) == 0);
    log_length = 0;
    trail[0] = 0;
}

int main(void)
{
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    on_signal(SIGUSR1, plain, 0);
    on_signal(SIGUSR2, plain, 0);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGUSR1); /* standard signals do not queue */
    expect("");
    CHECK_EQ(sigpending(&pending), 0);
    CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGUSR2) && !sigismember(&pending, SIGHUP));
    sigprocmask(SIG_SETMASK, &old, NULL);
    /* Both are delivered on the way out; the frame of the higher number is on top. */
    expect("BA");
    sigpending(&pending);
    CHECK(sigisemptyset(&pending));
    /* An ignored signal that was pending vanishes. */
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigpending(&pending);
    CHECK(!sigismember(&pending, SIGUSR1));
    on_signal(SIGUSR1, plain, 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    expect("");
    /* Real-time signals queue and come lowest first, each kind in order. */
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 3; i++) {
        on_signal(SIGRTMIN + i, plain, 0);
        struct sigaction action;
        sigaction(SIGRTMIN + i, NULL, &action);
        sigfillset(&action.sa_mask);
        sigaction(SIGRTMIN + i, &action, NULL);
    }
    raise(SIGRTMIN + 2), raise(SIGRTMIN), raise(SIGRTMIN + 1), raise(SIGRTMIN);
    sigprocmask(SIG_SETMASK, &old, NULL);
    expect("CCDE");
    /* During a handler its own signal and sa_mask are blocked. */
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    sigaddset(&action.sa_mask, SIGHUP);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    REREAD();
    CHECK(sigismember(&inside, SIGUSR1) && sigismember(&inside, SIGHUP) && !sigismember(&inside, SIGUSR2));
    sigprocmask(SIG_BLOCK, NULL, &set);
    CHECK_EQ(memcmp(&set, &old, 8), 0);
    expect("A");
    on_signal(SIGUSR1, recursive, SA_NODEFER);
    raise(SIGUSR1);
    expect("012cba");
    on_signal(SIGUSR1, plain, SA_RESETHAND);
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &action);
    CHECK(action.sa_handler == SIG_DFL);
    expect("A");
    /* SIGKILL and SIGSTOP cannot be blocked, silently. */
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigprocmask(SIG_SETMASK, NULL, &set);
    CHECK(!sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP) && sigismember(&set, SIGTERM));
    return done();
}
