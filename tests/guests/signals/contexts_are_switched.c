// build: -O1
// makecontext, swapcontext, setcontext: coroutines keep their stacks, registers and masks.
#include "check.h"
#include <ucontext.h>

static ucontext_t main_context, workers[3];
static char stacks[3][65536];
static uint64_t sums[3];

static void work(int which, int step)
{
    uint64_t local = (uint64_t)which;
    for (int i = 0; i < 10000; i++) {
        local = local * 31 + (uint64_t)(i * step);
        sums[which] = local;
        CHECK_EQ(swapcontext(&workers[which], which == 2 ? &main_context : &workers[which + 1]), 0);
        CHECK_EQ(sums[which], local);
    }
}

int main(void)
{
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(getcontext(&workers[i]), 0);
        workers[i].uc_stack.ss_sp = stacks[i];
        workers[i].uc_stack.ss_size = sizeof stacks[i];
        workers[i].uc_link = &main_context;
        if (i == 1)
            sigaddset(&workers[i].uc_sigmask, SIGUSR1);
        makecontext(&workers[i], (void (*)(void))work, 2, i, i + 3);
    }
    for (int i = 0; i < 10000; i++) {
        CHECK_EQ(swapcontext(&main_context, &workers[0]), 0);
        sigset_t mask;
        sigprocmask(SIG_SETMASK, NULL, &mask);
        CHECK(!sigismember(&mask, SIGUSR1));
    }
    printf("%lx %lx %lx\n", sums[0], sums[1], sums[2]);
    return done();
}
