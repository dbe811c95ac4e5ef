// build[fixed]: -O1 -no-pie
// build[pie]: -O1 -fPIE -pie
// cpuid, as patched, answers for every leaf and every CPU as the instruction does; upper halves become zero, everything else stays.
#include "enter.h"
#include <sched.h>

FUNCTION(queried, "cpuid\nret")
FUNCTION(queried_numbered, "mov $1, %eax\ncpuid\nret")
FUNCTION(queried_then, "jmp 1f\n1: cpuid\nxchg %rbp, %rsi\nxchg %rbp, %rsi\nret")
FUNCTION(queried_twice, "cpuid\nmov $0, %eax\nxor %ecx, %ecx\ncpuid\nret")
FUNCTION(queried_and_called, "cpuid\nmov $110, %eax\nsyscall\ncpuid\nret")
FUNCTION(queried_table, ".rept 32\ncpuid\nret\n.endr")
extern char queried[], queried_numbered[], queried_then[], queried_table[], queried_twice[];

static uint64_t seed = 4711;
static struct registers now;

static void ask(const void *pc, unsigned leaf, unsigned sub)
{
    struct registers before;
    fill(&before, &seed);
    before.gpr[RAX] = (before.gpr[RAX] & ~0xffffffffUL) | leaf;
    before.gpr[RCX] = (before.gpr[RCX] & ~0xffffffffUL) | sub;
    now = before;
    enter(&now, pc);
    CHECK_EQ((now.gpr[RAX] | now.gpr[RBX] | now.gpr[RCX] | now.gpr[RDX]) >> 32, 0);
    for (int i = 4; i < 16; i++)
        CHECK_EQ(now.gpr[i], before.gpr[i]);
    if (pc != (void *)queried_twice)
        CHECK_EQ(now.flags, before.flags);
}

static void print(const char *what, unsigned leaf, unsigned sub)
{
    printf("%s %x.%x %lx %lx %lx %lx\n", what, leaf, sub, now.gpr[RAX], now.gpr[RBX], now.gpr[RCX], now.gpr[RDX]);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    cpu_set_t all, one;
    CPU_ZERO(&all);
    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
        ask(queried, 1, 0);
        printf("cpu %d has APIC id %lx\n", cpu, now.gpr[RBX] >> 24);
        ask(queried, 0xb, 0);
        printf("cpu %d has x2APIC id %lx\n", cpu, now.gpr[RDX]);
        for (unsigned leaf = 0; leaf <= 0x20; leaf++)
            for (unsigned sub = 0; sub < 4; sub++) {
                /* Monitoring counts differ from time to time. */
                if (leaf == 0xf || leaf == 0x10)
                    continue;
                ask(queried, leaf, sub);
                print("leaf", leaf, sub);
                struct registers first = now;
                ask(queried_then, leaf, sub);
                CHECK_EQ(memcmp(first.gpr, now.gpr, 4 * 8), 0);
                ask(queried_table + 3 * ((leaf * 4 + sub) % 32), leaf, sub);
                CHECK_EQ(memcmp(first.gpr, now.gpr, 4 * 8), 0);
            }
    }
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    static const unsigned others[] = {0x21, 0x24, 0x100, 0x3fffffff, 0x40000000, 0x40000001, 0x40000010, 0x7fffffff, 0x80000000,
                                      0x80000001, 0x80000002, 0x80000003, 0x80000004, 0x80000005, 0x80000006, 0x80000007,
                                      0x80000008, 0x80000009, 0x8000001e, 0x80860000, 0xc0000000, 0xffffffff};
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        for (unsigned sub = 0; sub < 2; sub++) {
            ask(queried, others[i], sub);
            print("leaf", others[i], sub);
            ask(queried_twice, others[i], sub);
            print("then", 0, 0);
        }
    for (int i = 0; i < 100; i++) {
        ask(queried_numbered, 77, 0);
        CHECK_EQ(now.gpr[RAX] & 0xff00, now.gpr[RAX] & 0xff00);
        ask(queried_numbered + 5, 0, 0);
        CHECK(now.gpr[RBX] != 0);
    }
    return done();
}
