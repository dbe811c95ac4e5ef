// build: -O1
// calls: equal
// Each call gets a bad pointer, descriptor or flag; the table of answers is compared with the native one.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define SHOW(call) printf("%s = %ld\n", #call, (long)(call))

static int pipes[2], file;
/* A page, the address after it, where nothing is, and the last four bytes before that. */
static char *page, *bad, *edge;

static void files_and_times(void)
{
    SHOW(RAW3(SYS_read, pipes[0], bad, 3));
    SHOW(RAW3(SYS_pread64, file, bad, 3));
    SHOW(RAW4(SYS_pread64, file, edge, 10, 0)); /* stops where the page ends */
    SHOW(RAW3(SYS_write, pipes[1], bad, 1));
    SHOW(RAW3(SYS_write, pipes[1], edge, 100));
    SHOW(RAW3(SYS_read, 9999, page, 1));
    SHOW(RAW3(SYS_read, file, page, -1));
    SHOW(RAW3(SYS_open, bad, 0, 0));
    SHOW(RAW3(SYS_open, edge, 0, 0));
    SHOW(RAW3(SYS_open, "", 0, 0));
    SHOW(RAW4(SYS_openat, 9999, "relative", 0, 0));
    SHOW(RAW2(SYS_stat, bad, page));
    SHOW(RAW2(SYS_stat, "data", bad));
    SHOW(RAW2(SYS_fstat, file, bad));
    SHOW(RAW2(SYS_fstat, file, page + 4000));
    SHOW(RAW1(SYS_pipe, bad));
    SHOW(RAW2(SYS_pipe2, page, 0x7fffffff));
    SHOW(RAW2(SYS_getcwd, bad, 100));
    SHOW(RAW2(SYS_getcwd, page, 1));
    SHOW(RAW1(SYS_uname, bad));
    SHOW(RAW1(SYS_uname, page + 4000));
    SHOW(RAW2(SYS_gettimeofday, bad, 0));
    SHOW(RAW2(SYS_clock_gettime, 0, bad));
    SHOW(RAW2(SYS_clock_gettime, 99, page));
    SHOW(RAW2(SYS_clock_getres, 1, bad));
    SHOW(RAW2(SYS_clock_getres, 99, 0));
    SHOW(RAW2(SYS_nanosleep, bad, 0));
    struct timespec wrong = {0, 1000000000};
    SHOW(RAW2(SYS_nanosleep, &wrong, 0));
}

static void signals(void)
{
    SHOW(RAW4(SYS_rt_sigaction, SIGUSR1, bad, 0, 8));
    SHOW(RAW4(SYS_rt_sigaction, SIGUSR1, 0, bad, 8));
    SHOW(RAW4(SYS_rt_sigaction, SIGUSR1, 0, page, 7));
    SHOW(RAW4(SYS_rt_sigaction, 0, 0, page, 8));
    SHOW(RAW4(SYS_rt_sigaction, 65, 0, page, 8));
    SHOW(RAW4(SYS_rt_sigaction, SIGKILL, 0, page, 8));
    memset(page, 0, 64);
    SHOW(RAW4(SYS_rt_sigaction, SIGKILL, page, 0, 8));
    SHOW(RAW4(SYS_rt_sigaction, SIGSTOP, page, 0, 8));
    SHOW(RAW4(SYS_rt_sigprocmask, 0, bad, 0, 8));
    SHOW(RAW4(SYS_rt_sigprocmask, 0, 0, bad, 8));
    SHOW(RAW4(SYS_rt_sigprocmask, 9, page, 0, 8));
    SHOW(RAW4(SYS_rt_sigprocmask, 0, page, 0, 4));
    SHOW(RAW2(SYS_rt_sigpending, bad, 8));
    SHOW(RAW2(SYS_rt_sigsuspend, bad, 8));
    SHOW(RAW2(SYS_rt_sigsuspend, page, 9));
    SHOW(RAW4(SYS_rt_sigtimedwait, bad, 0, 0, 8));
    SHOW(RAW2(SYS_sigaltstack, bad, 0));
    SHOW(RAW2(SYS_sigaltstack, 0, bad));
    stack_t stack = {.ss_sp = page, .ss_size = 100};
    SHOW(RAW2(SYS_sigaltstack, &stack, 0));
    stack.ss_size = 4096, stack.ss_flags = 77;
    SHOW(RAW2(SYS_sigaltstack, &stack, 0));
    SHOW(RAW2(SYS_kill, getpid(), 65));
    SHOW(RAW2(SYS_kill, 0x7ffffff0, 0));
    SHOW(RAW3(SYS_tgkill, getpid(), 0x7ffffff0, 0));
    SHOW(RAW3(SYS_tgkill, -1, 1, 0));
    SHOW(RAW6(SYS_futex, bad, 0, 0, 0, 0, 0));
    SHOW(RAW6(SYS_futex, page + 1, 1, 1, 0, 0, 0));
    SHOW(RAW6(SYS_futex, page, 0, 1, 0, 0, 0));
    SHOW(RAW6(SYS_futex, page, 99, 1, 0, 0, 0));
}

