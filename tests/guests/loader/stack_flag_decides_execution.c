// build[executable]: -O1 -z execstack -DEXPECTED=7
// build[plain]: -O1 -z noexecstack -DEXPECTED=-1
// Code on the stack runs only when the image asks for an executable stack.
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static void *fault_address;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    fault_address = info->si_addr;
    CHECK_EQ(info->si_code, SEGV_ACCERR);
    siglongjmp(back, 1);
}

int main(void)
{
    volatile unsigned char code[16] = {0xb8, 7, 0, 0, 0, 0xc3}; /* mov $7, %eax; ret */
    on_signal(SIGSEGV, handler, 0);
    int result = -1;
    if (sigsetjmp(back, 1) == 0)
        result = ((int (*)(void))(uintptr_t)code)();
    else
        CHECK_EQ(fault_address, code);
    CHECK_EQ(result, EXPECTED);
    return done();
}
