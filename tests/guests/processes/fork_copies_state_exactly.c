// build: -O1
// After fork: shared offsets, private memory, pending signals and timers cleared, masks, actions and
// alternate stack kept, locks and mappings by kind.
#include "check.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }

int main(void)
{
    int file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644), status;
    CHECK_EQ(write(file, "0123456789", 10), 10);
    lseek(file, 0, SEEK_SET);
    volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    volatile int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile int *wiped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile char *absent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(madvise((void *)wiped, 4096, MADV_WIPEONFORK), 0);
    CHECK_EQ(madvise((void *)absent, 4096, MADV_DONTFORK), 0);
    *private = *wiped = 5;
    on_signal(SIGUSR1, handler, SA_RESTART);
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536}, seen;
    sigaltstack(&stack, NULL);
    sigset_t set, now;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    struct itimerval timer = {{0, 0}, {1000, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        char bytes[4];
        CHECK_EQ(read(file, bytes, 4), 4);
        CHECK_EQ(getppid(), parent);
        CHECK_EQ(RAW0(SYS_getppid), parent);
        CHECK(getpid() != parent);
        sigpending(&now);
        CHECK(!sigismember(&now, SIGUSR1));
        sigprocmask(SIG_SETMASK, NULL, &now);
        CHECK(sigismember(&now, SIGUSR1));
        struct sigaction action;
        sigaction(SIGUSR1, NULL, &action);
        CHECK(action.sa_sigaction == handler);
        CHECK(action.sa_flags & SA_RESTART);
        sigaltstack(NULL, &seen);
        CHECK_EQ(seen.ss_sp, stack.ss_sp);
        getitimer(ITIMER_REAL, &timer);
        CHECK_EQ(timer.it_value.tv_sec, 0);
        CHECK_EQ(*wiped, 0);
        unsigned char vector;
        CHECK_EQ(mincore((void *)absent, 4096, &vector), -1);
        *shared = 9;
        *private = 6;
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    char bytes[4];
    CHECK_EQ(read(file, bytes, 4), 4);
    CHECK_EQ(memcmp(bytes, "4567", 4), 0);
    CHECK_EQ(*shared, 9);
    CHECK_EQ(*private, 5);
    CHECK_EQ(*wiped, 5);
    *absent = 1;
    sigpending(&now);
    CHECK(sigismember(&now, SIGUSR1));
    getitimer(ITIMER_REAL, &timer);
    CHECK(timer.it_value.tv_sec > 0);
    return done();
}
