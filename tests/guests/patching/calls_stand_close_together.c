// build[fixed]: -O1 -no-pie
// build[pie]: -O1 -fPIE -pie
// calls: equal
// Calls so close that no jump fits between them, functions without padding after a call, calls in loop heads, and numbers that are
// loaded by every instruction, or by one that only looks like it.
#include "enter.h"

/* A function begins where the other's last byte was. */
FUNCTION(first, "jmp 1f\n1: syscall\nret")
FUNCTION(second, "mov %edi, %eax\nret")
FUNCTION(third, "xor %eax, %eax\nsyscall\nret")
FUNCTION(fourth, "push %rbx\nmov %edi, %ebx\nmov %ebx, %eax\npop %rbx\nret")
FUNCTION(fifth, "jmp 1f\n1: syscall\nret")
FUNCTION(sixth, "jmp 1f\n1: syscall\nret")
FUNCTION(seventh, "syscall\nret")
FUNCTION(eighth, "syscall\nret")
FUNCTION(ninth, "inc %edi\ncall second\nret")
/* Two and more calls with few bytes between them. */
FUNCTION(adjacent, "mov $-1, %edi\nmov $24, %eax\nsyscall\nsyscall\nret")
FUNCTION(adjacent_bare, "jmp 1f\n1: syscall\nsyscall\nret")
FUNCTION(adjacent_many, "mov %edi, %eax\n.rept 12\nsyscall\n.endr\nret")
FUNCTION(adjacent_table, ".rept 64\nsyscall\nret\n.endr")
FUNCTION(three_apart, "mov $-1, %edi\njmp 1f\n1: syscall\nnop\nsyscall\nnop\nsyscall\ncltd\nsyscall\nret")
FUNCTION(with_numbers, "mov $39, %eax\nsyscall\nmov %eax, %esi\nxor %edi, %edi\nmov $110, %eax\nsyscall\nadd %esi, %eax\nret")
/* A loop whose head is a call, one whose head is the load of its number, one that ends at it. */
FUNCTION(head, "push %rbx\n.cfi_adjust_cfa_offset 8\nmov $100, %ebx\nmov $39, %eax\n1: syscall\nxor $39^110, %eax\nmov $39, %eax\n"
               "dec %ebx\njnz 1b\nsyscall\npop %rbx\n.cfi_adjust_cfa_offset -8\nret")
FUNCTION(head_load, "mov $100, %r9d\n1: mov $39, %eax\nsyscall\ndec %r9d\njnz 1b\nret")
FUNCTION(head_end, "mov $100, %r9d\nmov $39, %eax\njmp 2f\n1: mov $110, %eax\n2: syscall\ndec %r9d\njnz 1b\nret")
FUNCTION(behind_branch, "mov $39, %eax\ntest %edi, %edi\njz 1f\nmov $110, %eax\n1: syscall\njs 2f\n2: jc 3f\n3: ret")
/* Numbers. */
FUNCTION(by_eax, "mov $110, %eax\nsyscall\nret")
FUNCTION(by_rax, "mov $110, %rax\nsyscall\nret")
FUNCTION(by_long_rax, "movabs $110, %rax\nsyscall\nret")
FUNCTION(by_push, "push $110\n.cfi_adjust_cfa_offset 8\npop %rax\n.cfi_adjust_cfa_offset -8\nsyscall\nret")
FUNCTION(by_lea, "lea 110, %eax\nsyscall\nret")
FUNCTION(by_al, "xor %eax, %eax\nmov $110, %al\nsyscall\nret")
FUNCTION(by_zero, "xor %eax, %eax\nmov $-1, %edi\nxor %eax, %eax\nsyscall\nret")
FUNCTION(by_wide_zero, "mov $-1, %edi\nxor %rax, %rax\nsyscall\nret")
FUNCTION(by_sub, "mov $-1, %edi\nsub %eax, %eax\nsyscall\nret")
FUNCTION(far_before, "mov $110, %eax\nmov $1, %edi\nmov $2, %esi\nmov $3, %edx\nmov $4, %r10d\nmov $5, %r8d\nmov $6, %r9d\nsyscall\nret")
FUNCTION(not_r8, "mov $110, %eax\nmov $39, %r8d\nsyscall\nret")
FUNCTION(not_ax, "mov $0x10027, %eax\nsub $0x10000, %eax\nmov $110, %ax\nsyscall\nret")
FUNCTION(not_edi, "mov $110, %eax\nmov $39, %edi\nsyscall\nret")
FUNCTION(not_memory, "mov $110, %eax\nmovl $39, -16(%rsp)\nsyscall\nret")
FUNCTION(not_hidden, "mov $110, %eax\nmovabs $0x27b80000, %rdx\n.byte 0x48, 0xbe, 0, 0, 0, 0xb8, 39, 0, 0, 0\nsyscall\nret")
FUNCTION(upper_half, "movabs $0x100000027, %rax\nsyscall\nret")
FUNCTION(sign_extended, "mov $-39, %rax\nsyscall\nret")
FUNCTION(overwritten, "mov $39, %eax\nmov $110, %eax\nsyscall\nret")
FUNCTION(added, "mov $109, %eax\ninc %eax\nsyscall\nret")

