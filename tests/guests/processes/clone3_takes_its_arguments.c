// build: -O1
// clone3: exit signal, pidfd, parent and child tids, stack, TLS and CLONE_CLEAR_SIGHAND.
#include "check.h"
#include <linux/sched.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>

static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }

static long clone3(struct clone_args *arguments) { return RAW2(SYS_clone3, arguments, sizeof *arguments); }

int main(void)
{
    int pidfd = -1, parent_tid = 0;
    volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    on_signal(SIGUSR1, handler, 0);
    signal(SIGUSR2, SIG_IGN);
    struct clone_args arguments = {
        .flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)&pidfd,
        .parent_tid = (uintptr_t)&parent_tid,
        .child_tid = (uintptr_t)&shared[1],
        .exit_signal = SIGCHLD,
    };
    long child = clone3(&arguments);
    if (child == 0) {
        struct sigaction action;
        sigaction(SIGUSR1, NULL, &action);
        CHECK(action.sa_handler == SIG_DFL);
        sigaction(SIGUSR2, NULL, &action);
        CHECK(action.sa_handler == SIG_IGN);
        CHECK_EQ(shared[1], RAW0(SYS_getpid));
        _exit(11);
    }
    CHECK(child > 0);
    CHECK_EQ(parent_tid, child);
    struct pollfd wanted = {.fd = pidfd, .events = POLLIN};
    CHECK_EQ(poll(&wanted, 1, -1), 1);
    siginfo_t info;
    CHECK_EQ(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
    CHECK_EQ(info.si_pid, child);
    CHECK_EQ(info.si_status, 11);

    /* A stack of its own, shared memory, another exit signal. */
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = CLONE_VM | CLONE_VFORK | CLONE_SETTLS;
    arguments.stack = (uintptr_t)stack;
    arguments.stack_size = 65536;
    arguments.exit_signal = SIGUSR1;
    static uint64_t tls[64];
    tls[5] = 0x77;
    arguments.tls = (uintptr_t)tls;
    shared[2] = 0;
    register long r8 __asm__("r8") = (long)shared;
    __asm__ volatile("mov $435, %%eax\nsyscall\ntest %%rax, %%rax\njnz 1f\n"
                     "mov %%fs:40, %%rax\nmov %%eax, 8(%%r8)\nmov %%rsp, 16(%%r8)\n"
                     "mov $60, %%eax\nmov $9, %%edi\nsyscall\n1:"
                     : "=a"(child) : "D"(&arguments), "S"(sizeof arguments), "r"(r8) : "rcx", "r11", "memory");
    CHECK(child > 0);
    CHECK_EQ(shared[2], 0x77);
    CHECK_EQ(*(long *)&shared[4], stack + 65536);
    int status;
    CHECK_EQ(waitpid((pid_t)child, &status, 0), -1); /* not a SIGCHLD child */
    CHECK_EQ(waitpid((pid_t)child, &status, __WCLONE), child);
    CHECK_EQ(WEXITSTATUS(status), 9);

    /* A stack where no program can have one. */
    for (int shares = 0; shares < 2; shares++) {
        arguments.flags = shares ? CLONE_VM | CLONE_VFORK : 0;
        arguments.stack = 0xfffffffffffff000;
        CHECK_EQ(clone3(&arguments), -EINVAL);
        arguments.stack = 0xffff800000000000;
        CHECK_EQ(clone3(&arguments), -EINVAL);
    }
    arguments.stack = (uintptr_t)stack;
    arguments.flags = CLONE_SIGHAND;
    CHECK_EQ(clone3(&arguments), -EINVAL);
    arguments.flags = 0;
    arguments.exit_signal = 200;
    CHECK_EQ(clone3(&arguments), -EINVAL);
    CHECK_EQ(RAW2(SYS_clone3, &arguments, 1 << 20), -E2BIG);
    return done();
}
