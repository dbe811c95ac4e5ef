// build: -O1
// The trap flag reports the steps that it reports natively: after each element of a string instruction and each turn of a
// loop, after breakpoints, and around interrupt returns that set it, clear it or keep it. Each line lists where.
#include "check.h"
#include <ucontext.h>

#define MOST 200

static volatile long steps[MOST];
static volatile int count, breakpoints[MOST];

static void step(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    if (count < MOST) {
        steps[count] = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
        breakpoints[count] = info->si_code == SI_KERNEL;
        count++;
    }
}

#define TRAPS_ON "pushfq\norl $0x100, (%rsp)\npopfq\n"
#define TRAPS_OFF "pushfq\nandl $~0x100, (%rsp)\npopfq\nret\n"
#define FUNCTION(name, text)                                                                       \
    __asm__(".text\n.globl " #name "\n" #name ": " text TRAPS_OFF);                                \
    extern char name[];
/* A frame for iretq to label 1, whose flags are changed by `change`. */
#define RETURN_FRAME(change)                                                                       \
    "mov %rsp, %rdx\nmov %ss, %eax\npush %rax\npush %rdx\npushfq\n" change                         \
    "mov %cs, %eax\npush %rax\nlea 1f(%rip), %rax\npush %rax\niretq\nnop\n1: nop\nnop\n"

__asm__(".data\nstep_buffer: .skip 64\n");
FUNCTION(strings, TRAPS_ON "lea step_buffer(%rip), %rdi\nlea step_buffer+16(%rip), %rsi\nmov $5, %ecx\nrep movsb\n"
                           "xor %ecx, %ecx\nrep movsb\nmov $3, %ecx\nrep stosb\nmov $4, %ecx\nrepe cmpsb\nnop\n")
FUNCTION(loops, TRAPS_ON "mov $4, %ecx\n1: nop\nloop 1b\nmov $3, %ecx\n2: dec %ecx\njrcxz 3f\njmp 2b\n"
                         "3: mov $5, %ecx\nor %ecx, %ecx\n4: loopne 4b\nnop\n")
FUNCTION(breaks, TRAPS_ON "nop\nint3\nnop\nint3\nint3\nnop\n")
FUNCTION(returns_kept, TRAPS_ON RETURN_FRAME(""))
FUNCTION(returns_cleared, TRAPS_ON RETURN_FRAME("andl $~0x100, (%rsp)\n"))
FUNCTION(returns_set, RETURN_FRAME("orl $0x100, (%rsp)\n"))
FUNCTION(far_returns, TRAPS_ON "mov %cs, %eax\npush %rax\nlea 1f(%rip), %rax\npush %rax\nlretq\nnop\n1: nop\n")
FUNCTION(branches, TRAPS_ON "nop\ncall 5f\nnop\njmp 6f\n5: ret\n6: push %rax\nlea 7f(%rip), %rax\njmp *%rax\nnop\n"
                            "7: pop %rax\ncpuid\nrdtsc\nnop\n")

static void run(const char *name, char *code)
{
    count = 0;
    __asm__ volatile("sub $256, %%rsp\ncall *%0\nadd $256, %%rsp"
                     : : "r"(code)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
    printf("%s:", name);
    for (int i = 0; i < count; i++)
        printf(" %ld%s", steps[i] - (long)code, breakpoints[i] ? "b" : "");
    puts("");
}

#define RUN(name) run(#name, name)

int main(void)
{
    on_signal(SIGTRAP, step, 0);
    for (int round = 0; round < 3; round++) {
        RUN(strings);
        RUN(loops);
        RUN(breaks);
        RUN(returns_kept);
        RUN(returns_cleared);
        RUN(returns_set);
        RUN(far_returns);
        RUN(branches);
    }
    return done();
}
