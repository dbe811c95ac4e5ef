// build: -O1
// The kernel's own sigaction structure reads back as it was written, restorer and flags included.
#include "check.h"

struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};

int main(void)
{
    for (int signal = 1; signal < 65; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP)
            continue;
        struct kernel_action set = {(void *)0x1234567, SA_SIGINFO | SA_NODEFER | SA_ONSTACK | 0x04000000UL,
                                    (void *)0x7654321, 0xdeadbeefUL << 8};
        struct kernel_action got;
        memset(&got, 0xff, sizeof got);
        CHECK_EQ(RAW4(SYS_rt_sigaction, signal, &set, &got, 8), 0);
        printf("%d: %p %lx %p %lx, ", signal, got.handler, got.flags, got.restorer, got.mask);
        CHECK_EQ(RAW4(SYS_rt_sigaction, signal, NULL, &got, 8), 0);
        printf("%p %lx %p %lx\n", got.handler, got.flags, got.restorer, got.mask);
    }
    /* Unknown flag bits are cleared so that programs can probe for support. */
    struct kernel_action probe = {SIG_IGN, 0x400 | 0x40000 | 0x04000000UL, 0, ~0UL}, got;
    CHECK_EQ(RAW4(SYS_rt_sigaction, SIGUSR1, &probe, NULL, 8), 0);
    CHECK_EQ(RAW4(SYS_rt_sigaction, SIGUSR1, NULL, &got, 8), 0);
    printf("%lx %lx\n", got.flags, got.mask);
    return done();
}
