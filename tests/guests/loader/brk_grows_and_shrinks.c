// build[pie]: -O1
// build[static]: -O1 -static
// The program break moves both ways; memory comes back zeroed, what was given back faults.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
extern char end[];

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    siglongjmp(back, info->si_code == SEGV_MAPERR ? 1 : 2);
}

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    char *start = (char *)RAW1(SYS_brk, 0);
    CHECK(start >= end);
    char *top = (char *)RAW1(SYS_brk, start + 0x5000);
    CHECK_EQ(top - start, 0x5000);
    for (int i = 0; i < 0x5000; i++)
        CHECK_EQ(start[i], 0);
    memset(start, 0x5a, 0x5000);
    /* An unaligned break is kept as it is. */
    CHECK_EQ((char *)RAW1(SYS_brk, start + 0x2123) - start, 0x2123);
    CHECK_EQ(start[0x2122], 0x5a);
    char *first_free = (char *)(((uintptr_t)start + 0x2123 + 0xfff) & ~0xfffUL);
    int caught = sigsetjmp(back, 1);
    if (caught == 0) {
        *(volatile char *)first_free = 1;
        CHECK(!"a page above the break was writable");
    }
    CHECK_EQ(caught, 1);
    CHECK_EQ((char *)RAW1(SYS_brk, start + 0x5000) - start, 0x5000);
    for (char *byte = first_free; byte < start + 0x5000; byte++)
        CHECK_EQ(*byte, 0);
    /* Impossible requests return the break unchanged. */
    CHECK_EQ(RAW1(SYS_brk, 4096), start + 0x5000);
    CHECK_EQ(RAW1(SYS_brk, 0x7fffffff0000), start + 0x5000);
    CHECK_EQ(RAW1(SYS_brk, start), start);
    CHECK(sbrk(100 << 20) != (void *)-1);
    memset(start, 1, 100 << 20);
    CHECK(sbrk(-(100 << 20)) != (void *)-1);
    return done();
}
