// build: -O1 -pthread
// Every blocking call is interrupted by a periodic signal, with SA_RESTART and without: what restarts
// goes on until the handler's fifth run lets it finish, what does not returns EINTR.
#include "check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile int runs, finish_at;
static int pipes[2];
static int word;
static pid_t child;
static enum { BYTE, WAKE, KILL, NOTHING } finish;

static void tick(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    if (++runs != finish_at)
        return;
    int saved = errno;
    if (finish == BYTE)
        CHECK_EQ(write(pipes[1], "x", 1), 1);
    if (finish == WAKE) {
        __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
        RAW6(SYS_futex, &word, FUTEX_WAKE, 1, 0, 0, 0);
    }
    if (finish == KILL)
        kill(child, SIGKILL);
    errno = saved;
}

static void start(int flags, int finishing)
{
    runs = 0;
    word = 0;
    finish = finishing;
    finish_at = flags ? 5 : -1;
    on_signal(SIGALRM, tick, flags);
    struct itimerval every = {{0, 3000}, {0, 3000}};
    CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void stop(const char *name, int flags, long result)
{
    int error = errno;
    struct itimerval never = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    printf("%s %s: %s", name, flags ? "with SA_RESTART" : "without", result < 0 ? strerror(error) : "done");
    printf(", %s\n", result >= 0 && runs >= 5 ? "after the last tick" : "not finished");
    CHECK(runs > 0);
    char byte;
    CHECK_EQ(fcntl(pipes[0], F_SETFL, O_NONBLOCK), 0);
    while (read(pipes[0], &byte, 1) == 1)
        ;
    CHECK_EQ(fcntl(pipes[0], F_SETFL, 0), 0);
}

int main(void)
{
    char byte;
    CHECK_EQ(pipe(pipes), 0);
    struct timespec long_time = {1000, 0}, left;
    int flags[] = {0, SA_RESTART};
    for (int i = 0; i < 2; i++) {
        int f = flags[i];
        long result;
#define CALL(name, how, call)                                                                      \
    start(f, how);                                                                                 \
    result = (call);                                                                               \
    stop(name, f, result)
        CALL("read", BYTE, read(pipes[0], &byte, 1));
        struct pollfd wanted = {.fd = pipes[0], .events = POLLIN};
        CALL("poll", NOTHING, poll(&wanted, 1, 1000000));
        CALL("ppoll", NOTHING, ppoll(&wanted, 1, &long_time, NULL));
        fd_set set;
        FD_ZERO(&set);
        FD_SET(pipes[0], &set);
        CALL("select", NOTHING, select(pipes[0] + 1, &set, NULL, NULL, NULL));
        FD_SET(pipes[0], &set);
        CALL("pselect", NOTHING, pselect(pipes[0] + 1, &set, NULL, NULL, &long_time, NULL));
        int events = epoll_create1(0);
        struct epoll_event event;
        CALL("epoll_wait", NOTHING, epoll_wait(events, &event, 1, -1));
        close(events);
        left.tv_sec = 0;
        CALL("nanosleep", NOTHING, nanosleep(&long_time, &left));
        CHECK(left.tv_sec >= 900 && left.tv_sec < 1000);
        left.tv_sec = 0;
        start(f, NOTHING);
        errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, &left);
        stop("clock_nanosleep", f, -1);
        CHECK(left.tv_sec >= 900 && left.tv_sec < 1000);
        CALL("pause", NOTHING, pause());
        CALL("futex", WAKE, syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0));
        CALL("futex with time-out", WAKE, syscall(SYS_futex, &word, FUTEX_WAIT, 0, &long_time, NULL, 0));
        sigset_t none, usr;
        sigemptyset(&none);
        CALL("sigsuspend", NOTHING, sigsuspend(&none));
        sigemptyset(&usr);
        sigaddset(&usr, SIGUSR1);
        CALL("sigtimedwait", NOTHING, sigtimedwait(&usr, NULL, &long_time));
        child = fork();
        if (child == 0) {
            pause();
            _exit(1);
        }
        CALL("wait4", KILL, waitpid(child, NULL, 0));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        child = fork();
        if (child == 0) {
            pause();
            _exit(1);
        }
        siginfo_t info;
        CALL("waitid", KILL, waitid(P_PID, (id_t)child, &info, WEXITED));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        int sockets[2];
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
        int kept = pipes[1];
        pipes[1] = sockets[1];
        CALL("recv", BYTE, recv(sockets[0], &byte, 1, 0));
        pipes[1] = kept;
        close(sockets[0]);
        close(sockets[1]);
    }
    return done();
}
