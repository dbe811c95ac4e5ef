// build: -O1 -mno-red-zone
// Across the `syscall` instruction only rax, rcx and r11 change: general registers, flags, the red
// zone, x87, MXCSR, vector and mask registers keep their values; rcx is the next address, r11 the flags.
#include "check.h"
#include <cpuid.h>
#include <sys/mman.h>

struct state {
    uint64_t gpr[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8 … r15 */
    uint64_t flags;
    uint64_t next;    /* address after the call */
    uint64_t red_zone[16];
};

/* Loads `in`, calls, stores what is there afterwards into `out`. */
void probe(const struct state *in, struct state *out);
__asm__(".text\n.globl probe\nprobe:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "push %rsi\n"
        "mov %rsp, saved_rsp(%rip)\n"
        ".set i, 0\n.rept 16\nmov 144+8*i(%rdi), %rax\nmov %rax, -128+8*i(%rsp)\n.set i, i+1\n.endr\n"
        /* flags travel through a place below the red zone */
        "mov %rsp, %rbp\nlea -256(%rsp), %rsp\npush 128(%rdi)\npopfq\nmov %rbp, %rsp\n"
        "mov 0(%rdi), %rax\nmov 8(%rdi), %rcx\nmov 16(%rdi), %rdx\nmov 24(%rdi), %rbx\n"
        "mov 40(%rdi), %rbp\nmov 48(%rdi), %rsi\nmov 64(%rdi), %r8\nmov 72(%rdi), %r9\n"
        "mov 80(%rdi), %r10\nmov 88(%rdi), %r11\nmov 96(%rdi), %r12\nmov 104(%rdi), %r13\n"
        "mov 112(%rdi), %r14\nmov 120(%rdi), %r15\nmov 56(%rdi), %rdi\n"
        "syscall\n"
        "after: mov %rdi, out_rdi(%rip)\nmov %rsp, out_rsp(%rip)\n"
        "mov saved_rsp(%rip), %rsp\nmov (%rsp), %rdi\n"
        "mov %rax, 0(%rdi)\nmov %rcx, 8(%rdi)\nmov %rdx, 16(%rdi)\nmov %rbx, 24(%rdi)\n"
        "mov %rbp, 40(%rdi)\nmov %rsi, 48(%rdi)\nmov %r8, 64(%rdi)\nmov %r9, 72(%rdi)\n"
        "mov %r10, 80(%rdi)\nmov %r11, 88(%rdi)\nmov %r12, 96(%rdi)\nmov %r13, 104(%rdi)\n"
        "mov %r14, 112(%rdi)\nmov %r15, 120(%rdi)\n"
        ".set i, 0\n.rept 16\nmov -128+8*i(%rsp), %rax\nmov %rax, 144+8*i(%rdi)\n.set i, i+1\n.endr\n"
        "lea -256(%rsp), %rsp\npushfq\npop %rax\nmov saved_rsp(%rip), %rsp\nmov %rax, 128(%rdi)\n"
        "pushq $0x202\npopfq\n"
        "mov out_rdi(%rip), %rax\nmov %rax, 56(%rdi)\nmov out_rsp(%rip), %rax\nmov %rax, 32(%rdi)\n"
        "lea after(%rip), %rax\nmov %rax, 136(%rdi)\n"
        "mov saved_rsp(%rip), %rax\nadd $8, %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n"
        ".data\n.globl saved_rsp\nsaved_rsp: .quad 0\nout_rdi: .quad 0\nout_rsp: .quad 0\n.text\n");
extern uint64_t saved_rsp;

static const uint64_t flag_sets[] = {0x202, 0x203, 0x206, 0x212, 0x242, 0x282, 0xa02, 0x602, 0xed7, 0x40202, 0x200202};

static void general(long number, uint64_t a, uint64_t b, uint64_t c, long expected)
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (size_t set = 0; set < sizeof flag_sets / sizeof flag_sets[0]; set++) {
        struct state in, out;
        memset(&out, 0, sizeof out);
        for (int i = 0; i < 16; i++) {
            in.gpr[i] = next_random(&seed);
            in.red_zone[i] = next_random(&seed);
        }
        in.gpr[0] = (uint64_t)number;
        in.gpr[7] = a;
        in.gpr[6] = b;
        in.gpr[2] = c;
        in.flags = flag_sets[set];
        probe(&in, &out);
        CHECK_EQ(out.gpr[0], expected);
        CHECK_EQ(out.gpr[1], out.next);
        CHECK_EQ(out.gpr[11], in.flags);
        CHECK_EQ(out.flags, in.flags);
        CHECK_EQ(out.gpr[4], saved_rsp);
        for (int i = 2; i < 16; i++)
            if (i != 4 && i != 11)
                CHECK_EQ(out.gpr[i], in.gpr[i]);
        CHECK_EQ(memcmp(in.red_zone, out.red_zone, sizeof in.red_zone), 0);
    }
}

