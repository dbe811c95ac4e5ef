// build: -O1
// seccomp: a filter that allows all and one that answers for some calls with errno, a trap or death; the
// program's calls are what the filter sees, also in children and after exec.
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static volatile int trapped;
static volatile long trapped_at, trapped_number;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    CHECK_EQ(info->si_code, 1); /* SYS_SECCOMP */
    trapped++;
    trapped_at = (long)info->si_call_addr;
    trapped_number = info->si_syscall;
    CHECK_EQ(info->si_errno, 55);
    CHECK_EQ(info->si_arch, AUDIT_ARCH_X86_64);
}

static void install(struct sock_filter *code, unsigned short length)
{
    struct sock_fprog program = {length, code};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define IF(number, result) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, result)
#define ELSE(result) BPF_STMT(BPF_RET | BPF_K, result)
#define COUNT(array) (sizeof array / sizeof array[0])

int main(int argc, char **argv)
{
    if (argc > 1) {
        CHECK_EQ(RAW0(SYS_getppid), -77);
        puts("the filter outlives exec");
        return 0;
    }
    CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
    int status;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        RAW3(SYS_write, 1, "strict\n", 7);
        RAW0(SYS_getpid);
        _exit(1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WTERMSIG(status), SIGKILL);
    struct sock_filter all[] = {ELSE(SECCOMP_RET_ALLOW)};
    install(all, COUNT(all));
    CHECK_EQ(RAW0(SYS_getpid), getpid());
    on_signal(SIGSYS, handler, 0);
    struct sock_filter some[] = {
        NUMBER,
        IF(SYS_getppid, SECCOMP_RET_ERRNO | 77),
        IF(SYS_sched_yield, SECCOMP_RET_TRAP | 55),
        IF(SYS_getuid, SECCOMP_RET_KILL_PROCESS),
        ELSE(SECCOMP_RET_ALLOW),
    };
    install(some, COUNT(some));
    CHECK_EQ(RAW0(SYS_getppid), -77);
    CHECK_EQ(RAW0(SYS_gettid), getpid());
    long after, result;
    __asm__ volatile("lea 1f(%%rip), %1\nmov %1, %%rbx\nsyscall\n1: mov %%rbx, %1" : "=a"(result), "=&r"(after) : "a"(SYS_sched_yield) : "rcx", "r11", "rbx", "memory");
    CHECK_EQ(trapped, 1);
    CHECK_EQ(trapped_number, SYS_sched_yield);
    CHECK_EQ(trapped_at, after);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        CHECK_EQ(RAW0(SYS_getppid), -77);
        RAW0(SYS_getuid);
        _exit(1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WTERMSIG(status), SIGSYS);
    child = fork();
    if (child == 0) {
        char *next[] = {argv[0], "again", NULL};
        execv(argv[0], next);
        _exit(1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    return done();
}
