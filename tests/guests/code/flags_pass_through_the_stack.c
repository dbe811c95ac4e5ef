// build: -O1
// pushf, popf, lahf, sahf, std and AC: flags are kept exactly; TF single-steps the program itself.
#include "check.h"
#include <ucontext.h>

static volatile int steps, alignment;
static volatile greg_t trail[64];

static void step(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (signal == SIGBUS) {
        CHECK_EQ(info->si_code, BUS_ADRALN);
        alignment++;
        regs[REG_EFL] &= ~0x40000LL;
        return;
    }
    CHECK_EQ(info->si_code, TRAP_TRACE);
    CHECK_EQ(info->si_addr, regs[REG_RIP]);
    if (steps < 64)
        trail[steps++] = regs[REG_RIP];
}

int main(void)
{
    for (int bits = 0; bits < 256; bits++) {
        uint64_t set = 0x202 | (uint64_t)(bits & 1) | (uint64_t)(bits & 2) << 1 | (uint64_t)(bits & 4) << 2 | (uint64_t)(bits & 8) << 3 |
                       (uint64_t)(bits & 16) << 3 | (uint64_t)(bits & 32) << 6 | (uint64_t)(bits & 64) << 4 | (uint64_t)(bits & 128) << 11;
        uint64_t got, after_call;
        __asm__ volatile("sub $128, %%rsp\npush %2\npopfq\npushfq\npop %0\nmov $39, %%eax\nsyscall\npushfq\npop %1\npush $0x202\npopfq\nadd $128, %%rsp"
                         : "=&r"(got), "=&r"(after_call) : "r"(set) : "rax", "rcx", "r11", "memory", "cc");
        CHECK_EQ(got, set);
        CHECK_EQ(after_call, set);
        unsigned char low = (unsigned char)set, loaded;
        __asm__ volatile("mov %1, %%ah\nsahf\nmov $0, %%ah\nlahf\nmov %%ah, %0" : "=m"(loaded) : "m"(low) : "rax", "cc");
        CHECK_EQ(loaded, low);
    }
    /* IOPL and IF cannot be changed and are silently kept. */
    uint64_t flags;
    __asm__ volatile("sub $128, %%rsp\npush $0x3202\npopfq\npushfq\npop %0\npush $0x2\npopfq\npushfq\nadd %0, (%%rsp)\npop %0\nadd $128, %%rsp" : "=&r"(flags) : : "memory", "cc");
    CHECK_EQ(flags, 0x404);
    char from[64], to[64];
    for (int i = 0; i < 64; i++)
        from[i] = (char)i;
    char *source = from + 63, *target = to + 63;
    long count = 64;
    __asm__ volatile("std\nrep movsb\ncld" : "+S"(source), "+D"(target), "+c"(count) : : "memory", "cc");
    CHECK_EQ(memcmp(from, to, 64), 0);
    CHECK_EQ(source, from - 1);

    on_signal(SIGTRAP, step, 0);
    on_signal(SIGBUS, step, 0);
    extern char traced[], traced_end[];
    __asm__ volatile("sub $128, %%rsp\npushfq\norq $0x100, (%%rsp)\npopfq\n"
                     "traced: nop\nmov $3, %%ecx\n1: dec %%ecx\njnz 1b\n"
                     "call 2f\njmp 3f\n2: ret\n3:\n"
                     "mov $39, %%eax\nsyscall\n"
                     "pushfq\nandq $~0x100, (%%rsp)\npopfq\ntraced_end: nop\nadd $128, %%rsp"
                     : : : "rax", "rcx", "r11", "memory", "cc");
    printf("%d steps:", steps);
    for (int i = 0; i < steps; i++)
        printf(" %ld", (long)(trail[i] - (greg_t)traced));
    printf(" of %ld\n", (long)(traced_end - traced));
    /* Alignment checks. */
    long words[2] = {0};
    __asm__ volatile("sub $128, %%rsp\npushfq\norq $0x40000, (%%rsp)\npopfq\nmov 1(%0), %%eax\npushfq\nandq $~0x40000, (%%rsp)\npopfq\nadd $128, %%rsp"
                     : : "r"(words) : "rax", "memory", "cc");
    CHECK_EQ(alignment, 1);
    return done();
}
