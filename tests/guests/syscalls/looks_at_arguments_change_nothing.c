// build: -O1
// The calls whose arguments a runtime looks at without taking them over: paths, commands of fcntl, requests of ioctl, signal masks. Odd ones among them give what they
// give natively, at the ends of pages, under signals, and with all registers kept.
#include "../check.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

/* long call_and_compare(number, a, b, c, d, unsigned long *wrong): what a call keeps holds its value after it; *wrong is not 0 otherwise. */
long call_and_compare(long number, long a, long b, long c, long d, unsigned long *wrong);
__asm__("call_and_compare:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r9\n"
        "mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov %rcx, %rdx\n mov %r8, %r10\n"
        "mov $0x1111, %ebx\n mov $0x2222, %ebp\n mov $0x3333, %r12d\n mov $0x7777, %r8d\n mov $0x8888, %r9d\n"
        "push %rdi\n push %rsi\n push %rdx\n push %r10\n"
        "stc\n"
        "syscall\n"
        "mov $0, %r11d\n"
        "adc $-1, %r11\n" /* 0 if the carry was kept */
        "pop %rcx\n xor %rcx, %r10\n or %r10, %r11\n"
        "pop %rcx\n xor %rcx, %rdx\n or %rdx, %r11\n"
        "pop %rcx\n xor %rcx, %rsi\n or %rsi, %r11\n"
        "pop %rcx\n xor %rcx, %rdi\n or %rdi, %r11\n"
        "xor $0x1111, %rbx\n or %rbx, %r11\n xor $0x2222, %rbp\n or %rbp, %r11\n xor $0x3333, %r12\n or %r12, %r11\n"
        "xor $0x7777, %r8\n or %r8, %r11\n xor $0x8888, %r9\n or %r9, %r11\n"
        "pop %r9\n mov %r11, (%r9)\n"
        "pop %r12\n pop %rbp\n pop %rbx\n"
        "ret\n");

static long look(long number, long a, long b, long c, long d)
{
    unsigned long wrong = 1;
    long result = call_and_compare(number, a, b, c, d, &wrong);
    CHECK_EQ(wrong, 0);
    return result;
}

#define SHOW(call) printf("%s = %ld\n", #call, (long)(call))

static volatile sig_atomic_t ticks;
static void on_alarm(int signal) { (void)signal, ticks++; }
static volatile sig_atomic_t interrupted;
static void on_user(int signal) { (void)signal, interrupted++; }

static void paths(char *end)
{
    struct stat st;
    char link[64];
    /* Paths of every length at the end of a page that nothing follows, and some that are cut off. */
    static const char *const all[] = {"", ".", "..", "/", "/p", "/pr", "/pro", "/proc", "/proc/self/stat", "exe", "exes", "ex", "/etc/passwd", "/none"};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        long length = (long)strlen(all[i]) + 1;
        char *at = end - length;
        memcpy(at, all[i], (size_t)length);
        printf("%s: %ld %ld %ld %ld %ld\n", all[i], look(SYS_stat, (long)at, (long)&st, 0, 0), look(SYS_access, (long)at, R_OK, 0, 0),
               look(SYS_newfstatat, AT_FDCWD, (long)at, (long)&st, 0), look(SYS_faccessat, AT_FDCWD, (long)at, F_OK, 0),
               look(SYS_readlink, (long)at, (long)link, sizeof link, 0) < 0);
    }
    memset(end - 3, 'x', 3);
    SHOW(look(SYS_stat, (long)end - 3, (long)&st, 0, 0));
    SHOW(look(SYS_stat, (long)end, (long)&st, 0, 0));
    SHOW(look(SYS_access, 0, 0, 0, 0));
    SHOW(look(SYS_access, 1, 0, 0, 0));
    SHOW(look(SYS_access, -1, 0, 0, 0));
    SHOW(look(SYS_newfstatat, AT_FDCWD, 0x800000000000L, (long)&st, 0));
    SHOW(look(SYS_stat, (long)"/etc/passwd", 1, 0, 0));
    /* The program's own file. */
    long length = look(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)link, sizeof link);
    CHECK(length > 0);
}