long first(void), second(int), third(int), fourth(int), sixth(void), ninth(int), adjacent(void), with_numbers(void),
    head(void), head_load(void), head_end(void), behind_branch(int), by_eax(void), by_rax(void), by_long_rax(void),
    by_push(void), by_lea(void), by_al(void), by_zero(void), by_wide_zero(void), by_sub(void), far_before(void),
    not_r8(void), not_ax(void), not_edi(void), not_memory(void), not_hidden(void), upper_half(void), sign_extended(void),
    overwritten(void), added(void);
extern char fifth[], seventh[], eighth[], adjacent_bare[], adjacent_many[], adjacent_table[], three_apart[], first_start[];

static long with_number(const void *pc, uint64_t number)
{
    static uint64_t seed = 5;
    struct registers registers;
    fill(&registers, &seed);
    registers.gpr[RAX] = number;
    registers.gpr[RDI] = (uint64_t)-1;
    enter(&registers, pc);
    return (long)registers.gpr[RAX];
}

static long eax_is(int value, long (*f)(void))
{
    long result;
    __asm__ volatile("call *%2" : "=a"(result) : "0"((long)value), "r"(f) : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
}

int main(void)
{
    long pid = getpid(), parent = getppid();
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(eax_is(SYS_getppid, first), parent);
        CHECK_EQ(second(i), i);
        CHECK_EQ(third(-1), -EBADF);
        CHECK_EQ(fourth(i + 1), i + 1);
        CHECK_EQ(with_number(fifth, SYS_getppid), parent);
        CHECK_EQ(eax_is(SYS_getppid, sixth), parent);
        CHECK_EQ(with_number(seventh, SYS_getppid), parent);
        CHECK_EQ(with_number(eighth, SYS_getppid), parent);
        CHECK_EQ(ninth(i), i + 1);
        /* The result of sched_yield is the number of read. */
        CHECK_EQ(adjacent(), -EBADF);
        CHECK_EQ(with_number(adjacent_bare, SYS_sched_yield), -EBADF);
        CHECK_EQ(with_number(adjacent_many, 5000), -ENOSYS);
        CHECK_EQ(with_number(three_apart, SYS_read), -ENOSYS);
        for (int k = 0; k < 64; k += 5)
            CHECK_EQ(with_number(adjacent_table + 3 * k, SYS_getppid), parent);
        CHECK_EQ(with_numbers(), pid + parent);
        CHECK_EQ(head(), pid);
        CHECK_EQ(head_load(), pid);
        CHECK_EQ(head_end(), parent);
        CHECK_EQ(behind_branch(0), pid);
        CHECK_EQ(behind_branch(1), parent);
        CHECK_EQ(by_eax(), parent);
        CHECK_EQ(by_rax(), parent);
        CHECK_EQ(by_long_rax(), parent);
        CHECK_EQ(by_push(), parent);
        CHECK_EQ(by_lea(), parent);
        CHECK_EQ(by_al(), parent);
        CHECK_EQ(by_zero(), -EBADF);
        CHECK_EQ(by_wide_zero(), -EBADF);
        CHECK_EQ(by_sub(), -EBADF);
        CHECK_EQ(far_before(), parent);
        CHECK_EQ(not_r8(), parent);
        CHECK_EQ(not_ax(), parent);
        CHECK_EQ(not_edi(), parent);
        CHECK_EQ(not_memory(), parent);
        CHECK_EQ(not_hidden(), parent);
        CHECK_EQ(upper_half(), upper_half());
        CHECK_EQ(sign_extended(), -ENOSYS);
        CHECK_EQ(overwritten(), parent);
        CHECK_EQ(added(), parent);
    }
    return done();
}
