// build: -O1
// A page that is written and executed and holds a call: its code changes itself, and instructions that no CPU knows or
// that fault in it raise what they raise anywhere.
#include "../code/generated.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile long fault_at;
static volatile int fault_signal, fault_code;

static void fault(int signal, siginfo_t *info, void *context)
{
    fault_signal = signal;
    fault_code = info->si_code;
    fault_at = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(back, 1);
}

static void raises(unsigned char *code, int signal, int si_code)
{
    fault_signal = 0;
    if (sigsetjmp(back, 1) == 0)
        call(code);
    CHECK_EQ(fault_signal, signal);
    CHECK_EQ(fault_code, si_code);
    CHECK_EQ(fault_at, code);
}

static unsigned char *page_with(const void *code, size_t length)
{
    /* mov $39, %eax; syscall; ret */
    static const unsigned char asks[] = {0xb8, 39, 0, 0, 0, 0x0f, 5, 0xc3};
    unsigned char *page = pages(2, RW);
    CHECK_EQ(munmap(page + 4096, 4096), 0);
    memcpy(page, asks, sizeof asks);
    memcpy(page + 100, code, length);
    CHECK_EQ(mprotect(page, 4096, RWX), 0);
    CHECK_EQ(call(page), getpid());
    return page;
}

int main(void)
{
    /* movb $42, 1(%rip) changes the next instruction; mov $1, %eax; ret */
    static const unsigned char own[] = {0xc6, 0x05, 0x01, 0, 0, 0, 42, 0xb8, 1, 0, 0, 0, 0xc3};
    unsigned char *page = page_with(own, sizeof own);
    for (int i = 0; i < 300; i++) {
        page[108] = 1;
        CHECK_EQ(call(page + 100), 42);
        CHECK_EQ(call(page), getpid());
    }
    page[1] = 110;
    CHECK_EQ(call(page), getppid());
    on_signal(SIGILL, fault, SA_NODEFER);
    on_signal(SIGSEGV, fault, SA_NODEFER);
    for (int i = 0; i < 3; i++) {
        page = page_with("\x06", 1);
        raises(page + 100, SIGILL, ILL_ILLOPN);
        page[100] = 0xf4; /* hlt */
        raises(page + 100, SIGSEGV, SI_KERNEL);
        CHECK_EQ(call(page), getpid());
        /* On the last bytes of the page, into the next, which is not there. */
        page[4095] = 0x0f;
        raises(page + 4095, SIGSEGV, SEGV_MAPERR);
        CHECK_EQ(munmap(page, 4096), 0);
    }
    return done();
}
