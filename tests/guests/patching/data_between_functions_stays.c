// build[fixed]: -O1 -no-pie
// build[pie]: -O1 -fPIE -pie
// calls: equal
// Bytes that look like a call, in operands of instructions and in tables between functions: the tables read as they were
// assembled, the instructions do what they say. After a call that never returns data may follow at once.
#include "enter.h"

/* The same bytes once where they may be patched, if they are mistaken, and once in data. */
#define TABLE(name, bytes) \
    __asm__(".text\n.globl " name "\n" name ":\n" bytes "\n.globl " name "_end\n" name "_end:\n" \
            ".section .rodata\n.globl " name "_copy\n" name "_copy:\n" bytes "\n.text\n");
#define CALLS ".byte 0x0f, 0x05, 0x0f, 0x05, 0xb9, 39, 0, 0, 0, 0x0f, 0x05, 0xc3, 0x0f, 0xa2, 0x31, 0xc0, 0x0f, 0x05, 0x06, 0x07\n"
#define RANDOM ".set s, 12345\n.rept 200\n.set s, (s * 1103515245 + 12345) & 0x7fffffff\n.long s ^ 0x050f050f\n.byte 0x0f, 0x05\n.endr\n"

FUNCTION(before_table, "mov $39, %eax\nsyscall\nret")
TABLE("table_behind_return", CALLS)
FUNCTION(returns_at_once, "jmp 1f\n1: syscall\nret")
TABLE("table_of_padding", ".byte 0x90, 0xcc, 0x90, 0x90, 0x01, 0x02, 0x03, 0x06")
FUNCTION(returns_with_traps, "jmp 1f\n1: syscall\nret")
TABLE("table_of_traps", ".byte 0xcc, 0xcc, 0x33, 0xcc, 0x06, 0x06, 0x06")
FUNCTION(never_returns, "mov $60, %eax\nxor %edi, %edi\nsyscall")
TABLE("table_behind_exit", ".asciz \"text behind a call that never returns\"")
FUNCTION(never_returns_bare, "mov $231, %eax\njmp 1f\n1: syscall")
TABLE("table_behind_bare_exit", ".byte 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12")
FUNCTION(stops, "mov $60, %eax\nxor %edi, %edi\nsyscall\nhlt")
TABLE("table_behind_stop", ".byte 0x0f, 0x05, 9, 8, 7, 6, 5, 0x06")
FUNCTION(between_tables, "mov $110, %eax\nsyscall\nret")
TABLE("table_random", RANDOM)
FUNCTION(after_random, "mov $39, %eax\nsyscall\nret")
/* Functions that no table describes, data before and after them. */
TABLE("table_before_bare", ".byte 0x0f, 0x05, 0x00, 0x0f, 0x05, 0x06")
__asm__("undescribed: mov $39, %eax\nsyscall\nret\n");
TABLE("table_after_bare", ".byte 0x0f, 0x05, 0x0f, 0xa2, 0x06, 0x06")
FUNCTION(last, "nop\nret")

/* Operands. */
FUNCTION(immediate, "mov $0x050f050f, %eax\nadd $0x0f05, %ax\nret")
FUNCTION(long_immediate, "movabs $0x050f39b8050f050f, %rax\nret")
FUNCTION(displacement, "lea 0x050f(%rdi), %rax\nlea 0x050f050f(%rax, %rax, 4), %rax\nret")
FUNCTION(near_zero, "cmp $0x050f, %edi\nsete %al\nmovzbl %al, %eax\nret")
FUNCTION(looks_numbered, "movabs $0x050f00000027b890, %rax\nret")
FUNCTION(branch_operand, "xor %eax, %eax\n.byte 0xeb, 0x05\n1: nop\nnop\nnop\nnop\nnop\nmov $7, %eax\nret")
FUNCTION(far_branch_operand, "mov $9, %eax\n.byte 0x0f, 0x84, 0x0f, 0x05, 0, 0\nret\n.skip 0x50e, 0x90\nmov $10, %eax\nret")

long before_table(void), returns_at_once(int), between_tables(void), after_random(void), undescribed(void);
long immediate(void), long_immediate(void), displacement(long), near_zero(int), looks_numbered(void), branch_operand(void);
extern char far_branch_operand[], returns_with_traps[];
void never_returns(void), never_returns_bare(int), stops(void);

#define EACH(op) \
    op(table_behind_return) op(table_of_padding) op(table_of_traps) op(table_behind_exit) op(table_behind_bare_exit) \
    op(table_behind_stop) op(table_random) op(table_before_bare) op(table_after_bare)
#define DECLARE(name) extern const unsigned char name[], name##_end[], name##_copy[];
EACH(DECLARE)

static void same(const char *name, const unsigned char *table, const unsigned char *end, const unsigned char *copy)
{
    for (long i = 0; i < end - table; i++)
        if (table[i] != copy[i]) {
            dprintf(2, "%s, byte %ld: %#x, not %#x\n", name, i, table[i], copy[i]);
            CHECK(!"data was changed");
        }
}
#define COMPARE(name) same(#name, name, name##_end, name##_copy);

static int child(void (*f)(int))
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        f(0);
    CHECK_EQ(RAW4(SYS_wait4, pid, &status, 0, NULL), pid);
    return status;
}

int main(void)
{
    long pid = getpid(), parent = getppid();
    for (int i = 0; i < 20; i++) {
        EACH(COMPARE)
        CHECK_EQ(before_table(), pid);
        CHECK_EQ(between_tables(), parent);
        CHECK_EQ(after_random(), pid);
        CHECK_EQ(undescribed(), pid);
        struct registers registers;
        memset(&registers, 0, sizeof registers);
        registers.gpr[RAX] = SYS_getppid, registers.flags = 0x202;
        enter(&registers, (void *)(uintptr_t)returns_at_once);
        CHECK_EQ(registers.gpr[RAX], parent);
        registers.gpr[RAX] = SYS_getppid;
        enter(&registers, returns_with_traps);
        CHECK_EQ(registers.gpr[RAX], parent);
        CHECK_EQ(immediate(), 0x050f1414);
        CHECK_EQ(long_immediate(), 0x050f39b8050f050f);
        CHECK_EQ(displacement(1), 0x510 * 5 + 0x050f050f);
        CHECK_EQ(near_zero(0x050f), 1);
        CHECK_EQ(near_zero(0x0510), 0);
        CHECK_EQ(looks_numbered(), 0x050f00000027b890);
        CHECK_EQ(branch_operand(), 7);
        for (int zero = 0; zero < 2; zero++) {
            registers.flags = zero ? 0x242 : 0x202;
            enter(&registers, far_branch_operand);
            CHECK_EQ(registers.gpr[RAX], zero ? 10 : 9);
        }
        CHECK_EQ(child((void (*)(int))never_returns), 0);
        CHECK_EQ(child(never_returns_bare), 0);
        CHECK_EQ(child((void (*)(int))stops), 0);
        EACH(COMPARE)
    }
    return done();
}
