// build[fixed]: -O1 -mno-red-zone -no-pie
// build[pie]: -O1 -mno-red-zone -fPIE -pie
// calls: equal
// Across patched calls of every shape only rax, rcx and r11 change: general registers, all flags, the red zone, x87, MXCSR, vectors
// and masks. Instructions that were moved do what they did.
#include "enter.h"
#include <cpuid.h>

static uint64_t variable = 0x123456789abcdef0;
#define VARIABLE "variable_copy"
__asm__(".data\n.globl variable_copy\nvariable_copy: .quad 0x123456789abcdef0\nvariable_written: .quad 0\n.text\n");

struct shape {
    const char *name;
    char *entry, *behind;
    long number; /* -1: any */
    unsigned extra; /* registers that what follows changes */
    unsigned flags; /* flags that what follows changes */
};

/* `before` may load a number, `after` may change what the table says. */
#define SHAPE(name, before, after) \
    FUNCTION(name, before "\nsyscall\n" AT(name##_behind) after "\nret")
SHAPE(mov_eax, "mov $39, %eax", "")
SHAPE(mov_eax_passed, "mov $110, %eax", "")
SHAPE(mov_eax_yield, "mov $24, %eax", "")
SHAPE(mov_rax, "mov $39, %rax", "")
SHAPE(bare, "jmp 1f\n1:", "nop\nnop\nnop")
SHAPE(bare_moves, "jmp 1f\n1:", "mov %r12, %r12\nmov %r13d, %r13d")
SHAPE(bare_compares, "jmp 1f\n1:", "cmp $-4095, %rax")
SHAPE(bare_loads, "jmp 1f\n1:", "mov " VARIABLE "(%rip), %rsi")
SHAPE(bare_stores, "jmp 1f\n1:", "mov %rsi, variable_written(%rip)")
SHAPE(bare_adds, "jmp 1f\n1:", "add " VARIABLE "(%rip), %r10")
SHAPE(bare_vector, "jmp 1f\n1:", "movq %xmm0, %rsi\nmovq %rsi, %xmm0")
SHAPE(bare_stack, "jmp 1f\n1:", "push %rbx\npop %rbx\nnop")
SHAPE(bare_fs, "jmp 1f\n1:", "mov %fs:0, %rsi")
SHAPE(bare_branch, "jmp 1f\n1:", "jrcxz 2f\nnop\n2: nop")
SHAPE(bare_exchange, "jmp 1f\n1:", "xchg %rbx, %r12\nxchg %rbx, %r12")
SHAPE(nop_before, "nop", "nop\nnop\nnop")
SHAPE(lea_before, "lea (%rax), %rax", "")
SHAPE(branch_behind, "jmp 1f\n1:", "jmp 2f\n.byte 0x0f, 0x05\n2:")

#define EACH(op) \
    op(mov_eax, SYS_getpid, 0, 0) op(mov_eax_passed, SYS_getppid, 0, 0) op(mov_eax_yield, SYS_sched_yield, 0, 0) \
    op(mov_rax, SYS_getpid, 0, 0) op(bare, -1, 0, 0) op(bare_moves, -1, 1 << 13, 0) op(bare_compares, -1, 0, 0x8d5) \
    op(bare_loads, -1, 1 << RSI, 0) op(bare_stores, -1, 0, 0) op(bare_adds, -1, 1 << 10, 0x8d5) op(bare_vector, -1, 1 << RSI, 0) \
    op(bare_stack, -1, 0, 0) op(bare_fs, -1, 1 << RSI, 0) op(bare_branch, -1, 0, 0) op(bare_exchange, -1, 0, 0) \
    op(nop_before, -1, 0, 0) op(lea_before, -1, 0, 0) op(branch_behind, -1, 0, 0)
#define DECLARE(name, number, extra, flags) extern char name[], name##_behind[];
EACH(DECLARE)
static const struct shape shapes[] = {
#define ROW(name, number, extra, flags) {#name, name, name##_behind, number, extra, flags},
    EACH(ROW)};
extern uint64_t variable_written;

/* As `enter`, with a red zone: the function is reached by a jump, its return address lies above. */
struct everything {
    struct registers r;
    uint64_t red_zone[12];
};
void enter_with_red_zone(struct everything *state, const void *pc);
__asm__(".text\n.globl enter_with_red_zone\n.type enter_with_red_zone, @function\nenter_with_red_zone:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\npush %rdi\nmov %rsi, red_pc(%rip)\n"
        "push 128(%rdi)\npopfq\n"
        /* Below the return address that the call will push. */
        ".set i, 0\n.rept 12\nmov 136+8*i(%rdi), %rax\nmov %rax, -16-8*i(%rsp)\n.set i, i+1\n.endr\n"
        "mov 0(%rdi), %rax\nmov 8(%rdi), %rcx\nmov 16(%rdi), %rdx\nmov 24(%rdi), %rbx\nmov 40(%rdi), %rbp\n"
        "mov 48(%rdi), %rsi\nmov 64(%rdi), %r8\nmov 72(%rdi), %r9\nmov 80(%rdi), %r10\nmov 88(%rdi), %r11\n"
        "mov 96(%rdi), %r12\nmov 104(%rdi), %r13\nmov 112(%rdi), %r14\nmov 120(%rdi), %r15\nmov 56(%rdi), %rdi\n"
        "call *red_pc(%rip)\n"
        "mov %rdi, red_rdi(%rip)\nmov (%rsp), %rdi\nmov %rax, 0(%rdi)\n"
        ".set i, 0\n.rept 12\nmov -16-8*i(%rsp), %rax\nmov %rax, 136+8*i(%rdi)\n.set i, i+1\n.endr\n"
        "mov red_rdi(%rip), %rax\nmov %rax, 56(%rdi)\n"
        "pushfq\npop %rax\nmov %rax, 128(%rdi)\npushq $0x202\npopfq\n"
        "mov %rcx, 8(%rdi)\nmov %rdx, 16(%rdi)\nmov %rbx, 24(%rdi)\nmov %rbp, 40(%rdi)\n"
        "mov %rsi, 48(%rdi)\nmov %r8, 64(%rdi)\nmov %r9, 72(%rdi)\nmov %r10, 80(%rdi)\nmov %r11, 88(%rdi)\n"
        "mov %r12, 96(%rdi)\nmov %r13, 104(%rdi)\nmov %r14, 112(%rdi)\nmov %r15, 120(%rdi)\n"
        "pop %rdi\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n"
        ".size enter_with_red_zone, . - enter_with_red_zone\n"
        ".local red_pc\n.comm red_pc, 8, 8\n.local red_rdi\n.comm red_rdi, 8, 8\n");

static const uint64_t flag_sets[] = {0x202, 0x203, 0x206, 0x212, 0x242, 0x282, 0xa02, 0x602, 0xed7, 0x40202, 0x200202};

static void general(const struct shape *shape, long number, long expected)
{
    static uint64_t seed = 31337;
    for (size_t set = 0; set < sizeof flag_sets / sizeof flag_sets[0]; set++) {
        struct everything in, out;
        fill(&in.r, &seed);
        in.r.flags = flag_sets[set];
        for (int i = 0; i < 12; i++)
            in.red_zone[i] = next_random(&seed);
        in.r.gpr[RAX] = (uint64_t)number;
        in.r.gpr[RDI] = (uint64_t)-1;
        out = in;
        enter_with_red_zone(&out, shape->entry);
        if (out.r.gpr[RAX] != (uint64_t)expected || out.r.gpr[11] != in.r.flags)
            dprintf(2, "%s, call %ld, flags %#lx\n", shape->name, number, (long)flag_sets[set]);
        CHECK_EQ(out.r.gpr[RAX], expected);
        CHECK_EQ(out.r.gpr[RCX], shape->behind);
        CHECK_EQ(out.r.gpr[11], in.r.flags);
        CHECK_EQ(out.r.flags & ~(uint64_t)shape->flags, in.r.flags & ~(uint64_t)shape->flags);
        unsigned changed = 1 << RAX | 1 << RCX | 1 << 11 | 1 << RSP | shape->extra;
        for (int i = 0; i < 16; i++)
            if (!(changed >> i & 1))
                CHECK_EQ(out.r.gpr[i], in.r.gpr[i]);
        if (shape->entry == bare_stack)
            in.red_zone[0] = out.red_zone[0];
        CHECK_EQ(memcmp(in.red_zone, out.red_zone, sizeof in.red_zone), 0);
        if (shape->entry == bare_loads)
            CHECK_EQ(out.r.gpr[RSI], variable);
        if (shape->entry == bare_stores)
            CHECK_EQ(variable_written, in.r.gpr[RSI]);
        if (shape->entry == bare_adds)
            CHECK_EQ(out.r.gpr[10], in.r.gpr[10] + variable);
        if (shape->entry == bare_moves)
            CHECK_EQ(out.r.gpr[13], (uint32_t)in.r.gpr[13]);
        if (shape->entry == bare_fs)
            CHECK_EQ(out.r.gpr[RSI], __builtin_thread_pointer());
    }
}

static unsigned char in_vectors[32 * 64] __attribute__((aligned(64))), out_vectors[32 * 64] __attribute__((aligned(64)));
static uint64_t in_masks[8], out_masks[8];
#define EACH16(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define EACH32(op) EACH16(op) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24) op(25) op(26) op(27) op(28) op(29) op(30) op(31)
#define LX(n) "movdqu 64*" #n "(%2), %%xmm" #n "\n"
#define SX(n) "movdqu %%xmm" #n ", 64*" #n "(%3)\n"
#define LY(n) "vmovdqu 64*" #n "(%2), %%ymm" #n "\n"
#define SY(n) "vmovdqu %%ymm" #n ", 64*" #n "(%3)\n"
#define LZ(n) "vmovdqu64 64*" #n "(%2), %%zmm" #n "\n"
#define SZ(n) "vmovdqu64 %%zmm" #n ", 64*" #n "(%3)\n"
#define LK(n) "kmovq 8*" #n "(%4), %%k" #n "\n"
#define SK(n) "kmovq %%k" #n ", 8*" #n "(%5)\n"
#define EACH_MASK(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7)
#define RUN(load, store)                                                                           \
    __asm__ volatile(load "call *%6\n" store                                                       \
                     : "=a"(result) : "0"(number), "r"(in_vectors), "r"(out_vectors), "r"(in_masks), "r"(out_masks), \
                       "r"(shape->entry), "D"(-1L) : "rcx", "r11", "rsi", "r10", "r13", "memory", "cc")

static void vectors(const struct shape *shape, long number, long expected, int width)
{
    long result;
    uint64_t seed = 77;
    for (size_t i = 0; i < sizeof in_vectors; i++)
        in_vectors[i] = (unsigned char)next_random(&seed);
    if (shape->entry == bare_vector)
        memset(in_vectors + 8, 0, 56); /* it clears what is above */
    for (int i = 0; i < 8; i++)
        in_masks[i] = next_random(&seed);
    memset(out_vectors, 0, sizeof out_vectors);
    if (width == 16)
        RUN(EACH16(LX), EACH16(SX));
    else if (width == 32)
        RUN(EACH16(LY), EACH16(SY) "vzeroupper\n");
    else
        RUN(EACH32(LZ) EACH_MASK(LK), EACH32(SZ) EACH_MASK(SK) "vzeroupper\n");
    CHECK_EQ(result, expected);
    for (int i = 0; i < (width == 64 ? 32 : 16); i++)
        CHECK_EQ(memcmp(in_vectors + 64 * i, out_vectors + 64 * i, (size_t)width), 0);
    if (width == 64)
        CHECK_EQ(memcmp(in_masks, out_masks, sizeof in_masks), 0);
}

static void x87_and_mxcsr(const struct shape *shape, long number, long expected)
{
    unsigned control = 0x3f80 | 0x8000 | 0x20, usual = 0x1f80, after = 0;
    unsigned short word = 0x0f7f, word_after = 0, status = 0;
    double values[3] = {1.5, -2.25, 1e300}, back[3];
    long result;
    __asm__ volatile("fninit\nfldcw %[word]\nfldl %[a]\nfldl %[b]\nfldl %[c]\nldmxcsr %[control]\n"
                     "call *%[entry]\n"
                     "stmxcsr %[after]\nfnstcw %[word_after]\nfnstsw %[status]\nfstpl 16(%[back])\nfstpl 8(%[back])\nfstpl (%[back])\nfninit\n"
                     : [after] "=m"(after), [word_after] "=m"(word_after), [status] "=m"(status), "=a"(result)
                     : [back] "r"(back), [word] "m"(word), [a] "m"(values[0]), [b] "m"(values[1]), [c] "m"(values[2]),
                       [control] "m"(control), [entry] "r"(shape->entry), "3"(number), "D"(-1L)
                     : "rcx", "r11", "rsi", "r10", "r13", "memory", "st", "st(1)", "st(2)", "cc");
    __asm__ volatile("ldmxcsr %0" : : "m"(usual));
    CHECK_EQ(after, control);
    CHECK_EQ(word_after, word);
    CHECK_EQ(status >> 11 & 7, 5);
    CHECK_EQ(memcmp(values, back, sizeof values), 0);
    CHECK_EQ(result, expected);
}

int main(void)
{
    long pid = getpid(), parent = getppid();
    const struct { long number, expected; } calls[] = {
        {SYS_getpid, pid}, {SYS_getppid, parent}, {SYS_read, -EBADF}, {5000, -ENOSYS}, {SYS_close, -EBADF}};
    int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    for (int round = 0; round < 10; round++)
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
            for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
                long number = calls[c].number, expected = calls[c].expected;
                if (shapes[s].number >= 0)
                    expected = shapes[s].number == SYS_getpid ? pid : shapes[s].number == SYS_getppid ? parent : 0;
                general(&shapes[s], number, expected);
                x87_and_mxcsr(&shapes[s], number, expected);
                vectors(&shapes[s], number, expected, 16);
                if (__builtin_cpu_supports("avx"))
                    vectors(&shapes[s], number, expected, 32);
                if (wide)
                    vectors(&shapes[s], number, expected, 64);
            }
    return done();
}