static void memory_and_processes(void)
{
    SHOW(RAW4(SYS_wait4, -1, 0, 0, 0));
    SHOW(RAW4(SYS_wait4, -1, 0, 0x12345678, 0));
    SHOW(RAW6(SYS_mmap, 0, 0, 3, 0x22, -1, 0));
    SHOW(RAW6(SYS_mmap, 0, 4096, 3, 0x20, -1, 0));
    SHOW(RAW6(SYS_mmap, 0, 4096, 3, 2, 9999, 0));
    SHOW(RAW6(SYS_mmap, 0, 4096, 3, 2, file, 1));
    SHOW(RAW6(SYS_mmap, 0x1001, 4096, 3, 0x32, -1, 0));
    SHOW(RAW6(SYS_mmap, 0, -4096L, 3, 0x22, -1, 0));
    SHOW(RAW2(SYS_munmap, page + 1, 4096));
    SHOW(RAW2(SYS_munmap, page, 0));
    SHOW(RAW3(SYS_mprotect, page + 1, 4096, 3));
    SHOW(RAW3(SYS_mprotect, bad, 4096, 3));
    SHOW(RAW3(SYS_mprotect, page, 4096, 0x7000));
    SHOW(RAW6(SYS_mremap, bad, 4096, 8192, 1, 0, 0));
    SHOW(RAW6(SYS_mremap, page, 4096, 0, 1, 0, 0));
    SHOW(RAW6(SYS_mremap, page, 4096, 8192, 2, 0, 0));
    SHOW(RAW3(SYS_madvise, bad, 4096, 4));
    SHOW(RAW3(SYS_madvise, page, 4096, 12345));
    SHOW(RAW2(SYS_arch_prctl, 0x1003, bad));
    SHOW(RAW2(SYS_arch_prctl, 0x1002, 1L << 60));
    SHOW(RAW2(SYS_arch_prctl, 0x9999, 0));
    SHOW(RAW6(SYS_clone, 0x10000, 0, 0, 0, 0, 0)); /* CLONE_THREAD without CLONE_SIGHAND */
    SHOW(RAW6(SYS_clone, 0x800, 0, 0, 0, 0, 0));   /* CLONE_SIGHAND without CLONE_VM */
    SHOW(RAW2(SYS_clone3, bad, 64));
    SHOW(RAW2(SYS_clone3, page, 8));
}

static void waiting_and_the_rest(void)
{
    SHOW(RAW3(SYS_poll, bad, 1, 0));
    SHOW(RAW6(SYS_select, 1, bad, 0, 0, 0, 0));
    SHOW(RAW6(SYS_epoll_wait, 9999, page, 1, 0, 0, 0));
    SHOW(RAW3(SYS_socket, 9999, 1, 0));
    SHOW(RAW3(SYS_connect, file, page, 16));
    SHOW(RAW3(SYS_ioctl, file, 0x5401, page));
    SHOW(RAW3(SYS_fcntl, file, 9999, 0));
    SHOW(RAW3(SYS_lseek, file, -1, 0));
    SHOW(RAW3(SYS_lseek, pipes[0], 0, 0));
    SHOW(RAW2(SYS_dup2, file, -1));
    SHOW(RAW3(SYS_dup3, file, file, 0));
    SHOW(RAW3(SYS_close_range, 10, 5, 0));
    SHOW(RAW3(SYS_readv, file, bad, 1));
    SHOW(RAW3(SYS_writev, file, page, 5000));
    SHOW(RAW3(SYS_getrandom, bad, 8, 0));
    SHOW(RAW3(SYS_getrandom, page, 8, 0x100));
    SHOW(RAW2(SYS_set_robust_list, page, 1));
    SHOW(RAW3(SYS_getitimer, 9, page, 0));
    SHOW(RAW3(SYS_setitimer, 0, bad, 0));
    SHOW(RAW6(SYS_prctl, 9999, 0, 0, 0, 0, 0));
    SHOW(RAW2(SYS_getrlimit, 99, page));
    SHOW(RAW2(SYS_getrlimit, 7, bad));
}

int main(void)
{
    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(write(pipes[1], "abc", 3), 3);
    page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(munmap(page + 4096, 4096), 0);
    bad = page + 4096, edge = page + 4092;
    memcpy(edge, "abcd", 4);
    file = open("data", O_RDWR | O_CREAT, 0644);
    CHECK_EQ(write(file, "0123456789", 10), 10);
    files_and_times();
    signals();
    memory_and_processes();
    waiting_and_the_rest();
    return done();
}
