// build: -O1
// A call that waits for a signal of a fault, blocked, when somebody sends it gets the signal, not EINTR: read(2) of a
// signalfd(2), poll(2), select(2), epoll_wait(2), sigtimedwait(2). What is blocked stays pending over instructions that are
// executed in an unusual way.
#include "check.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static const int faults[] = {SIGSEGV, SIGBUS, SIGTRAP, SIGILL, SIGFPE, SIGSYS, SIGUSR1};
static volatile int runs, sum;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    runs++;
    sum += info->si_value.sival_int;
}

/* Sends the signal when the parent sleeps: its state is told by /proc (proc(5)). */
static pid_t sender(int signal, int value)
{
    pid_t parent = getpid(), child = fork();
    if (child != 0)
        return child;
    char path[64], text[200], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", parent);
    while (state != 'S') {
        FILE *file = fopen(path, "r");
        CHECK(file != NULL && fgets(text, sizeof text, file) != NULL);
        fclose(file);
        state = strrchr(text, ')')[2];
    }
    union sigval v = {.sival_int = value};
    CHECK_EQ(sigqueue(parent, signal, v), 0);
    _exit(0);
}

static void is_there(int fd, int signal, int value)
{
    struct signalfd_siginfo got = {0};
    CHECK_EQ(read(fd, &got, sizeof got), sizeof got);
    CHECK_EQ(got.ssi_signo, signal);
    CHECK_EQ(got.ssi_int, value);
}

enum { READ, POLL, SELECT, EPOLL, WAIT, WAYS };

static void wait_for(int signal, int way)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    int fd = signalfd(-1, &set, 0), value = signal * 10 + way;
    struct pollfd ready = {fd, POLLIN, 0};
    struct epoll_event event = {.events = EPOLLIN};
    int events = epoll_create1(0);
    fd_set readable;
    siginfo_t info;
    struct timespec ten = {10, 0};
    CHECK_EQ(epoll_ctl(events, EPOLL_CTL_ADD, fd, &event), 0);
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    pid_t child = sender(signal, value);
    switch (way) {
    case READ: is_there(fd, signal, value); break;
    case POLL:
        CHECK_EQ(poll(&ready, 1, 10000), 1);
        is_there(fd, signal, value);
        break;
    case SELECT:
        CHECK_EQ(select(fd + 1, &readable, NULL, NULL, NULL), 1);
        is_there(fd, signal, value);
        break;
    case EPOLL:
        CHECK_EQ(epoll_wait(events, &event, 1, 10000), 1);
        is_there(fd, signal, value);
        break;
    default:
        CHECK_EQ(sigtimedwait(&set, &info, &ten), signal);
        CHECK_EQ(info.si_value.sival_int, value);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    close(events);
    close(fd);
}

/* Goes on at the next instruction (Intel SDM vol. 2, IRET). */
static void return_to_next(void)
{
    __asm__ volatile("sub $128, %%rsp\n"
                     "mov %%rsp, %%rcx\n"
                     "mov %%ss, %%eax\npush %%rax\npush %%rcx\npushfq\nmov %%cs, %%eax\npush %%rax\n"
                     "lea 1f(%%rip), %%rax\npush %%rax\niretq\n"
                     "1: add $128, %%rsp\n"
                     :
                     :
                     : "rax", "rcx", "memory", "cc");
}

/* Fresh code that counts in its own page each time. */
static void count_beside_itself(void)
{
    /* mov $SYS_getpid, %eax; syscall; incl 0x100 beyond the beginning, three times; ret */
    static const unsigned char code[] = {0xb8, 0x27, 0, 0,    0,    0x0f, 0x05, 0xff, 0x05, 0xf3, 0, 0, 0,
                                         0xff, 0x05, 0xed, 0, 0, 0, 0xff, 0x05, 0xe7, 0,    0,    0,    0xc3};
    unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    memcpy(page, code, sizeof code);
    CHECK_EQ(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
    for (int i = 0; i < 4; i++)
        ((void (*)(void))page)();
    CHECK_EQ(*(int *)(page + 0x100), 12);
    munmap(page, 4096);
}

static void stays_pending(int count)
{
    sigset_t set, pending;
    sigemptyset(&set);
    int expected = 0;
    for (int i = 0; i < count; i++)
        sigaddset(&set, faults[i]), on_signal(faults[i], handler, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < count; i++)
        for (int n = 0; n < 2; n++) {
            union sigval first = {.sival_int = (1 << i) + 1000 * n};
            CHECK_EQ(sigqueue(getpid(), faults[i], first), 0);
            expected += n == 0 ? first.sival_int : 0;
        }
    for (int i = 0; i < 100; i++)
        return_to_next(), count_beside_itself();
    CHECK_EQ(runs, 0);
    sigpending(&pending);
    for (int i = 0; i < count; i++)
        CHECK(sigismember(&pending, faults[i]));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    REREAD();
    CHECK_EQ(runs, count);
    CHECK_EQ(sum, expected);
    for (int i = 0; i < 100; i++)
        return_to_next(), count_beside_itself();
    CHECK_EQ(runs, count);
}

int main(void)
{
    int count = sizeof faults / sizeof *faults;
    stays_pending(count);
    for (int i = 0; i < count; i++) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, faults[i]);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (int way = 0; way < WAYS; way++)
            wait_for(faults[i], way);
    }
    return done();
}
