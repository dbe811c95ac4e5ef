// build: -O1
// Synchronous faults: signal, code, address, rip, trap number, error code and registers are exact.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <ucontext.h>

static struct {
    int signal, code;
    void *address;
    greg_t regs[NGREG];
} seen;
static volatile greg_t resume_at;
static volatile int faults;

static void handler(int signal, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    seen.signal = signal;
    seen.code = info->si_code;
    seen.address = info->si_addr;
    memcpy(seen.regs, state->uc_mcontext.gregs, sizeof seen.regs);
    faults++;
    state->uc_mcontext.gregs[REG_RIP] = resume_at;
}

/* Runs `text` at a label; the fault is expected at it, the handler resumes after it. */
#define FAULT(name, text, input)                                                                   \
    do {                                                                                           \
        extern char at_##name[], behind_##name[];                                                  \
        resume_at = (greg_t)behind_##name;                                                         \
        faults = 0;                                                                                \
        uint64_t rbx = 0x1122334455667788;                                                         \
        __asm__ volatile("mov %2, %%rdi\nmov $0x5a5a5a5a, %%esi\nxor %%edx, %%edx\nmov $7, %%eax\n" \
                         "mov %%rsp, %1\nstc\n"                                                    \
                         "at_" #name ": " text "\nbehind_" #name ":\n"                             \
                         "mov %1, %%rsp\ncld\n"                                                    \
                         : "+b"(rbx), "=&r"(stack) : "r"((long)(input))                            \
                         : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "memory", "cc");               \
        CHECK_EQ(faults, 1);                                                                       \
        CHECK_EQ(rbx, 0x1122334455667788);                                                         \
        report(#name, at_##name, behind_##name, (long)(input));                                    \
    } while (0)

static void place(long value, char *at, char *behind, long input)
{
    if (value >= (long)at && value <= (long)behind)
        printf("at%+ld", value - (long)at);
    else if (value - input < 8192 && value - input > -8192)
        printf("input%+ld", value - input);
    else
        printf("%lx", value);
}

static void report(const char *name, char *at, char *behind, long input)
{
    long rip = seen.regs[REG_RIP];
    printf("%s: signal %d code %d trap %lld error %llx flags %llx rip ", name, seen.signal, seen.code,
           seen.regs[REG_TRAPNO], seen.regs[REG_ERR], seen.regs[REG_EFL] & 0xcd5);
    place(rip, at, behind, input);
    printf(" address ");
    place((long)seen.address, at, behind, input);
    printf("\n");
    CHECK_EQ(seen.regs[REG_RDI], input);
    CHECK_EQ(seen.regs[REG_RSI], 0x5a5a5a5a);
    CHECK_EQ(seen.regs[REG_RBX], 0x1122334455667788);
}

int main(void)
{
    uint64_t stack;
    int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    stack_t alternate = {.ss_sp = malloc(65536), .ss_size = 65536};
    CHECK_EQ(sigaltstack(&alternate, NULL), 0);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        on_signal(signals[i], handler, SA_ONSTACK);
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *readable = pages, *plain = pages + 4096, *hole = pages + 8192;
    CHECK_EQ(mprotect(readable, 4096, PROT_READ), 0);
    CHECK_EQ(munmap(hole, 4096), 0);
    FAULT(null_read, "mov (%%rdi), %%rax", 0);
    FAULT(null_write, "mov %%rax, 0x18(%%rdi)", 0);
    FAULT(write_to_readable, "movl $1, 8(%%rdi)", readable);
    FAULT(read_of_hole, "movdqu 16(%%rdi), %%xmm0", hole);
    FAULT(read_across_the_end, "mov -4(%%rdi), %%rax", hole);
    FAULT(write_across_the_end, "mov %%rax, -3(%%rdi)", hole);
    FAULT(modify_in_memory, "addq $1, (%%rdi)", readable);
    FAULT(locked_modify, "lock incq (%%rdi)", readable);
    FAULT(exchange, "xchg %%rax, (%%rdi)", readable);
    FAULT(push_to_hole, "lea 8(%%rdi), %%rsp; mov -8(%%rdi), %%al; push %%rax", readable);
    FAULT(jump_to_plain_page, "jmp *%%rdi", plain);
    FAULT(jump_to_hole, "jmp *%%rdi", hole);
    FAULT(call_of_null, "call *%%rdi", 0);
    FAULT(jump_through_null, "jmp *(%%rdi)", 0);
    FAULT(non_canonical_read, "mov (%%rdi), %%rax", 0x8000000000000000);
    /* Whether the branch is named or its target is up to the CPU. */
    FAULT(non_canonical_jump, "jmp *%%rdi", 0x1234567800000000);
    FAULT(non_canonical_call, "call *%%rdi", 0x1234567800000000);
    *(uint64_t *)plain = 0x8000000000000000;
    FAULT(non_canonical_jump_through_memory, "jmp *(%%rdi)", plain);
    FAULT(non_canonical_call_through_memory, "call *(%%rdi)", plain);
    FAULT(divide_by_zero, "div %%rdx", 3);
    FAULT(divide_overflow, "mov $5, %%edx; mov $1, %%ecx; div %%rcx", 3);
    FAULT(undefined_instruction, "ud2", 3);
    FAULT(breakpoint, "int3", 3);
    FAULT(long_breakpoint, ".byte 0xcd, 3", 3);
    FAULT(privileged_halt, "hlt", 3);
    FAULT(privileged_cli, "cli", 3);
    FAULT(privileged_out, "out %%al, $0x80", 3);
    FAULT(privileged_wrmsr, "wrmsr", 3);
    FAULT(software_interrupt, "int $0x21", 3);
    FAULT(unaligned_sse, "movaps 1(%%rdi), %%xmm0", plain);
    FAULT(load_of_bad_selector, "mov %%di, %%es", 0x1234);
    FAULT(x87_division, "fninit; movw $0x37b, -8(%%rsp); fldcw -8(%%rsp); fld1; fldz; fdivrp; fwait", 3);
    __asm__ volatile("fninit");
    FAULT(simd_division, "movl $0x1d80, -8(%%rsp); ldmxcsr -8(%%rsp); cvtsi2sd %%edx, %%xmm0; cvtsi2sd %%eax, %%xmm1; divsd %%xmm0, %%xmm1", 3);
    unsigned usual = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(usual));
    int file = open("short", O_RDWR | O_CREAT, 0644);
    CHECK_EQ(ftruncate(file, 100), 0);
    char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    mapped[4095] = 1;
    FAULT(read_beyond_the_file, "mov 0x20(%%rdi), %%rax", mapped + 4096);
    FAULT(write_beyond_the_file, "mov %%al, (%%rdi)", mapped + 4096);
    return done();
}
