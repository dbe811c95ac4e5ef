// build: -O1
// A filter that traps a call (SECCOMP_RET_TRAP) raises a SIGSYS that cannot be blocked or ignored: who does, or is in its
// handler already, ends by it (kernel/signal.c, force_sig_info); a handler takes it otherwise, also after it was blocked.
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static volatile int traps, number;

static void trap(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    traps++;
    number = info->si_syscall;
    CHECK_EQ(info->si_code, 1); /* SYS_SECCOMP */
    CHECK_EQ(info->si_errno, 77);
}

static void trap_again(int signal, siginfo_t *info, void *context)
{
    trap(signal, info, context);
    syscall(SYS_vhangup);
    _exit(97);
}

static void filter(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_vhangup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 77),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog given = {sizeof program / sizeof *program, program};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &given), 0);
}

static sigset_t only(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

static void blocked(void)
{
    sigset_t set = only(SIGSYS);
    on_signal(SIGSYS, trap, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void ignored(void) { signal(SIGSYS, SIG_IGN); }

static void by_default(void) { signal(SIGSYS, SIG_DFL); }

static void both(void)
{
    blocked();
    ignored();
}

static void in_its_handler(void) { on_signal(SIGSYS, trap_again, 0); }

/* One that was sent is pending when the filter raises another. */
static void blocked_and_pending(void)
{
    blocked();
    raise(SIGSYS);
}

static void taken(void) { on_signal(SIGSYS, trap, 0); }

static void taken_again(void)
{
    sigset_t set = only(SIGSYS);
    blocked();
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int status_of(void (*prepare)(void))
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        prepare();
        filter();
        for (int i = 1; i <= 3; i++) {
            syscall(SYS_vhangup);
            REREAD();
            CHECK_EQ(traps, i);
            CHECK_EQ(number, SYS_vhangup);
        }
        _exit(3);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

int main(void)
{
    void (*const deadly[])(void) = {blocked, ignored, by_default, both, in_its_handler, blocked_and_pending};
    for (unsigned i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        int status = status_of(deadly[i]);
        CHECK(WIFSIGNALED(status));
        CHECK_EQ(WTERMSIG(status), SIGSYS);
    }
    CHECK_EQ(status_of(taken), 3 << 8);
    CHECK_EQ(status_of(taken_again), 3 << 8);
    return done();
}
