// build: -O1
// limit: 120
// alone: two processes hand a token back and forth by signal; other load makes it slow, not wrong
// Ping-pong of 20,000 rounds by signals that are unblocked only inside the waiting call: sigsuspend,
// ppoll, pselect, epoll_pwait, sigwaitinfo and signalfd in turn. A lost wake-up hangs.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum { ROUNDS = 20000 };
static volatile sig_atomic_t arrived;
static int descriptor, events;
static sigset_t usual, waiting, only;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    CHECK_EQ(info->si_code, SI_USER);
    arrived++;
}

static void wait_one(int round)
{
    int before = arrived;
    struct signalfd_siginfo info;
    switch (round % 6) {
    case 0:
        sigsuspend(&waiting);
        break;
    case 1:
        ppoll(NULL, 0, NULL, &waiting);
        break;
    case 2:
        pselect(0, NULL, NULL, NULL, NULL, &waiting);
        break;
    case 3: {
        struct epoll_event event;
        epoll_pwait(events, &event, 1, -1, &waiting);
        break;
    }
    case 4:
        CHECK_EQ(sigwaitinfo(&only, NULL), SIGUSR1);
        CHECK_EQ(arrived, before);
        arrived++;
        break;
    case 5:
        CHECK_EQ(read(descriptor, &info, sizeof info), sizeof info);
        CHECK_EQ(info.ssi_signo, SIGUSR1);
        CHECK_EQ(arrived, before);
        arrived++;
        break;
    }
    CHECK_EQ(arrived, before + 1);
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1));
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    sigemptyset(&only);
    sigaddset(&only, SIGUSR1);
    sigprocmask(SIG_BLOCK, &only, &waiting);
    sigprocmask(SIG_SETMASK, NULL, &usual);
    descriptor = signalfd(-1, &only, 0);
    events = epoll_create1(0);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        for (int round = 0; round < ROUNDS; round++) {
            wait_one(round);
            CHECK_EQ(kill(parent, SIGUSR1), 0);
        }
        _exit(0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        CHECK_EQ(kill(child, SIGUSR1), 0);
        wait_one(round + 1);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    return done();
}
