// build: -O2
// siglongjmp out of handlers, many times, restores registers, stack and mask.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    siglongjmp(back, signal);
}

__attribute__((noinline)) static int deep(int depth, volatile int *where)
{
    if (depth == 0)
        return *where;
    return deep(depth - 1, where) + 1;
}

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    on_signal(SIGFPE, handler, SA_NODEFER);
    volatile int segv = 0, fpe = 0;
    for (volatile int round = 0; round < 20000; round++) {
        int caught = sigsetjmp(back, 1);
        if (caught == 0) {
            if (round % 2 == 0)
                deep(round % 50, (volatile int *)8);
            else
                __asm__ volatile("xor %%ecx, %%ecx\nmov $1, %%eax\ncltd\nidiv %%ecx" : : : "rax", "rcx", "rdx");
            CHECK(!"the fault did not happen");
        }
        if (caught == SIGSEGV)
            segv = segv + 1;
        else if (caught == SIGFPE)
            fpe = fpe + 1;
        sigset_t mask;
        sigprocmask(SIG_SETMASK, NULL, &mask);
        CHECK(sigisemptyset(&mask));
    }
    printf("%d %d\n", segv, fpe);
    return done();
}
