// build: -O1
// Near branches with an operand size prefix: Intel's CPUs ignore it, others cut rip to 16 bits, so the
// test runs them on Intel only.
#include "check.h"
#include <cpuid.h>

int main(void)
{
    unsigned a, b, c, d;
    __cpuid(0, a, b, c, d);
    if (b != 0x756e6547) {
        puts("not Intel");
        return 0;
    }
    long result;
    __asm__ volatile("xor %%eax, %%eax\n"
                     ".byte 0x66, 0x74, 1f - 2f\n2: ud2\n1: inc %%eax\n"
                     : "=a"(result) : : "cc");
    CHECK_EQ(result, 1);
    __asm__ volatile("xor %%eax, %%eax\n.byte 0x66, 0xe9\n.long 1f - 2f\n2: ud2\n1: inc %%eax\n" : "=a"(result) : : "cc");
    CHECK_EQ(result, 1);
    __asm__ volatile("sub $128, %%rsp\nxor %%eax, %%eax\n.byte 0x66, 0xe8\n.long 1f - 2f\n2: jmp 3f\n1: inc %%eax\n.byte 0x66, 0xc3\n3: add $128, %%rsp"
                     : "=a"(result) : : "cc", "memory");
    CHECK_EQ(result, 1);
    return done();
}
