// build: -O1
// The last reader's close gives EPIPE and SIGPIPE, the last writer's the end of the data, after many small pieces; duplicates
// count as ends.
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <sys/wait.h>

static volatile int signals;

static void count(int signal, siginfo_t *info, void *context)
{
    (void)context;
    CHECK_EQ(info->si_signo, signal);
    CHECK_EQ(info->si_pid, getpid());
    signals++;
}

static char bytes[200];

static void make(int *ends, int flags)
{
    CHECK_EQ(pipe2(ends, flags), 0);
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(write(ends[1], bytes, 10), 10);
        CHECK_EQ(read(ends[0], bytes, 10), 10);
    }
}

static void refused(long result, int wanted)
{
    CHECK_EQ(result, -1);
    CHECK_EQ(errno, EPIPE);
    REREAD();
    CHECK_EQ(signals, wanted);
}

static void readers_go(int flags)
{
    int ends[2];
    signals = 0;
    make(ends, flags);
    int other = dup(ends[0]);
    CHECK_EQ(write(ends[1], bytes, 50), 50);
    close(ends[0]);
    CHECK_EQ(write(ends[1], bytes, 1), 1);
    CHECK_EQ(read(other, bytes, 20), 20);
    close(other);
    for (int i = 1; i <= 20; i++)
        refused(write(ends[1], bytes, 5), i);
    struct iovec part = {bytes, 5};
    refused(writev(ends[1], &part, 1), 21);
    /* A write of nothing is none. */
    CHECK_EQ(write(ends[1], bytes, 0), 0);
    struct pollfd ready = {.fd = ends[1], .events = POLLOUT};
    CHECK_EQ(poll(&ready, 1, 0), 1);
    printf("poll of the lonely writer: %#x\n", (unsigned)ready.revents);
    signal(SIGPIPE, SIG_IGN);
    refused(write(ends[1], bytes, 5), 21);
    on_signal(SIGPIPE, count, 0);
    /* Blocked, the signal waits. */
    sigset_t pipe_only, waiting;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_only, NULL);
    refused(write(ends[1], bytes, 5), 21);
    sigpending(&waiting);
    CHECK(sigismember(&waiting, SIGPIPE));
    sigprocmask(SIG_UNBLOCK, &pipe_only, NULL);
    REREAD();
    CHECK_EQ(signals, 22);
    close(ends[1]);
}

static void writers_go(int flags)
{
    int ends[2];
    make(ends, flags);
    int other = fcntl(ends[1], F_DUPFD, 20);
    CHECK_EQ(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    CHECK_EQ(write(other, "def", 3), 3);
    close(other);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    CHECK_EQ(poll(&ready, 1, 0), 1);
    printf("poll with data and no writer: %#x\n", (unsigned)ready.revents);
    CHECK_EQ(read(ends[0], bytes, 4), 4);
    CHECK_EQ(memcmp(bytes, "abcd", 4), 0);
    CHECK_EQ(read(ends[0], bytes, 10), 2);
    for (int i = 0; i < 300; i++)
        CHECK_EQ(read(ends[0], bytes, 10), 0);
    CHECK_EQ(poll(&ready, 1, 0), 1);
    printf("poll without either: %#x\n", (unsigned)ready.revents);
    close(ends[0]);
}

static void wrong_ends(void)
{
    int ends[2];
    make(ends, 0);
    CHECK_EQ(write(ends[0], bytes, 1), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(read(ends[1], bytes, 1), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(pread(ends[0], bytes, 1, 0), -1);
    CHECK_EQ(errno, ESPIPE);
    CHECK_EQ(lseek(ends[1], 0, SEEK_CUR), -1);
    CHECK_EQ(errno, ESPIPE);
    close(ends[0]);
    close(ends[1]);
}

/* Without a handler the signal ends the process, in the middle of a burst or after it. */
static void signal_kills(void)
{
    int ends[2], status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        make(ends, 0);
        close(ends[0]);
        (void)!write(ends[1], "x", 1);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    make(ends, 0);
    child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        close(ends[0]);
        for (;;)
            (void)!write(ends[1], bytes, 100);
    }
    for (int left = 30000; left > 0;) {
        long got = read(ends[0], bytes, 100);
        CHECK(got > 0);
        left -= (int)got;
    }
    close(ends[0]);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    close(ends[1]);
}

int main(void)
{
    on_signal(SIGPIPE, count, 0);
    for (int i = 0; i < 2; i++) {
        readers_go(i ? O_NONBLOCK : 0);
        writers_go(i ? O_NONBLOCK : 0);
    }
    wrong_ends();
    signal_kills();
    return done();
}
