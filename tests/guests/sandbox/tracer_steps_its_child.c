// build: -O1
// native: tracer_steps_its_child
// A program that traces: its child is stepped, read, changed and continued like any process. The child runs
// natively, for its tracer would otherwise see the translator.
#include "check.h"
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static long wait_stop(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSTOPPED(status));
    return WSTOPSIG(status) | status >> 16 << 8;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        raw(SYS_getpid, 1, 2, 3, 0, 0, 0);
        long result = raw(SYS_getppid, 0, 0, 0, 0, 0, 0);
        return result == 4242 ? 9 : 1;
    }
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
        char *next[] = {argv[0], "traced", NULL};
        execv(argv[0], next);
        _exit(1);
    }
    CHECK_EQ(wait_stop(child), SIGTRAP);
    struct user_regs_struct regs, after;
    CHECK_EQ(ptrace(PTRACE_GETREGS, child, NULL, &regs), 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        CHECK_EQ(wait_stop(child), SIGTRAP);
        CHECK_EQ(ptrace(PTRACE_GETREGS, child, NULL, &after), 0);
    }
    CHECK(after.rip != regs.rip);
    errno = 0;
    long word = ptrace(PTRACE_PEEKTEXT, child, after.rip, NULL);
    CHECK_EQ(errno, 0);
    CHECK_EQ(ptrace(PTRACE_POKETEXT, child, after.rip, word), 0);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD), 0);
    for (int entry = 1;; entry = !entry) {
        CHECK_EQ(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            CHECK_EQ(WEXITSTATUS(status), 9);
            break;
        }
        CHECK_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
        CHECK_EQ(ptrace(PTRACE_GETREGS, child, NULL, &regs), 0);
        if (!entry && regs.orig_rax == SYS_getppid) {
            regs.rax = 4242;
            CHECK_EQ(ptrace(PTRACE_SETREGS, child, NULL, &regs), 0);
        }
    }
    return done();
}
