// build: -O1
// Writes that are answered in the process are followed at once by calls that wait: none of these is interrupted, each sleeps as long
// as it says. The program's own handlers of SIGBUS, its mask and its timers with that signal are its own throughout, and where it
// computes instead nothing but what it asked for comes.
#include "files.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

static volatile sig_atomic_t own_ticks, strange;

static void on_bus(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (number == SIGBUS && info->si_code == SI_TIMER && info->si_value.sival_int == 4711)
        own_ticks++;
    else
        strange++;
}

static void compute(long long ns)
{
    long long begin = now_ns(CLOCK_MONOTONIC);
    while (now_ns(CLOCK_MONOTONIC) - begin < ns)
        ;
}

static void sleep_in(int way, int pipe_end, int set)
{
    struct timespec time = {0, 9000000};
    struct pollfd ready = {.fd = pipe_end, .events = POLLIN};
    struct epoll_event event;
    long long begin = now_ns(CLOCK_MONOTONIC);
    switch (way) {
    case 0: CHECK_EQ(nanosleep(&time, NULL), 0); break;
    case 1: CHECK_EQ(poll(&ready, 1, 9), 0); break;
    case 2: CHECK_EQ(epoll_wait(set, &event, 1, 9), 0); break;
    case 3: CHECK_EQ(pselect(0, NULL, NULL, NULL, &time, NULL), 0); break;
    }
    CHECK(now_ns(CLOCK_MONOTONIC) - begin >= 8900000);
}

int main(void)
{
    make_file("data", 20000);
    int fd = open("data", O_RDWR), ends[2], set = epoll_create1(0);
    CHECK_EQ(pipe(ends), 0);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK_EQ(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event), 0);
    struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGBUS, &action, NULL), 0);
    for (int round = 0; round < 40; round++) {
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        write_burst(fd, 0, 4 * MANY, 3);
        if (round % 3 == 1)
            compute(6000000);
        sleep_in(round % 4, ends[0], set);
        CHECK_EQ(strange, 0);
    }
    /* A blocked SIGBUS is pending when somebody sends it, and not before. */
    sigset_t bus, pending;
    sigemptyset(&bus);
    sigaddset(&bus, SIGBUS);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &bus, NULL), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    write_burst(fd, 0, 4 * MANY, 3);
    compute(15000000);
    CHECK_EQ(sigpending(&pending), 0);
    CHECK_EQ(sigismember(&pending, SIGBUS), 0);
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &bus, NULL), 0);
    /* A program without timers has none. */
    struct itimerspec left;
    for (int number = 0; number < 4; number++) {
        CHECK_EQ(RAW6(SYS_timer_gettime, number, &left, 0, 0, 0, 0), -EINVAL);
        CHECK_EQ(RAW6(SYS_timer_delete, number, 0, 0, 0, 0, 0), -EINVAL);
    }
    /* A timer of the program's own, with the same signal. */
    struct sigevent told = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGBUS, .sigev_value.sival_int = 4711};
    timer_t timer;
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &told, &timer), 0);
    struct itimerspec often = {{0, 3000000}, {0, 3000000}};
    CHECK_EQ(timer_settime(timer, 0, &often, NULL), 0);
    for (int round = 0; own_ticks < 20; round++) {
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        write_burst(fd, 0, 4 * MANY, 3);
        compute(1000000);
    }
    CHECK_EQ(timer_delete(timer), 0);
    CHECK_EQ(strange, 0);
    unsigned char bytes[3600];
    CHECK_EQ(pread(fd, bytes, sizeof bytes, 0), (long)sizeof bytes);
    check_bytes(bytes, 0, sizeof bytes);
    return done();
}