/* Descriptors that come and go by the calls themselves. */
static void opens(char *end)
{
    strcpy(end - 12, "/etc/passwd");
    char byte[2];
    for (int k = 0; k < 3; k++) {
        long first = look(SYS_open, (long)end - 12, O_RDONLY, 0, 0), second = look(SYS_openat, AT_FDCWD, (long)end - 12, O_RDONLY, 0);
        CHECK(second > first);
        CHECK_EQ(RAW3(SYS_read, first, byte, 1), 1);
        CHECK_EQ(RAW3(SYS_read, second, byte + 1, 1), 1);
        CHECK_EQ(byte[0], byte[1]);
        CHECK_EQ(look(SYS_close, first, 0, 0, 0), 0);
        CHECK_EQ(look(SYS_close, first, 0, 0, 0), -EBADF);
        CHECK_EQ(look(SYS_openat, AT_FDCWD, (long)end - 12, O_RDONLY, 0), first);
        CHECK_EQ(look(SYS_close, 0x100000000L + first, 0, 0, 0), 0); /* only 32 bits count */
        CHECK_EQ(look(SYS_close, second, 0, 0, 0), 0);
    }
    SHOW(look(SYS_close, -1, 0, 0, 0));
    SHOW(look(SYS_close, 255, 0, 0, 0));
    SHOW(look(SYS_close, 256, 0, 0, 0));
    SHOW(look(SYS_close, 70000, 0, 0, 0));
    SHOW(look(SYS_openat, -1, (long)"none", O_RDONLY, 0));
    SHOW(look(SYS_openat, AT_FDCWD, 1, O_RDONLY, 0));
    SHOW(look(SYS_open, (long)"/none", O_RDONLY, 0, 0));
    /* Far above those that a byte can number. */
    long fd = look(SYS_open, (long)"/etc/passwd", O_RDONLY, 0, 0), copies[300];
    for (int k = 0; k < 300; k++)
        CHECK((copies[k] = look(SYS_open, (long)"/etc/passwd", O_RDONLY, 0, 0)) > (k ? copies[k - 1] : fd));
    for (int k = 0; k < 300; k++)
        CHECK_EQ(look(SYS_close, copies[k], 0, 0, 0), 0);
    CHECK_EQ(look(SYS_close, fd, 0, 0, 0), 0);
    /* The kernel restarts an open that waits for a pipe's other end. */
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        struct timespec moment = {0, 30000000};
        for (int k = 0; k < 5; k++) {
            nanosleep(&moment, NULL);
            kill(getppid(), SIGUSR2);
        }
        _exit(close(open("fifo", O_WRONLY)) ? 1 : 0);
    }
    fd = look(SYS_openat, AT_FDCWD, (long)"fifo", O_RDONLY, 0);
    CHECK(fd >= 0);
    CHECK_EQ(look(SYS_close, fd, 0, 0, 0), 0);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    /* A signal that comes while the one before is handled may be one with it. */
    CHECK(interrupted >= 1 && interrupted <= 5);
    CHECK_EQ(unlink("fifo"), 0);
}

static void commands(void)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    struct flock lock = {.l_type = F_WRLCK};
    SHOW(look(SYS_fcntl, fds[0], F_GETFD, 0, 0));
    SHOW(look(SYS_fcntl, fds[0], F_SETFD, FD_CLOEXEC, 0));
    SHOW(look(SYS_fcntl, fds[0], F_GETFD, 0, 0));
    SHOW(look(SYS_fcntl, fds[0], F_GETFL, 0, 0));
    SHOW(look(SYS_fcntl, fds[0], F_SETFL, O_NONBLOCK, 0));
    SHOW(look(SYS_fcntl, fds[0], F_GETFL, 0, 0));
    char byte;
    SHOW(RAW3(SYS_read, fds[0], &byte, 1));
    int waiting = -1;
    SHOW(look(SYS_ioctl, fds[0], FIONREAD, (long)&waiting, 0));
    SHOW(waiting);
    SHOW(look(SYS_ioctl, fds[0], FIONREAD, 1, 0));
    SHOW(look(SYS_ioctl, fds[0], 0x1234567800005401, 1, 0));
    SHOW(look(SYS_ioctl, fds[0], FIONBIO, (long)&waiting, 0));
    SHOW(look(SYS_ioctl, fds[0], 0x8933, (long)&waiting, 0));
    SHOW(look(SYS_ioctl, fds[0], 0xae01, (long)&waiting, 0));
    SHOW(look(SYS_ioctl, -1, FIONREAD, (long)&waiting, 0));
    SHOW(look(SYS_fcntl, fds[0], F_SETLK, (long)&lock, 0));
    SHOW(look(SYS_fcntl, fds[0], F_GETLK, 1, 0));
    SHOW(look(SYS_fcntl, -1, F_GETFD, 0, 0));
    SHOW(look(SYS_fcntl, 70000, F_GETFD, 0, 0));
    SHOW(look(SYS_fcntl, fds[0], 0x100 + F_GETFD, 0, 0));
    SHOW(look(SYS_fcntl, fds[0], -1, 0, 0));
    SHOW(look(SYS_fcntl, 0x100000000L + fds[0], 0x100000000L + F_GETFD, 0, 0)); /* only 32 bits count */
    long copy = look(SYS_fcntl, fds[0], F_DUPFD, 20, 0);
    CHECK(copy >= 20);
    SHOW(look(SYS_fcntl, copy, F_GETFD, 0, 0));
    SHOW(look(SYS_close, copy, 0, 0, 0));
    SHOW(look(SYS_fcntl, copy, F_GETFD, 0, 0));
    close(fds[0]);
    close(fds[1]);
}

