// build: -O1
// Code that runs up to a page's end, over it into a mapped page, and into one that is not mapped: the
// fault comes at the exact address, after everything before it took effect.
#include "generated.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile long fault_address, fault_rip, fault_rax;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    fault_address = (long)info->si_addr;
    fault_rip = regs[REG_RIP];
    fault_rax = regs[REG_RAX];
    siglongjmp(back, 1);
}

static void expect_fault(unsigned char *at, long rip, long address)
{
    fault_rip = 0;
    if (sigsetjmp(back, 1) == 0) {
        call(at);
        CHECK(!"code ran beyond its page");
    }
    CHECK_EQ(fault_rip, rip);
    CHECK_EQ(fault_address, address);
}

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    unsigned char *code = pages(3, RWX), *second = code + 4096;
    put(second - 6, 5); /* the ret is the page's last byte */
    CHECK_EQ(munmap(second, 4096), 0);
    CHECK_EQ(call(second - 6), 5);
    /* mov $7, %eax at the end: it runs, then fetching the next one faults. */
    unsigned char *mapped = mmap(second, 4096, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK_EQ(mapped, second);
    put(second - 5, 7);
    CHECK_EQ(call(second - 5), 7);
    CHECK_EQ(munmap(second, 4096), 0);
    expect_fault(second - 5, (long)second, (long)second);
    CHECK_EQ(fault_rax, 7);
    /* An instruction that straddles the end faults at its start with the address of the missing page. */
    second[-2] = 0xb8, second[-1] = 1;
    expect_fault(second - 2, (long)second - 2, (long)second);
    /* A page that may not be executed. */
    CHECK_EQ(mmap(second, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), second);
    memset(second, 0x90, 64);
    second[64] = 0xc3;
    expect_fault(second - 2, (long)second - 2, (long)second);
    second[-2] = 0x90, second[-1] = 0x90;
    expect_fault(second - 2, (long)second, (long)second);
    /* The same code works once it may, and fails again once it may not. */
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(mprotect(second, 4096, RX), 0);
        call(second - 2);
        CHECK_EQ(mprotect(second, 4096, PROT_READ), 0);
        expect_fault(second - 2, (long)second, (long)second);
    }
    CHECK_EQ(mprotect(code, 4096, PROT_NONE), 0);
    expect_fault(code, (long)code, (long)code);
    /* A conditional branch whose one side is missing harms only when taken. */
    CHECK_EQ(mprotect(code, 4096, RWX), 0);
    static const unsigned char branch[] = {0x31, 0xc0, 0x85, 0xc0, 0x0f, 0x85, 0xf4, 0x1f, 0, 0, 0xc3};
    memcpy(code, branch, sizeof branch);
    CHECK_EQ(munmap(code + 8192, 4096), 0);
    CHECK_EQ(call(code), 0);
    static const unsigned char taken[] = {0xb8, 1, 0, 0, 0, 0x85, 0xc0, 0x0f, 0x85, 0xf3, 0x1f, 0, 0, 0xc3};
    memcpy(code, taken, sizeof taken);
    expect_fault(code, (long)code + 8192, (long)code + 8192);
    return done();
}
