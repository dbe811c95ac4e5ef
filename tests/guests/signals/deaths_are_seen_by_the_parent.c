// build: -O1
// Each signal's default action as waitpid sees it: death, stop or nothing; also by a fault, by a blocked
// fault, by a fault whose handler cannot be entered, and by abort.
#include "check.h"
#include <sys/mman.h>
#include <sys/wait.h>

static void show(const char *what, int number, pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    if (WIFSTOPPED(status)) {
        printf("%s %d: stopped by %d\n", what, number, WSTOPSIG(status));
        kill(child, SIGKILL);
        CHECK_EQ(waitpid(child, &status, 0), child);
    } else if (WIFSIGNALED(status)) {
        printf("%s %d: killed by %d\n", what, number, WTERMSIG(status));
    } else {
        printf("%s %d: exit %d\n", what, number, WEXITSTATUS(status));
    }
}

static void never(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    _exit(9);
}

int main(void)
{
    for (int signal = 1; signal < 65; signal++) {
        pid_t child = fork();
        if (child == 0) {
            raw(SYS_kill, getpid(), signal, 0, 0, 0, 0);
            _exit(3);
        }
        show("signal", signal, child);
    }
    for (int kind = 0; kind < 8; kind++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            sigset_t all;
            sigfillset(&all);
            int *null = NULL;
            __asm__ volatile("" : "+r"(null));
            switch (kind) {
            case 0:
                *null = 1;
                break;
            case 1: /* blocked and handled: the fault kills nevertheless */
                on_signal(SIGSEGV, never, 0);
                sigprocmask(SIG_BLOCK, &all, NULL);
                *null = 1;
                break;
            case 2: /* ignored: the fault kills nevertheless */
                signal(SIGSEGV, SIG_IGN);
                *null = 1;
                break;
            case 3: /* no stack for the handler */
                on_signal(SIGUSR1, never, 0);
                __asm__ volatile("mov $8, %%esp\nmov $39, %%eax\nsyscall\nmov %%eax, %%edi\nmov $10, %%esi\nmov $62, %%eax\nsyscall" : : : "memory");
                break;
            case 4: {
                int zero = 0;
                __asm__ volatile("idivl %0" : : "r"(zero) : "rax", "rdx");
                break;
            }
            case 5:
                __asm__ volatile("ud2");
                break;
            case 6:
                abort();
            case 7: /* a frame that is none */
                __asm__ volatile("mov %0, %%rsp\nmov $15, %%eax\nsyscall" : : "r"(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4096) : "memory");
                break;
            }
            _exit(3);
        }
        show("kind", kind, child);
    }
    return done();
}
