// build: -O1
// Calls that fill buffers on a page that holds code which ran succeed as on any other page.
#include "generated.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static unsigned char *page;

/* Makes the page one whose code was executed since it was last written. */
static void *buffer(void)
{
    put(page, 3);
    CHECK_EQ(call(page), 3);
    return page + 2048;
}

static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }

/* What waits for descriptors or children, and signal frames. */
static void waiting(const int *pipes)
{
    int status;
    struct timespec time = {0, 1};
    struct pollfd wanted = {.fd = pipes[1], .events = POLLOUT};
    memcpy(buffer(), &wanted, sizeof wanted);
    put(page, 3), call(page);
    CHECK_EQ(RAW3(SYS_poll, page + 2048, 1, 0), 1);
    CHECK_EQ(((struct pollfd *)(page + 2048))->revents, POLLOUT);
    fd_set *set = buffer();
    FD_ZERO(set);
    FD_SET(pipes[1], set);
    put(page, 3), call(page);
    CHECK_EQ(RAW6(SYS_select, pipes[1] + 1, 0, set, 0, 0, 0), 1);
    int events = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLOUT};
    CHECK_EQ(epoll_ctl(events, EPOLL_CTL_ADD, pipes[1], &event), 0);
    CHECK_EQ(RAW4(SYS_epoll_wait, events, buffer(), 4, 0), 1);
    pid_t child = fork();
    if (child == 0)
        _exit(6);
    CHECK_EQ(RAW4(SYS_wait4, child, buffer(), 0, 0), child);
    memcpy(&status, page + 2048, 4);
    CHECK_EQ(WEXITSTATUS(status), 6);
    CHECK_EQ(RAW2(SYS_nanosleep, &time, buffer()), 0);
    child = fork();
    if (child == 0)
        _exit(7);
    CHECK_EQ(RAW6(SYS_waitid, P_PID, child, buffer(), WEXITED, (char *)page + 3000, 0), 0);
    /* A whole signal frame onto such a page. */
    stack_t stack = {.ss_sp = pages(16, RWX), .ss_size = 65536};
    page = (unsigned char *)stack.ss_sp + 65536 - 4096;
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    on_signal(SIGUSR1, handler, SA_ONSTACK);
    for (int i = 0; i < 20; i++) {
        buffer();
        CHECK_EQ(raise(SIGUSR1), 0);
    }
}

int main(void)
{
    page = pages(2, RWX);
    int file = open("file", O_RDWR | O_CREAT, 0644), pipes[2];
    CHECK_EQ(ftruncate(file, 8192), 0);
    socklen_t length = 128;
    CHECK_EQ(RAW3(SYS_read, file, buffer(), 100), 100);
    lseek(file, 0, SEEK_SET);
    CHECK_EQ(RAW3(SYS_read, file, (char *)buffer() + 1024, 4096), 4096); /* runs over into the next page */
    CHECK_EQ(RAW2(SYS_fstat, file, buffer()), 0);
    CHECK_EQ(RAW2(SYS_stat, ".", buffer()), 0);
    CHECK_EQ(RAW4(SYS_newfstatat, AT_FDCWD, ".", buffer(), 0), 0);
    CHECK_EQ(RAW6(SYS_statx, AT_FDCWD, ".", 0, 0xfff, buffer(), 0), 0);
    CHECK_EQ(RAW2(SYS_statfs, ".", buffer()), 0);
    CHECK(RAW2(SYS_getcwd, buffer(), 1000) > 0);
    CHECK_EQ(RAW1(SYS_uname, buffer()), 0);
    CHECK_EQ(RAW2(SYS_gettimeofday, buffer(), 0), 0);
    CHECK_EQ(RAW2(SYS_clock_gettime, CLOCK_REALTIME, buffer()), 0);
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, buffer()), 0); /* the vDSO stores itself */
    CHECK_EQ(RAW2(SYS_clock_getres, CLOCK_REALTIME, buffer()), 0);
    CHECK(RAW1(SYS_times, buffer()) > 0);
    CHECK_EQ(RAW2(SYS_getrusage, RUSAGE_SELF, buffer()), 0);
    CHECK_EQ(RAW2(SYS_getrlimit, RLIMIT_STACK, buffer()), 0);
    CHECK_EQ(RAW4(SYS_prlimit64, 0, RLIMIT_STACK, 0, buffer()), 0);
    CHECK_EQ(RAW1(SYS_sysinfo, buffer()), 0);
    CHECK_EQ(RAW3(SYS_getrandom, buffer(), 64, 0), 64);
    CHECK(RAW3(SYS_readlink, "/proc/self/exe", buffer(), 1000) > 0);
    CHECK(RAW3(SYS_getdents64, open(".", O_RDONLY), buffer(), 1000) > 0);
    CHECK_EQ(RAW1(SYS_pipe, buffer()), 0);
    CHECK_EQ(RAW2(SYS_pipe2, buffer(), O_CLOEXEC), 0);
    CHECK_EQ(RAW4(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, buffer()), 0);
    memcpy(pipes, page + 2048, sizeof pipes);
    CHECK_EQ(write(pipes[0], "hello", 5), 5);
    CHECK_EQ(RAW6(SYS_recvfrom, pipes[1], buffer(), 100, 0, 0, 0), 5);
    memcpy(buffer(), &length, sizeof length);
    put(page, 3), call(page);
    CHECK_EQ(RAW3(SYS_getsockname, pipes[0], (char *)page + 3000, page + 2048), 0);
    memcpy(buffer(), &length, sizeof length);
    put(page, 3), call(page);
    CHECK_EQ(RAW6(SYS_getsockopt, pipes[0], SOL_SOCKET, SO_TYPE, page + 3000, page + 2048, 0), 0);
    CHECK_EQ(RAW4(SYS_rt_sigprocmask, SIG_BLOCK, 0, buffer(), 8), 0);
    CHECK_EQ(RAW2(SYS_rt_sigpending, buffer(), 8), 0);
    CHECK_EQ(RAW4(SYS_rt_sigaction, SIGUSR1, 0, buffer(), 8), 0);
    CHECK_EQ(RAW2(SYS_sigaltstack, 0, buffer()), 0);
    CHECK_EQ(RAW2(SYS_getitimer, ITIMER_REAL, buffer()), 0);
    CHECK_EQ(RAW3(SYS_timer_create, CLOCK_MONOTONIC, 0, buffer()), 0);
    CHECK_EQ(RAW2(SYS_timer_gettime, *(int *)(page + 2048), buffer()), 0);
    CHECK_EQ(RAW3(SYS_sched_getaffinity, 0, 128, buffer()) > 0, 1);
    CHECK_EQ(RAW3(SYS_getcpu, buffer(), 0, 0), 0);
    CHECK_EQ(RAW2(SYS_arch_prctl, 0x1003, buffer()), 0);
    CHECK_EQ(RAW3(SYS_getresuid, (char *)buffer() + 8, (char *)page + 2060, (char *)page + 2064), 0);
    CHECK_EQ(RAW2(SYS_prctl, 16, buffer()), 0);
    CHECK_EQ(RAW1(SYS_time, buffer()) > 0, 1);
    waiting(pipes);
    return done();
}
