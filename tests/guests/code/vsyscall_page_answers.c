// build: -O1
// The old vsyscall addresses behave as this kernel is configured: an answer or a fault at that address.
#include "check.h"
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile long rip, address;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    rip = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    address = (long)info->si_addr;
    siglongjmp(back, 1);
}

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    struct timeval here, there;
    if (sigsetjmp(back, 1) == 0) {
        int (*timeofday)(struct timeval *, void *) = (void *)0xffffffffff600000;
        long (*seconds)(long *) = (void *)0xffffffffff600400;
        CHECK_EQ(timeofday(&there, NULL), 0);
        CHECK_EQ(gettimeofday(&here, NULL), 0);
        CHECK(here.tv_sec - there.tv_sec <= 1);
        CHECK(seconds(NULL) - there.tv_sec <= 2);
        puts("answers");
    } else {
        printf("fault at %lx, address %lx\n", rip, address);
    }
    if (sigsetjmp(back, 1) == 0) {
        volatile char byte = *(volatile char *)0xffffffffff600000;
        printf("readable %x\n", byte & 0xff);
    } else {
        puts("not readable");
    }
    return done();
}
