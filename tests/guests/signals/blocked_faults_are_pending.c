// build: -O1
// run: all
// Signals that faults raise too are pending like others when somebody sends them while they are blocked: sigpending,
// sigtimedwait, signalfd see them, calls with a mask wake for them, the first of two is kept, handlers of other signals
// lose none, SIG_IGN discards them, a child of fork has none and the next image has them.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static const int faults[] = {SIGSEGV, SIGBUS, SIGTRAP, SIGILL, SIGFPE, SIGSYS};

static volatile int runs, last_value, last_code, others;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    runs++;
    last_value = info->si_value.sival_int;
    last_code = info->si_code;
}

static void other(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    others++;
}

static sigset_t only(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

static int is_pending(int signal)
{
    sigset_t set;
    CHECK_EQ(sigpending(&set), 0);
    return sigismember(&set, signal);
}

static void send(int signal, int value)
{
    union sigval v = {.sival_int = value};
    CHECK_EQ(sigqueue(getpid(), signal, v), 0);
}

static void wakes(int signal, int way)
{
    sigset_t none;
    sigemptyset(&none);
    struct timespec ten = {10, 0};
    int before = runs;
    CHECK_EQ(kill(getpid(), signal), 0);
    CHECK(is_pending(signal));
    CHECK_EQ(runs, before);
    int result, fd;
    switch (way) {
    case 0: result = sigsuspend(&none); break;
    case 1: result = ppoll(NULL, 0, &ten, &none); break;
    case 2: result = pselect(0, NULL, NULL, NULL, &ten, &none); break;
    default: {
        struct epoll_event event;
        fd = epoll_create1(0);
        result = epoll_pwait(fd, &event, 1, 10000, &none);
        CHECK_EQ(errno, EINTR);
        close(fd);
    }
    }
    CHECK_EQ(result, -1);
    CHECK_EQ(errno, EINTR);
    REREAD();
    CHECK_EQ(runs, before + 1);
    CHECK_EQ(last_code, SI_USER);
    CHECK(!is_pending(signal));
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, signal));
}

static void one(int signal)
{
    sigset_t set = only(signal), all, old;
    on_signal(signal, handler, 0);
    on_signal(SIGUSR1, other, 0);
    on_signal(SIGALRM, other, 0);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    CHECK(!is_pending(signal));
    runs = others = 0;

    /* The first of two, after another signal's handler has run. */
    send(signal, 1);
    send(signal, 2);
    raise(SIGUSR1);
    raise(SIGUSR1);
    REREAD();
    CHECK_EQ(others, 2);
    CHECK_EQ(runs, 0);
    CHECK(is_pending(signal));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    REREAD();
    CHECK_EQ(runs, 1);
    CHECK_EQ(last_value, 1);
    raise(SIGUSR1);
    REREAD();
    CHECK_EQ(runs, 1);
    sigprocmask(SIG_BLOCK, &set, NULL);

    /* Taken by a call. */
    siginfo_t info;
    struct timespec now = {0, 0};
    send(signal, 3);
    CHECK_EQ(sigtimedwait(&set, &info, &now), signal);
    CHECK_EQ(info.si_value.sival_int, 3);
    CHECK_EQ(info.si_code, SI_QUEUE);
    CHECK_EQ(info.si_pid, getpid());
    CHECK(!is_pending(signal));
    CHECK_EQ(sigtimedwait(&set, &info, &now), -1);
    CHECK_EQ(errno, EAGAIN);

    /* Read from a descriptor, which polls as readable before. */
    struct signalfd_siginfo got;
    int fd = signalfd(-1, &set, SFD_NONBLOCK);
    CHECK_EQ(read(fd, &got, sizeof got), -1);
    send(signal, 4);
    struct pollfd ready = {fd, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 0), 1);
    CHECK_EQ(read(fd, &got, sizeof got), sizeof got);
    CHECK_EQ(got.ssi_signo, signal);
    CHECK_EQ(got.ssi_int, 4);
    CHECK_EQ(poll(&ready, 1, 0), 0);
    close(fd);

    for (int way = 0; way < 4; way++)
        wakes(signal, way);

    /* A mask that blocks it does not wake for it, but for another. */
    send(signal, 5);
    runs = others = 0;
    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    raise(SIGUSR1);
    timer_t timer;
    struct itimerspec soon = {{0, 0}, {0, 20000000}};
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &soon, NULL), 0);
    CHECK_EQ(sigsuspend(&all), -1);
    timer_delete(timer);
    REREAD();
    CHECK_EQ(runs, 0);
    CHECK_EQ(others, 2);
    CHECK(is_pending(signal));

    /* Not a child's. */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(!is_pending(signal));
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        REREAD();
        _exit(runs);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK(is_pending(signal));

    /* Gone when it is ignored; what is ignored and blocked is pending nevertheless. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(signal, &ignore, NULL);
    CHECK(!is_pending(signal));
    on_signal(signal, handler, 0);
    sigprocmask(SIG_SETMASK, NULL, &old);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    REREAD();
    CHECK_EQ(runs, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static volatile int nested;

static void again(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    if (++nested < 4)
        raise(signal);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        int signal = atoi(argv[2]);
        sigset_t set = only(signal), now;
        siginfo_t info;
        struct timespec none = {0, 0};
        sigprocmask(SIG_BLOCK, NULL, &now);
        CHECK(sigismember(&now, signal));
        CHECK(is_pending(signal));
        CHECK_EQ(sigtimedwait(&set, &info, &none), signal);
        CHECK_EQ(info.si_value.sival_int, 6);
        return 0;
    }
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        one(faults[i]);
        /* Raised in its own handler: as often as asked for. */
        nested = 0;
        on_signal(faults[i], again, 0);
        sigset_t set = only(faults[i]);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        raise(faults[i]);
        REREAD();
        CHECK_EQ(nested, 4);
    }
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        pid_t child = fork();
        if (child == 0) {
            char number[8];
            sigset_t set = only(faults[i]);
            sigprocmask(SIG_BLOCK, &set, NULL);
            send(faults[i], 6);
            snprintf(number, sizeof number, "%d", faults[i]);
            execl("/proc/self/exe", argv[0], "next", number, (char *)NULL);
            _exit(98);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    return done();
}
