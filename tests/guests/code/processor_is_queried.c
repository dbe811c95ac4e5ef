// build: -O1
// cpuid by leaf is the CPU's own, rdtsc and rdtscp move forward, xgetbv matches, rdpid names a CPU,
// rdrand gives bits, a transaction commits or aborts.
#include "check.h"
#include <cpuid.h>
#include <sched.h>

int main(void)
{
    unsigned a, b, c, d;
    /* One CPU: some leaves differ from CPU to CPU. */
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    sched_setaffinity(0, sizeof set, &set);
    for (unsigned leaf = 0; leaf <= 0x1d; leaf++)
        for (unsigned sub = 0; sub < 3; sub++) {
            __cpuid_count(leaf, sub, a, b, c, d);
            if (leaf == 0xf || leaf == 0x10)
                continue;
            printf("%x.%x %08x %08x %08x %08x\n", leaf, sub, a, b, c, d);
        }
    for (unsigned leaf = 0x80000000; leaf <= 0x80000008; leaf++) {
        __cpuid(leaf, a, b, c, d);
        printf("%x %08x %08x %08x %08x\n", leaf, a, b, c, d);
    }
    uint64_t rbx = ~0UL, rax = ~0UL << 32, rcx = ~0UL << 32, rdx = ~0UL;
    __asm__ volatile("cpuid" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx));
    CHECK((rax | rbx | rcx | rdx) >> 32 == 0);
    uint64_t last = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t low, high, aux = 0;
        if (i % 2)
            __asm__ volatile("lfence\nrdtsc" : "=a"(low), "=d"(high));
        else
            __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
        CHECK((low | high) >> 32 == 0);
        CHECK((high << 32 | low) >= last);
        last = high << 32 | low;
        CHECK_EQ(aux & 0xfff, 0);
    }
    __cpuid(1, a, b, c, d);
    if (c & bit_OSXSAVE) {
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        printf("xcr0 %x %x\n", high, low);
    }
    if (c & bit_RDRND) {
        uint64_t bits = 0, value;
        for (int i = 0; i < 20; i++) {
            unsigned char good;
            __asm__ volatile("rdrand %0\nsetc %1" : "=r"(value), "=q"(good));
            if (good)
                bits |= value;
        }
        CHECK(bits != 0);
    }
    __cpuid_count(7, 0, a, b, c, d);
    if (b & bit_RTM) {
        int finished = 0;
        for (int i = 0; i < 1000; i++) {
            unsigned status = ~0U;
            __asm__ volatile("xbegin 1f\nxend\n1:" : "+a"(status) : : "memory");
            finished++;
        }
        unsigned status = ~0U;
        __asm__ volatile("xbegin 1f\nxabort $0x5a\n1:" : "+a"(status) : : "memory");
        CHECK(status != ~0U);
        CHECK_EQ(finished, 1000);
    }
    /* With NT set, with which no interrupt return works in user mode (Intel SDM vol. 2, IRET). */
    uint64_t flags;
    __asm__ volatile("sub $128, %%rsp\npushfq\norl $0x4000, (%%rsp)\npopfq\nxor %%eax, %%eax\nxor %%ecx, %%ecx\ncpuid\n"
                     "pushfq\npop %%rsi\npushfq\nandl $~0x4000, (%%rsp)\npopfq\nadd $128, %%rsp"
                     : "=S"(flags) : : "rax", "rbx", "rcx", "rdx", "cc", "memory");
    CHECK(flags & 0x4000);
    if (c & 1 << 22) {
        uint64_t cpu;
        __asm__ volatile("rdpid %0" : "=r"(cpu));
        CHECK_EQ(cpu & 0xfff, 0);
    }
    return done();
}
