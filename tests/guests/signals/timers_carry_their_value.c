// build: -O1 -pthread
// POSIX timers by signal, to a thread and by notification thread: code, value, overruns; setitimer, alarm,
// timerfd, SIGIO and message queues send what they promise.
#include "check.h"
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
static siginfo_t seen;
static volatile int count;
static volatile pid_t tid;
static volatile int notified;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    seen = *info;
    tid = (pid_t)RAW0(SYS_gettid);
    count++;
}

static void notify(union sigval value) { notified = value.sival_int; }

static void await(int wanted)
{
    while (count < wanted)
        sched_yield();
    REREAD();
}

static void *thread_with_timer(void *unused)
{
    (void)unused;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 66};
    event.sigev_notify_thread_id = (pid_t)RAW0(SYS_gettid);
    timer_t timer;
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    struct itimerspec once = {{0, 0}, {0, 1000000}};
    count = 0;
    CHECK_EQ(timer_settime(timer, 0, &once, NULL), 0);
    await(1);
    CHECK_EQ(tid, RAW0(SYS_gettid));
    CHECK_EQ(seen.si_value.sival_int, 66);
    timer_delete(timer);
    return NULL;
}

/* Signal-driven input and message queues. */
static void input_and_queues(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 99};
    /* Signal-driven input with a real-time signal tells the descriptor. */
    int pipes[2];
    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(fcntl(pipes[0], F_SETSIG, SIGRTMIN + 3), 0);
    CHECK_EQ(fcntl(pipes[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(pipes[0], F_SETFL, O_ASYNC | O_NONBLOCK), 0);
    count = 0;
    CHECK_EQ(write(pipes[1], "x", 1), 1);
    await(1);
    CHECK_EQ(seen.si_fd, pipes[0]);
    CHECK_EQ(seen.si_code, 1); /* POLL_IN */
    char name[64];
    snprintf(name, sizeof name, "/queue-%d", getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
    if (queue >= 0) {
        mq_unlink(name);
        CHECK_EQ(mq_notify(queue, &event), 0);
        count = 0;
        CHECK_EQ(mq_send(queue, "m", 1, 0), 0);
        await(1);
        CHECK_EQ(seen.si_code, SI_MESGQ);
        CHECK_EQ(seen.si_value.sival_int, 99);
    }
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGUSR2, handler, 0);
    on_signal(SIGALRM, handler, 0);
    on_signal(SIGPROF, handler, 0);
    on_signal(SIGRTMIN + 3, handler, 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_ptr = (void *)0x1234567890};
    timer_t timer;
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    struct itimerspec once = {{0, 0}, {0, 2000000}}, left;
    CHECK_EQ(timer_settime(timer, 0, &once, NULL), 0);
    CHECK_EQ(timer_gettime(timer, &left), 0);
    await(1);
    CHECK_EQ(seen.si_code, SI_TIMER);
    CHECK_EQ(seen.si_value.sival_ptr, 0x1234567890);
    CHECK_EQ(seen.si_overrun, 0);
    /* Overruns pile up while the signal is blocked. */
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    struct itimerspec every = {{0, 100000}, {0, 100000}};
    CHECK_EQ(timer_settime(timer, 0, &every, NULL), 0);
    long long start = now_ns(CLOCK_MONOTONIC);
    while (now_ns(CLOCK_MONOTONIC) - start < 20000000)
        sched_yield();
    count = 0;
    sigprocmask(SIG_SETMASK, &old, NULL);
    await(1);
    struct itimerspec never = {{0, 0}, {0, 0}};
    CHECK_EQ(timer_settime(timer, 0, &never, NULL), 0);
    timer_delete(timer);
    /* Alarm clocks come from the kernel. */
    count = 0;
    struct itimerval soon = {{0, 0}, {0, 1000}};
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    await(1);
    CHECK_EQ(seen.si_signo, SIGALRM);
    printf("alarm code %d\n", seen.si_code);
    count = 0;
    CHECK_EQ(setitimer(ITIMER_PROF, &soon, NULL), 0);
    await(1);
    CHECK_EQ(seen.si_signo, SIGPROF);
    /* A notification thread. */
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = notify;
    event.sigev_value.sival_int = 55;
    event.sigev_notify_attributes = NULL;
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &once, NULL), 0);
    while (!notified)
        sched_yield();
    CHECK_EQ(notified, 55);
    timer_delete(timer);
    pthread_t thread;
    pthread_create(&thread, NULL, thread_with_timer, NULL);
    pthread_join(thread, NULL);
    int descriptor = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK_EQ(timerfd_settime(descriptor, 0, &once, NULL), 0);
    uint64_t expirations;
    CHECK_EQ(read(descriptor, &expirations, 8), 8);
    CHECK_EQ(expirations, 1);
    input_and_queues();
    return done();
}
