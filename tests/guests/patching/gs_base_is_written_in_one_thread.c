// build: -O1 -pthread
// One thread writes its gs base by the instruction, if it may, and uses it, while others make calls of their own, and take signals.
#include "beside.h"
#include <sys/auxv.h>

FUNCTION(write_gs, "wrgsbase %rdi\nret")
FUNCTION(read_gs, "rdgsbase %rax\nret")
void write_gs(uint64_t);
uint64_t read_gs(void);

static void *uses_gs(void *argument)
{
    (void)argument;
    static uint64_t areas[2] = {0x1122334455667788, 0x99aabbccddeeff00};
    for (int i = 0; i < 2000; i++) {
        uint64_t base = 1;
        write_gs((uint64_t)&areas[i % 2]);
        CHECK_EQ(from_gs(), areas[i % 2]);
        CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_GET_GS, &base), 0);
        CHECK_EQ(base, &areas[i % 2]);
        CHECK_EQ(read_gs(), &areas[i % 2]);
        CHECK_EQ(numbered(), pid);
        CHECK_EQ(passed(), parent);
        CHECK_EQ(from_gs(), areas[i % 2]);
        if (i % 10 == 0) {
            CHECK_EQ(RAW3(SYS_tgkill, pid, RAW0(SYS_gettid), SIGUSR1), 0);
            CHECK_EQ(from_gs(), areas[i % 2]);
        }
    }
    write_gs(0);
    CHECK_EQ(numbered(), pid);
    return NULL;
}

int main(void)
{
    /* HWCAP2_FSGSBASE */
    if (getauxval(AT_HWCAP2) & 2)
        run_beside(uses_gs);
    return done();
}