static void masks(char *end)
{
    uint64_t set, old, *edge = (uint64_t *)(end - 8);
    for (int signal = 1; signal <= 64; signal++) {
        *edge = 1ULL << (signal - 1);
        CHECK_EQ(look(SYS_rt_sigprocmask, SIG_BLOCK, (long)edge, (long)&old, 8), 0);
        CHECK_EQ(old, 0);
        CHECK_EQ(look(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&set, 8), 0);
        CHECK_EQ(set, signal == SIGKILL || signal == SIGSTOP ? 0 : *edge);
        *edge = 0;
        CHECK_EQ(look(SYS_rt_sigprocmask, SIG_SETMASK, (long)edge, (long)&old, 8), 0);
        CHECK_EQ(old, set);
    }
    *edge = 1ULL << (SIGUSR1 - 1) | 1ULL << (SIGSEGV - 1);
    CHECK_EQ(look(SYS_rt_sigprocmask, SIG_BLOCK, (long)edge, 0, 8), 0);
    set = 1ULL << (SIGUSR1 - 1);
    CHECK_EQ(look(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&set, (long)&old, 8), 0);
    CHECK_EQ(old, *edge);
    CHECK_EQ(look(SYS_rt_sigprocmask, SIG_UNBLOCK, 0, (long)&old, 8), 0);
    CHECK_EQ(old, 1ULL << (SIGSEGV - 1));
    set = 0;
    CHECK_EQ(look(SYS_rt_sigprocmask, SIG_SETMASK, (long)&set, 0, 8), 0);
    SHOW(look(SYS_rt_sigprocmask, 3, (long)&set, 0, 8));
    SHOW(look(SYS_rt_sigprocmask, 3, 0, (long)&old, 8));
    SHOW(look(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, 0, 4));
    SHOW(look(SYS_rt_sigprocmask, SIG_BLOCK, 1, 0, 8));
    SHOW(look(SYS_rt_sigprocmask, SIG_BLOCK, (long)end - 4, 0, 8));
    SHOW(look(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, 1, 8));
}

int main(void)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(munmap(pages + 4096, 4096), 0);
    char *end = pages + 4096;
    paths(end);
    struct sigaction user = {.sa_handler = on_user, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGUSR2, &user, NULL), 0);
    opens(end);
    commands();
    masks(end);
    /* The same under signals, without a word. */
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    struct stat st;
    uint64_t usr = 1ULL << (SIGUSR1 - 1), old;
    while (ticks < 300) {
        CHECK_EQ(look(SYS_access, (long)"/etc/passwd", F_OK, 0, 0), 0);
        CHECK_EQ(look(SYS_newfstatat, AT_FDCWD, (long)"/none", (long)&st, 0), -ENOENT);
        CHECK_EQ(look(SYS_fcntl, 1, F_GETFD, 0, 0), 0);
        CHECK_EQ(look(SYS_rt_sigprocmask, SIG_BLOCK, (long)&usr, (long)&old, 8), 0);
        CHECK_EQ(old, 0);
        CHECK_EQ(look(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&usr, (long)&old, 8), 0);
        CHECK_EQ(old, usr);
        CHECK_EQ(look(SYS_access, 1, F_OK, 0, 0), -EFAULT);
        long fd = look(SYS_openat, AT_FDCWD, (long)"/etc/passwd", O_RDONLY, 0);
        CHECK(fd > 2);
        CHECK_EQ(look(SYS_close, fd, 0, 0, 0), 0);
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    return done();
}
