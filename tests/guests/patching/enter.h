/* Calls into the middle of assembly with chosen registers, and functions in assembly whose bounds are known. */
#ifndef ENTER_H
#define ENTER_H
#include "check.h"

/* A function in assembly, with unwind tables and a symbol of its size. */
#define FUNCTION(name, body)                                                                       \
    __asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" body \
            "\n.cfi_endproc\n.size " #name ", . - " #name "\n");
/* A label in one. */
#define AT(name) ".globl " #name "\n" #name ":\n"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

struct registers {
    uint64_t gpr[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8 … r15; rsp is not loaded */
    uint64_t flags;
};

/* Loads `registers`, calls `pc`, stores what is there afterwards. One thread only. */
void enter(struct registers *registers, const void *pc);
__asm__(".text\n.globl enter\n.type enter, @function\nenter:\n.cfi_startproc\n"
        "push %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbx, 0\n"
        "push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbp, 0\n"
        "push %r12\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %r12, 0\n"
        "push %r13\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %r13, 0\n"
        "push %r14\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %r14, 0\n"
        "push %r15\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %r15, 0\n"
        "push %rdi\n.cfi_adjust_cfa_offset 8\n"
        "mov %rsi, enter_pc(%rip)\n"
        "push 128(%rdi)\npopfq\n"
        "mov 0(%rdi), %rax\nmov 8(%rdi), %rcx\nmov 16(%rdi), %rdx\nmov 24(%rdi), %rbx\nmov 40(%rdi), %rbp\n"
        "mov 48(%rdi), %rsi\nmov 64(%rdi), %r8\nmov 72(%rdi), %r9\nmov 80(%rdi), %r10\nmov 88(%rdi), %r11\n"
        "mov 96(%rdi), %r12\nmov 104(%rdi), %r13\nmov 112(%rdi), %r14\nmov 120(%rdi), %r15\nmov 56(%rdi), %rdi\n"
        "call *enter_pc(%rip)\n"
        ".globl enter_return\nenter_return:\n"
        "pushfq\npush %rdi\nmov 16(%rsp), %rdi\n"
        "mov %rax, 0(%rdi)\nmov %rcx, 8(%rdi)\nmov %rdx, 16(%rdi)\nmov %rbx, 24(%rdi)\nmov %rbp, 40(%rdi)\n"
        "mov %rsi, 48(%rdi)\nmov %r8, 64(%rdi)\nmov %r9, 72(%rdi)\nmov %r10, 80(%rdi)\nmov %r11, 88(%rdi)\n"
        "mov %r12, 96(%rdi)\nmov %r13, 104(%rdi)\nmov %r14, 112(%rdi)\nmov %r15, 120(%rdi)\n"
        "pop %rax\nmov %rax, 56(%rdi)\npop %rax\nmov %rax, 128(%rdi)\n"
        "pushq $0x202\npopfq\n"
        "pop %rdi\n.cfi_adjust_cfa_offset -8\n"
        "pop %r15\n.cfi_adjust_cfa_offset -8\npop %r14\n.cfi_adjust_cfa_offset -8\npop %r13\n.cfi_adjust_cfa_offset -8\n"
        "pop %r12\n.cfi_adjust_cfa_offset -8\npop %rbp\n.cfi_adjust_cfa_offset -8\npop %rbx\n.cfi_adjust_cfa_offset -8\n"
        "ret\n.cfi_endproc\n.size enter, . - enter\n"
        ".local enter_pc\n.comm enter_pc, 8, 8\n");

/* Arbitrary values in all registers. */
static __attribute__((unused)) void fill(struct registers *registers, uint64_t *seed)
{
    for (int i = 0; i < 16; i++)
        registers->gpr[i] = next_random(seed);
    static const uint64_t flags[] = {0x202, 0x203, 0x206, 0x212, 0x242, 0x282, 0xa02, 0x602, 0xed7};
    registers->flags = flags[next_random(seed) % (sizeof flags / sizeof flags[0])];
}
#endif
