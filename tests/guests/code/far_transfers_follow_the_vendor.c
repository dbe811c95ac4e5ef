// build: -O1
// Far calls and jumps through memory: Intel's CPUs take 64-bit pointers, AMD's 32-bit ones whatever the prefix says.
// What a selector does not allow faults at the instruction, as does `iretq` with NT set.
#include "generated.h"
#include <cpuid.h>
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile long fault_at, fault_signal;

static void fault(int signal, siginfo_t *info, void *context)
{
    (void)info;
    fault_signal = signal;
    fault_at = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(back, 1);
}

/* Each begins with the instruction, or has it at the label of its name with `_at`. */
__asm__(".text\n"
        ".globl call64, jump64, call32, iret_null, iret_null_at, iret_null_stack, iret_null_stack_at, iret_nested, iret_nested_at, ret_null, ret_null_at\n"
        "call64: rex.w lcall *(%rdi)\nret\n"
        "jump64: rex.w ljmp *(%rdi)\n"
        "call32: lcall *(%rdi)\nret\n"
        "iret_null: mov %rsp, %rdx\nmov %ss, %eax\npush %rax\npush %rdx\npushfq\npush $0\nlea 1f(%rip), %rax\npush %rax\niret_null_at: iretq\n1: ret\n"
        "iret_null_stack: mov %rsp, %rdx\npush $0\npush %rdx\npushfq\nmov %cs, %eax\npush %rax\nlea 1f(%rip), %rax\npush %rax\niret_null_stack_at: iretq\n1: ret\n"
        "iret_nested: mov %rsp, %rdx\nmov %ss, %eax\npush %rax\npush %rdx\npushfq\nmov %cs, %eax\npush %rax\nlea 1f(%rip), %rax\npush %rax\n"
        "pushfq\norl $0x4000, (%rsp)\npopfq\niret_nested_at: iretq\n1: ret\n"
        "ret_null: push $0\nlea 1f(%rip), %rax\npush %rax\nret_null_at: lretq\n1: ret\n");
extern char call64[], jump64[], call32[], iret_null[], iret_null_at[], iret_null_stack[], iret_null_stack_at[], iret_nested[],
    iret_nested_at[], ret_null[], ret_null_at[];

static long faults(void *code, void *operand)
{
    fault_at = 0;
    if (sigsetjmp(back, 1) == 0) {
        ((void (*)(void *))code)(operand);
        return 0;
    }
    /* NT stays in a handler. */
    __asm__ volatile("pushfq\nandl $~0x4000, (%%rsp)\npopfq" : : : "cc", "memory");
    CHECK_EQ(fault_signal, SIGSEGV);
    return fault_at;
}

struct __attribute__((packed)) pointer64 {
    uint64_t offset;
    uint16_t selector;
};
struct __attribute__((packed)) pointer32 {
    uint32_t offset;
    uint16_t selector;
};

int main(void)
{
    unsigned a, b, c, d;
    uint16_t own;
    __asm__("mov %%cs, %0" : "=r"(own));
    on_signal(SIGSEGV, fault, SA_NODEFER);
    __cpuid(0, a, b, c, d);
    int is_intel = b == 0x756e6547;
    /* lretq: returns to the caller of a far call; for a far jump a plain return. */
    unsigned char *code = pages(1, RWX);
    memcpy(code, "\x48\xcb", 2);
    memcpy(code + 16, "\xc3", 1);
    struct pointer64 far_call = {(uintptr_t)code, own}, far_jump = {(uintptr_t)code + 16, own}, null = {(uintptr_t)code, 0};
    CHECK_EQ(faults(call64, &far_call), is_intel ? 0 : (long)call64);
    CHECK_EQ(faults(jump64, &far_jump), is_intel ? 0 : (long)jump64);
    CHECK_EQ(faults(call64, &null), (long)call64);
    CHECK_EQ(faults(call32, (void *)8), (long)call32);
    CHECK_EQ(faults(call64, (void *)0x800000000000), (long)call64);
    unsigned char *low = mmap(NULL, 4096, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    CHECK(low != MAP_FAILED);
    /* lretl */
    memcpy(low, "\xcb", 1);
    struct pointer32 near = {(uint32_t)(uintptr_t)low, own}, zero = {(uint32_t)(uintptr_t)low, 0};
    CHECK_EQ(faults(call32, &zero), (long)call32);
    CHECK_EQ(faults(iret_null, NULL), (long)iret_null_at);
    CHECK_EQ(faults(iret_null_stack, NULL), (long)iret_null_stack_at);
    CHECK_EQ(faults(iret_nested, NULL), (long)iret_nested_at);
    CHECK_EQ(faults(ret_null, NULL), (long)ret_null_at);
    (void)near;
    return done();
}
