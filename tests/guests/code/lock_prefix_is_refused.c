// build: -O1
// With a LOCK prefix instructions that change the flow of control, or ask the kernel or the CPU, are undefined.
#include "check.h"
#include <setjmp.h>

#define CASES                                                                                                          \
    X(call, "call 3f")                                                                                                 \
    X(jump, "jmp 3f")                                                                                                  \
    X(short_condition, ".byte 0x74, 0")                                                                                \
    X(near_condition, ".byte 0x0f, 0x85, 0, 0, 0, 0")                                                                  \
    X(loop, ".byte 0xe2, 0")                                                                                           \
    X(jrcxz, ".byte 0xe3, 0")                                                                                          \
    X(return, "ret")                                                                                                   \
    X(return_and_drop, "ret $8")                                                                                       \
    X(indirect_call, "call *%rax")                                                                                     \
    X(indirect_jump, "jmp *3f(%rip)")                                                                                  \
    X(system_call, "syscall")                                                                                          \
    X(old_system_call, "int $0x80")                                                                                    \
    X(breakpoint, "int3")                                                                                              \
    X(cpu_query, "cpuid")                                                                                              \
    X(clock, "rdtsc")                                                                                                  \
    X(flags, "popfq")                                                                                                  \
    X(interrupt_return, "iretq")                                                                                       \
    X(far_return, "lretq")                                                                                             \
    X(selector, "mov %eax, %gs")

/* At 2 the instruction with its prefix; at 3 nobody comes. */
#define X(name, text)                                                                                                  \
    __attribute__((naked)) static void name##_(void)                                                                   \
    {                                                                                                                  \
        __asm__("xor %eax, %eax\n2: .byte 0xf0\n" text "\nret\n3: ud2\n");                                             \
    }
CASES
#undef X

static sigjmp_buf back;
static volatile unsigned long place;
static volatile int code;

static void undefined(int signal, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    (void)signal;
    place = (unsigned long)state->uc_mcontext.gregs[REG_RIP];
    code = info->si_code;
    CHECK_EQ(info->si_addr, place);
    siglongjmp(back, 1);
}

static void refused(const char *name, void (*function)(void))
{
    if (sigsetjmp(back, 1) == 0) {
        function();
        printf("%s is executed\n", name);
        exit(1);
    }
    CHECK_EQ(place, (unsigned long)function + 2);
    CHECK_EQ(code, ILL_ILLOPN);
    printf("%s\n", name);
}

int main(void)
{
    on_signal(SIGILL, undefined, 0);
#define X(name, text) refused(#name, name##_);
    CASES
    return done();
}
