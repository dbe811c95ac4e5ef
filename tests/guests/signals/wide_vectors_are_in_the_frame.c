// build: -O1
// The signal frame holds the xsave area of the size the kernel announces; upper halves of ymm and zmm
// and the mask registers are in it, survive the handler and can be changed there.
#include "check.h"
#include <cpuid.h>
#include <ucontext.h>

static unsigned char before[64] __attribute__((aligned(64))), after[64] __attribute__((aligned(64)));
static unsigned ymm_offset, zmm_offset, mask_offset;
static int change;
static volatile int runs;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    ucontext_t *state = context;
    unsigned char *area = (unsigned char *)state->uc_mcontext.fpregs;
    uint32_t *software = (uint32_t *)(area + 464);
    CHECK_EQ(software[0], 0x46505853); /* FP_XSTATE_MAGIC1 */
    uint32_t extended = software[1], size = software[4];
    CHECK(extended >= size + 4);
    CHECK_EQ(*(uint32_t *)(area + size), 0x46505845); /* FP_XSTATE_MAGIC2 */
    CHECK_EQ((uintptr_t)area % 64, 0);
    CHECK_EQ(memcmp(area + 160 + 16 * 5, before, 16), 0);
    CHECK_EQ(memcmp(area + ymm_offset + 16 * 5, before + 16, 16), 0);
    if (zmm_offset)
        CHECK_EQ(memcmp(area + zmm_offset + 32 * 5, before + 32, 32), 0);
    if (change) {
        memset(area + ymm_offset + 16 * 5, 0x77, 16);
        if (zmm_offset) {
            memset(area + zmm_offset + 32 * 5, 0x66, 32);
            *(uint64_t *)(area + mask_offset + 8 * 3) ^= 0xffff;
        }
    }
    /* A handler that uses vectors must not disturb the program's. */
    __asm__ volatile("vpcmpeqd %%ymm5, %%ymm5, %%ymm5" : : : "xmm5");
    runs++;
}

static unsigned component(unsigned number)
{
    unsigned a, b, c, d;
    __cpuid_count(0xd, number, a, b, c, d);
    return b;
}

int main(void)
{
    if (!__builtin_cpu_supports("avx")) {
        puts("no AVX");
        return 0;
    }
    int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    ymm_offset = component(2);
    if (wide)
        zmm_offset = component(6), mask_offset = component(5);
    for (int i = 0; i < 64; i++)
        before[i] = (unsigned char)(i * 3 + 1);
    on_signal(SIGUSR1, handler, 0);
    for (change = 0; change < 2; change++) {
        long result, pid = getpid();
        uint64_t mask = 0x5555;
        if (wide)
            __asm__ volatile("vmovdqu64 (%1), %%zmm5\nkmovq %3, %%k3\nmov $10, %%esi\nmov $62, %%eax\nsyscall\nvmovdqu64 %%zmm5, (%2)\nkmovq %%k3, %3\nvzeroupper"
                             : "=&a"(result) : "r"(before), "r"(after), "r"(mask), "D"(pid) : "rcx", "r11", "rsi", "memory", "xmm5");
        else
            __asm__ volatile("vmovdqu (%1), %%ymm5\nmov $10, %%esi\nmov $62, %%eax\nsyscall\nvmovdqu %%ymm5, (%2)\nvzeroupper"
                             : "=&a"(result) : "r"(before), "r"(after), "D"(pid) : "rcx", "r11", "rsi", "memory", "xmm5");
        CHECK_EQ(result, 0);
        CHECK_EQ(runs, change + 1);
        CHECK_EQ(memcmp(after, before, 16), 0);
        for (int i = 16; i < 32; i++)
            CHECK_EQ(after[i], change ? 0x77 : before[i]);
        for (int i = 32; wide && i < 64; i++)
            CHECK_EQ(after[i], change ? 0x66 : before[i]);
    }
    return done();
}
