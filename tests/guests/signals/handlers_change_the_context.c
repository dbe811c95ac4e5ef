// build: -O2
// What a handler writes into its ucontext is what the program continues with: general registers,
// flags, rip, vector registers, MXCSR, x87 state and the signal mask.
#include "check.h"
#include <ucontext.h>

static void change(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    ucontext_t *state = context;
    greg_t *regs = state->uc_mcontext.gregs;
    static const int all[] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
                              REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        CHECK_EQ(regs[all[i]], (greg_t)(0x1000 + i));
        regs[all[i]] = (greg_t)(0x2000 + i);
    }
    CHECK_EQ(regs[REG_EFL] & 0xcd5, 0x801); /* OF CF */
    regs[REG_EFL] = (regs[REG_EFL] & ~0xcd5LL) | 0xc4; /* SF ZF PF */
    regs[REG_RIP] += 2;
    struct _libc_fpstate *fp = state->uc_mcontext.fpregs;
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 4; j++) {
            CHECK_EQ(fp->_xmm[i].element[j], (unsigned)(i * 0x01010101));
            fp->_xmm[i].element[j] = (unsigned)((i + 100) * 0x01010101);
        }
    CHECK_EQ(fp->mxcsr, 0x1f80);
    fp->mxcsr = 0x3f80;
    CHECK_EQ(fp->cwd, 0x37f);
    fp->cwd = 0xb7f;
    sigaddset(&state->uc_sigmask, SIGUSR2);
}

/* Named by the assembly below only as far as the compiler can see. */
#define KEPT static __attribute__((used))
KEPT uint64_t out[16];
KEPT unsigned char vectors[16 * 16] __attribute__((aligned(16)));
KEPT unsigned mxcsr;
KEPT unsigned short control;
KEPT uint64_t saved_rbp, saved_rbx;

#define EACH(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define FILL(n) "mov $(" #n " * 0x01010101), %%eax\nmovd %%eax, %%xmm" #n "\npshufd $0, %%xmm" #n ", %%xmm" #n "\n"
#define KEEP(n) "movaps %%xmm" #n ", vectors+16*" #n "(%%rip)\n"

int main(void)
{
    on_signal(SIGILL, change, 0);
    __asm__ volatile(
        EACH(FILL)
        "mov %%rbp, saved_rbp(%%rip)\nmov %%rbx, saved_rbx(%%rip)\n"
        "mov $0x7fffffff, %%eax\nadd $1, %%eax\nstc\n" /* OF, CF and more */
        "pushq $0xa03\npopfq\n"
        "mov $0x1000, %%rax\nmov $0x1001, %%rbx\nmov $0x1002, %%rcx\nmov $0x1003, %%rdx\n"
        "mov $0x1004, %%rsi\nmov $0x1005, %%rdi\nmov $0x1006, %%rbp\nmov $0x1007, %%r8\n"
        "mov $0x1008, %%r9\nmov $0x1009, %%r10\nmov $0x100a, %%r11\nmov $0x100b, %%r12\n"
        "mov $0x100c, %%r13\nmov $0x100d, %%r14\nmov $0x100e, %%r15\n"
        "ud2\n"
        "mov %%rax, out(%%rip)\nmov %%rbx, 8+out(%%rip)\nmov %%rcx, 16+out(%%rip)\nmov %%rdx, 24+out(%%rip)\n"
        "mov %%rsi, 32+out(%%rip)\nmov %%rdi, 40+out(%%rip)\nmov %%rbp, 48+out(%%rip)\nmov %%r8, 56+out(%%rip)\n"
        "mov %%r9, 64+out(%%rip)\nmov %%r10, 72+out(%%rip)\nmov %%r11, 80+out(%%rip)\nmov %%r12, 88+out(%%rip)\n"
        "mov %%r13, 96+out(%%rip)\nmov %%r14, 104+out(%%rip)\nmov %%r15, 112+out(%%rip)\n"
        "pushfq\npopq 120+out(%%rip)\n"
        "mov saved_rbp(%%rip), %%rbp\nmov saved_rbx(%%rip), %%rbx\n"
        EACH(KEEP) "stmxcsr mxcsr(%%rip)\nfnstcw control(%%rip)\nfninit\n"
        : : : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc",
        "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
        "xmm13", "xmm14", "xmm15");
    unsigned usual = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(usual));
    for (int i = 0; i < 15; i++)
        CHECK_EQ(out[i], 0x2000 + i);
    CHECK_EQ(out[15] & 0xcd5, 0xc4);
    for (int i = 0; i < 16 * 16; i++)
        CHECK_EQ(vectors[i], i / 16 + 100);
    CHECK_EQ(mxcsr, 0x3f80);
    CHECK_EQ(control, 0xb7f);
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    CHECK(sigismember(&mask, SIGUSR2));
    return done();
}
