// build[fixed]: -O1 -no-pie
// build[pie]: -O1 -fPIE -pie
// With the trap flag a program is stepped through calls of every shape: it sees each of its instructions once, in order, with the
// registers it would have, and nothing of how the calls are made.
#include "enter.h"
#include <ucontext.h>

#define PUSH_FLAG "pushfq\n.cfi_adjust_cfa_offset 8\norl $0x100, (%rsp)\npopfq\n.cfi_adjust_cfa_offset -8\n"
#define POP_FLAG "pushfq\n.cfi_adjust_cfa_offset 8\nandl $~0x100, (%rsp)\npopfq\n.cfi_adjust_cfa_offset -8\n"
#define STEPPED(name, body) FUNCTION(name, PUSH_FLAG body "\n" POP_FLAG "ret")
STEPPED(getpid_numbered, "mov $39, %eax\nsyscall\nmov %eax, %edx")
STEPPED(getppid_numbered, "mov $110, %eax\nsyscall\nmov %eax, %edx")
STEPPED(getpid_behind_branch, "mov $39, %eax\njmp 1f\n1: syscall\nmov %eax, %edx\nnop\nnop")
STEPPED(getpid_far, "mov $39, %eax\nstc\nsyscall\ncmc\nadc $1, %edi\nnop")
STEPPED(read_zeroed, "mov $-1, %edi\nxor %eax, %eax\nsyscall\ncmp $-4095, %rax\njae 1f\nnop\n1: neg %eax")
STEPPED(read_bare, "mov $-1, %edi\nxor %eax, %eax\njmp 1f\n1: syscall\ncmp $-4095, %rax\njb 2f\nneg %eax\n2: nop")
STEPPED(two, "mov $39, %eax\nsyscall\nmov $110, %eax\nsyscall\nnop")
STEPPED(adjacent, "mov $-1, %edi\nmov $24, %eax\nsyscall\nsyscall\nnop")
STEPPED(unknown, "mov $5000, %eax\nsyscall\nnop")
STEPPED(query, "xor %eax, %eax\nxor %ecx, %ecx\ncpuid\nnop\nnop\nnop")
STEPPED(query_branch, "xor %eax, %eax\nxor %ecx, %ecx\njmp 1f\n1: cpuid\ntest %eax, %eax\njz 2f\nlea 5(%rax), %edx\n2: nop")
STEPPED(relative, "mov $39, %eax\njmp 1f\n1: syscall\nlea enter(%rip), %rdx\nmov enter(%rip), %eax\nnop")
STEPPED(called, "mov $110, %eax\ncall 1f\njmp 2f\n1: .cfi_adjust_cfa_offset 8\nsyscall\nret\n2: .cfi_adjust_cfa_offset -8\nnop")
STEPPED(action, "mov $14, %eax\nxor %edi, %edi\nxor %esi, %esi\nxor %edx, %edx\nmov $8, %r10d\nsyscall\nnop")
FUNCTION(into_the_middle, PUSH_FLAG "mov $110, %eax\njmp middle\nnop\nmov $39, %eax\n" AT(middle) "syscall\nmov %eax, %edx\n" POP_FLAG "ret")

#define EACH(op) op(getpid_numbered) op(getppid_numbered) op(getpid_behind_branch) op(getpid_far) op(read_zeroed) op(read_bare) \
    op(two) op(adjacent) op(unknown) op(query) op(query_branch) op(relative) op(called) op(action) op(into_the_middle)
#define DECLARE(name) extern char name[];
EACH(DECLARE)

enum { MOST = 64 };
static struct { long rip, rax, rcx, rdx, r11, rsp, flags, address; } steps[MOST];
static volatile int count;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (count < MOST) {
        steps[count].rip = regs[REG_RIP], steps[count].rax = regs[REG_RAX], steps[count].rcx = regs[REG_RCX];
        steps[count].rdx = regs[REG_RDX], steps[count].r11 = regs[REG_R11], steps[count].rsp = regs[REG_RSP];
        steps[count].flags = regs[REG_EFL], steps[count].address = (long)info->si_addr;
    }
    count++;
}

static void show(const char *name, char *function, long pid, long parent)
{
    struct registers registers;
    for (int round = 0; round < 3; round++) {
        memset(&registers, 0, sizeof registers);
        registers.gpr[RSI] = 1, registers.gpr[11] = 11, registers.gpr[RCX] = 22;
        registers.flags = 0x202;
        count = 0;
        enter(&registers, function);
        REREAD();
        CHECK(count < MOST);
        for (int i = 0; i < count; i++) {
            CHECK_EQ(steps[i].address, steps[i].rip);
            CHECK_EQ(steps[i].rsp & 0xff00000000000000, 0);
            if (round != 2)
                continue;
            /* What differs from run to run is named. */
            long rax = steps[i].rax, rdx = steps[i].rdx, rcx = steps[i].rcx;
            long near = rcx - (long)function;
            printf("%s+%ld rax %s%lx rcx %s%lx rdx %s%lx r11 %lx flags %lx\n", name,
                   steps[i].rip - (long)function, rax == pid ? "pid" : rax == parent ? "parent" : "",
                   rax == pid || rax == parent ? 0 : rax, near >= 0 && near < 4096 ? "+" : "",
                   near >= 0 && near < 4096 ? near : rcx, rdx == pid ? "pid" : rdx == parent ? "parent" : "",
                   rdx == pid || rdx == parent ? 0 : rdx == (long)&enter ? 1 : rdx, steps[i].r11, steps[i].flags);
        }
    }
}

int main(void)
{
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    long pid = getpid(), parent = getppid();
    on_signal(SIGTRAP, handler, 0);
#define SHOW(name) show(#name, name, pid, parent);
    EACH(SHOW)
    return done();
}