static void x87_and_mxcsr(void)
{
    unsigned control = 0x3f80 | 0x8000 | 0x20, after = 0; /* round up, flush to zero, inexact seen */
    unsigned short word = 0x0f7f, word_after = 0, status = 0;
    double values[3] = {1.5, -2.25, 1e300}, back[3];
    long result;
    __asm__ volatile("fninit\nfldcw %5\nfldl %6\nfldl %7\nfldl %8\nldmxcsr %9\n"
                     "mov $39, %%eax\nsyscall\n"
                     "stmxcsr %0\nfnstcw %1\nfnstsw %2\nfstpl 16(%4)\nfstpl 8(%4)\nfstpl (%4)\nfninit\n"
                     : "=m"(after), "=m"(word_after), "=m"(status), "=a"(result)
                     : "r"(back), "m"(word), "m"(values[0]), "m"(values[1]), "m"(values[2]), "m"(control)
                     : "rcx", "r11", "memory", "st", "st(1)", "st(2)");
    unsigned usual = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(usual));
    CHECK_EQ(after, control);
    CHECK_EQ(word_after, word);
    CHECK_EQ(status >> 11 & 7, 5); /* three values on the stack */
    CHECK_EQ(memcmp(values, back, sizeof values), 0);
    CHECK_EQ(result, getpid());
}

static unsigned char in_vectors[32 * 64] __attribute__((aligned(64)));
static unsigned char out_vectors[32 * 64] __attribute__((aligned(64)));
static uint64_t in_masks[8], out_masks[8];

#define EACH16(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define EACH32(op) EACH16(op) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24) op(25) op(26) op(27) op(28) op(29) op(30) op(31)
#define LOAD(instruction, register, n) instruction " 64*" #n "(%1), %%" register #n "\n"
#define STORE(instruction, register, n) instruction " %%" register #n ", 64*" #n "(%2)\n"
#define LX(n) LOAD("movdqu", "xmm", n)
#define SX(n) STORE("movdqu", "xmm", n)
#define LY(n) LOAD("vmovdqu", "ymm", n)
#define SY(n) STORE("vmovdqu", "ymm", n)
#define LZ(n) LOAD("vmovdqu64", "zmm", n)
#define SZ(n) STORE("vmovdqu64", "zmm", n)
#define CALL "mov $39, %%eax\nsyscall\n"
#define RUN(text) __asm__ volatile(text : "=a"(result) : "r"(in_vectors), "r"(out_vectors), "r"(in_masks), "r"(out_masks) : "rcx", "r11", "memory")

static void vectors(int width, int count)
{
    long result;
    uint64_t seed = 77;
    for (size_t i = 0; i < sizeof in_vectors; i++)
        in_vectors[i] = (unsigned char)next_random(&seed);
    memset(out_vectors, 0, sizeof out_vectors);
    if (width == 16)
        RUN(EACH16(LX) CALL EACH16(SX));
    else if (width == 32)
        RUN(EACH16(LY) CALL EACH16(SY) "vzeroupper\n");
    else
        RUN(EACH32(LZ) "kmovq (%3), %%k1\nkmovq 8(%3), %%k4\nkmovq 16(%3), %%k7\n" CALL EACH32(SZ)
            "kmovq %%k1, (%4)\nkmovq %%k4, 8(%4)\nkmovq %%k7, 16(%4)\nvzeroupper\n");
    CHECK_EQ(result, getpid());
    for (int i = 0; i < count; i++)
        CHECK_EQ(memcmp(in_vectors + 64 * i, out_vectors + 64 * i, (size_t)width), 0);
}

int main(void)
{
    char buffer[16];
    int pipes[2];
    CHECK_EQ(pipe(pipes), 0);
    for (int round = 0; round < 200; round++) {
        general(SYS_getpid, 1, 2, 3, getpid());
        general(SYS_gettid, 1, 2, 3, getpid());
        general(SYS_sched_yield, 1, 2, 3, 0);
        general(SYS_read, (uint64_t)-1, (uint64_t)buffer, 3, -EBADF);
        general(SYS_write, (uint64_t)pipes[1], 8, 1, -EFAULT);
        general(5000, 1, 2, 3, -ENOSYS);
        general(SYS_close, 12345, 2, 3, -EBADF);
        x87_and_mxcsr();
        vectors(16, 16);
        if (__builtin_cpu_supports("avx"))
            vectors(32, 16);
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) {
            in_masks[0] = 0x0123456789abcdef, in_masks[1] = ~0UL, in_masks[2] = 1;
            vectors(64, 32);
            CHECK_EQ(memcmp(in_masks, out_masks, 24), 0);
        }
    }
    return done();
}
