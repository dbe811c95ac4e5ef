// build: -O1 -pthread
// One thread sets its gs base and uses it, while others make calls of their own, and take signals.
#include "beside.h"

static void *uses_gs(void *argument)
{
    (void)argument;
    static uint64_t areas[2] = {0x1122334455667788, 0x99aabbccddeeff00};
    for (int i = 0; i < 2000; i++) {
        uint64_t base = 1;
        CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_SET_GS, &areas[i % 2]), 0);
        CHECK_EQ(from_gs(), areas[i % 2]);
        CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_GET_GS, &base), 0);
        CHECK_EQ(base, &areas[i % 2]);
        CHECK_EQ(numbered(), pid);
        CHECK_EQ(passed(), parent);
        CHECK_EQ(from_gs(), areas[i % 2]);
        if (i % 10 == 0) {
            CHECK_EQ(RAW3(SYS_tgkill, pid, RAW0(SYS_gettid), SIGUSR1), 0);
            CHECK_EQ(from_gs(), areas[i % 2]);
        }
    }
    CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_SET_GS, 0), 0);
    CHECK_EQ(numbered(), pid);
    return NULL;
}

int main(void)
{
    run_beside(uses_gs);
    return done();
}
