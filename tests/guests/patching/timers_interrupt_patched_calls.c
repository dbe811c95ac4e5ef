// build: -O1 -fno-omit-frame-pointer -rdynamic
// limit: 60
// A timer of 100 microseconds interrupts calls of every shape. Handlers see a place in the program, its registers and its callers;
// they go on elsewhere, change results, or leave by a jump.
#include "enter.h"
#include <execinfo.h>
#include <link.h>
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unwind.h>

/* Callee-saved registers and rbp hold marks all the time. */
#define LOOP(name, call)                                                                           \
    FUNCTION(name, "push %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbx, 0\n"                \
                   "push %r12\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %r12, 0\n"                \
                   "push %r13\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %r13, 0\n"                \
                   "mov $0x1111, %ebx\nmov $0x2222, %r12d\nmov %rsp, %r13\nmov %edi, %r8d\nmov %esi, %edi\n"         \
                   AT(name##_start) "1: " call "\ndec %r8d\njnz 1b\n" AT(name##_end)               \
                   "pop %r13\n.cfi_adjust_cfa_offset -8\npop %r12\n.cfi_adjust_cfa_offset -8\n"    \
                   "pop %rbx\n.cfi_adjust_cfa_offset -8\nret")
LOOP(numbered, "mov $39, %eax\nsyscall")
LOOP(passed, "mov $110, %eax\nsyscall")
LOOP(zeroed, "xor %eax, %eax\nsyscall\ncmp $-4095, %rax\nsbb %edx, %edx")
LOOP(bare, "mov $39, %eax\njmp 2f\n2: syscall\nxchg %eax, %edx\nxchg %eax, %edx\nnop")
LOOP(adjacent, "mov $24, %eax\nsyscall\nsyscall")
LOOP(owned, "mov $14, %eax\nxor %edi, %edi\nxor %esi, %esi\nxor %edx, %edx\nmov $8, %r10d\nsyscall")
LOOP(queried, "xor %eax, %eax\nxor %ecx, %ecx\nmov %rbx, %r9\ncpuid\nmov %r9, %rbx")

#define EACH(op) op(numbered) op(passed) op(zeroed) op(bare) op(adjacent) op(owned) op(queried)
#define DECLARE(name) long name(int, int); extern char name##_start[], name##_end[];
EACH(DECLARE)

static char *low, *high;
static uintptr_t ranges[256][2];
static int range_count;
static volatile long ticks, inside, leaving, unwound;
static volatile int mode;
static sigjmp_buf back;

static int note(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X && range_count < 256) {
            ranges[range_count][0] = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            ranges[range_count][1] = ranges[range_count][0] + info->dlpi_phdr[i].p_memsz;
            range_count++;
        }
    return 0;
}

static void run(long (*loop)(int, int));

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *data)
{
    *(int *)data += _Unwind_GetRegionStart(context) == (_Unwind_Ptr)(uintptr_t)run;
    return _URC_NO_REASON;
}

static void tick(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    ucontext_t *state = context;
    greg_t *regs = state->uc_mcontext.gregs;
    uintptr_t pc = (uintptr_t)regs[REG_RIP];
    ticks++;
    int known = 0;
    for (int i = 0; i < range_count; i++)
        known |= pc >= ranges[i][0] && pc < ranges[i][1];
    if (!known)
        dprintf(2, "interrupted at %#lx\n", (long)pc);
    CHECK(known);
    if (pc < (uintptr_t)low || pc >= (uintptr_t)high)
        return;
    inside++;
    CHECK_EQ(regs[REG_R12], 0x2222);
    CHECK_EQ(regs[REG_RSP], regs[REG_R13]);
    if (low != queried_start)
        CHECK_EQ(regs[REG_RBX], 0x1111);
    CHECK(regs[REG_R8] >= 0 && regs[REG_R8] <= 1 << 30);
    if (mode == 1) {
        int found = 0;
        void *addresses[32];
        CHECK(backtrace(addresses, 32) > 3);
        _Unwind_Backtrace(frame, &found);
        CHECK_EQ(found, 1);
        unwound++;
    }
    if (mode == 2) {
        regs[REG_RIP] = (greg_t)(uintptr_t)high, regs[REG_RAX] = 4242;
        leaving++;
    }
    if (mode == 3) {
        leaving++;
        siglongjmp(back, 1);
    }
}

static __attribute__((noinline)) void run(long (*loop)(int, int))
{
    mode = 0;
    for (long until = inside + 300; inside < until;)
        loop(50, -1);
    mode = 1;
    for (long until = unwound + 100; unwound < until;)
        loop(50, -1);
    mode = 2;
    for (long until = leaving + 200; leaving < until;) {
        long before = leaving, result = loop(200, -1);
        REREAD();
        if (leaving != before)
            CHECK_EQ(result, 4242);
    }
    mode = 3;
    for (volatile long until = leaving + 200; leaving < until;)
        if (sigsetjmp(back, 1) == 0)
            loop(1000, -1);
    mode = 0;
}

int main(void)
{
    void *addresses[4];
    backtrace(addresses, 4); /* loads the unwinder */
    dl_iterate_phdr(note, NULL);
    on_signal(SIGALRM, tick, SA_RESTART);
    struct itimerval period = {{0, 100}, {0, 100}}, none = {{0, 0}, {0, 0}};
    static struct { long (*loop)(int, int); char *low, *high; } all[] = {
#define ROW(name) {name, name##_start, name##_end},
        EACH(ROW)};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        low = all[i].low, high = all[i].high;
        CHECK_EQ(setitimer(ITIMER_REAL, &period, NULL), 0);
        run(all[i].loop);
        CHECK_EQ(setitimer(ITIMER_REAL, &none, NULL), 0);
    }
    return done();
}
