// build[fixed]: -O1 -no-pie
// build[pie]: -O1 -fPIE -pie
// calls: equal
// Instructions after a call fault where they were written, with their registers; handlers go on after them, in front of
// them, or at any instruction of any patched call.
#include "enter.h"
#include <ucontext.h>

#define BEHIND_CALL(name, body) FUNCTION(name, "jmp 1f\n1: syscall\n" AT(name##_at) body "\n" AT(name##_next) "nop\nnop\nret")
BEHIND_CALL(halts, "hlt")
BEHIND_CALL(undefined, "ud2")
BEHIND_CALL(breaks, "int3")
BEHIND_CALL(loads, "mov (%rbx), %rsi")
BEHIND_CALL(stores, "mov %rsi, (%rbx)")
BEHIND_CALL(stores_much, "movups %xmm0, 64(%rbx, %rdx, 8)")
BEHIND_CALL(divides, "div %r12")
BEHIND_CALL(out_of_canon, "mov (%r13), %rsi")
FUNCTION(halts_behind_number, "mov $110, %eax\nsyscall\n" AT(halts_behind_number_at) "hlt\n" AT(halts_behind_number_next) "ret")
FUNCTION(halts_behind_query, "jmp 1f\n1: cpuid\n" AT(halts_behind_query_at) "hlt\n" AT(halts_behind_query_next) "nop\nnop\nret")

#define EACH(op) op(halts, SIGSEGV) op(undefined, SIGILL) op(loads, SIGSEGV) op(stores, SIGSEGV) \
    op(stores_much, SIGSEGV) op(divides, SIGFPE) op(out_of_canon, SIGSEGV) op(halts_behind_number, SIGSEGV) \
    op(halts_behind_query, SIGSEGV)
#define DECLARE(name, signal) extern char name[], name##_at[], name##_next[];
EACH(DECLARE)
DECLARE(breaks, 0)

/* Where a handler may lead. */
FUNCTION(bare, "jmp bare_call\n" AT(bare_call) "syscall\n" AT(bare_1) "xchg %rax, %rbx\n" AT(bare_2) "xchg %rax, %rsi\n" AT(bare_3) "ret")
FUNCTION(numbered, "mov $39, %eax\n" AT(numbered_call) "syscall\n" AT(numbered_behind) "ret")
extern char bare_call[], bare_1[], bare_2[], bare_3[], numbered_call[], numbered_behind[], numbered[];

static volatile long got, rip, address, rax, rcx, lead, number = -1;

static void handler(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    got = signal, rip = regs[REG_RIP], address = (long)info->si_addr, rax = regs[REG_RAX], rcx = regs[REG_RCX];
    regs[REG_RIP] = lead;
    if (number >= 0)
        regs[REG_RAX] = number;
}

static struct registers now, before;

static void run(char *function, char *next, uint64_t first)
{
    static uint64_t seed = 8;
    fill(&before, &seed);
    before.flags = 0x202;
    before.gpr[RAX] = first, before.gpr[RBX] = 16, before.gpr[RDX] = 0, before.gpr[RCX] = 0;
    before.gpr[12] = 0, before.gpr[13] = 0x8000000000000000;
    now = before;
    got = 0, lead = (long)next;
    enter(&now, function);
    REREAD();
}

static void in_moved(long parent)
{
#define FAULT(name, expected)                                                                      \
    run(name, name##_next, SYS_getppid);                                                           \
    CHECK_EQ(got, expected);                                                                       \
    CHECK_EQ(rip, name##_at);                                                                      \
    CHECK_EQ(now.gpr[12], before.gpr[12]);                                                         \
    if (name != halts_behind_query) {                                                              \
        CHECK_EQ(rax, parent);                                                                     \
        CHECK_EQ(rcx, name##_at);                                                                  \
        CHECK_EQ(now.gpr[RAX], parent);                                                            \
        CHECK_EQ(now.gpr[RBX], before.gpr[RBX]);                                                   \
    }                                                                                              \
    if (expected != SIGSEGV)                                                                       \
        CHECK_EQ(address, name##_at);
    EACH(FAULT)
    run(loads, loads_next, SYS_getppid);
    CHECK_EQ(address, 16);
    run(stores_much, stores_much_next, SYS_getppid);
    CHECK_EQ(address, 80);
    run(breaks, breaks_next, SYS_getppid);
    CHECK_EQ(got, SIGTRAP);
    CHECK_EQ(rip, breaks_next);
    CHECK_EQ(rax, parent);
}

/* From a fault to each instruction of a patched call. */
static void led(long pid, long parent)
{
    number = SYS_getppid;
    run(undefined, bare_call, SYS_getpid);
    CHECK_EQ(now.gpr[RAX], before.gpr[RSI]);
    CHECK_EQ(now.gpr[RBX], parent);
    run(undefined, numbered_call, SYS_getpid);
    CHECK_EQ(now.gpr[RAX], parent);
    number = -1;
    run(undefined, bare_1, SYS_getppid);
    CHECK_EQ(now.gpr[RBX], parent);
    CHECK_EQ(now.gpr[RSI], before.gpr[RBX]);
    run(undefined, bare_2, SYS_getppid);
    CHECK_EQ(now.gpr[RSI], parent);
    CHECK_EQ(now.gpr[RBX], before.gpr[RBX]);
    run(undefined, bare_3, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], parent);
    run(undefined, numbered, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], pid);
    run(undefined, numbered_behind, SYS_getppid);
    CHECK_EQ(now.gpr[RAX], parent);
}

/* A branch into a patch where the signal's own delivery would be wrong: on another stack, with everything blocked. */
static void blocked(long parent)
{
    sigset_t all, old;
    sigfillset(&all);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &all, &old), 0);
    for (int i = 0; i < 20; i++) {
        run(numbered_call, NULL, SYS_getppid);
        CHECK_EQ(now.gpr[RAX], parent);
        run(bare_1, NULL, 5);
        CHECK_EQ(now.gpr[RBX], 5);
    }
    CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

/* No handler, or none at all: the program notices nothing. */
static void unhandled(long parent)
{
    struct sigaction saved, action;
    memset(&action, 0, sizeof action);
    for (int i = 0; i < 2; i++) {
        action.sa_handler = i ? SIG_IGN : SIG_DFL;
        CHECK_EQ(sigaction(SIGSEGV, &action, &saved), 0);
        run(numbered_call, NULL, SYS_getppid);
        CHECK_EQ(now.gpr[RAX], parent);
        CHECK_EQ(sigaction(SIGSEGV, &saved, NULL), 0);
    }
}

int main(void)
{
    long pid = getpid(), parent = getppid();
    const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS};
    for (int i = 0; i < 5; i++)
        on_signal(signals[i], handler, 0);
    for (int i = 0; i < 50; i++) {
        in_moved(parent);
        led(pid, parent);
        blocked(parent);
        unhandled(parent);
    }
    return done();
}
