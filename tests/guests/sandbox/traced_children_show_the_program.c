// build: -O1
// native: traced_children_show_the_program
// A program traces its child, which goes on without exec: calls, their numbers, arguments, results and places, signals, steps and
// breakpoints are those of the program.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#define request(...) ptrace(__VA_ARGS__)

/* Calls whose place is known. */
long call_here(long number, long a, long b, long c);
extern char call_here_at[], add_here[];
__asm__("call_here:\n mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov %rcx, %rdx\n"
        "call_here_at: syscall\n ret\n"
        "add_here: lea 1(%rdi), %rax\n nop\n ret\n");

static volatile int runs, last_value;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    runs++;
    last_value = info->si_value.sival_int;
}

static int stop_of(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status))
        check_failed(__FILE__, __LINE__, "the child is stopped", status, 0);
    return WSTOPSIG(status);
}

static void ends_with(pid_t child, int code)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, code << 8);
}

/* A child that asks to be traced, stops and then does something. */
static pid_t traced(void (*what)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
        raise(SIGSTOP);
        what();
        _exit(7);
    }
    CHECK_EQ(stop_of(child), SIGSTOP);
    CHECK_EQ(request(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)), 0);
    return child;
}

static struct user_regs_struct registers(pid_t child)
{
    struct user_regs_struct regs;
    CHECK_EQ(request(PTRACE_GETREGS, child, NULL, &regs), 0);
    return regs;
}

/* ---- calls */

static void makes_calls(void)
{
    CHECK_EQ(call_here(SYS_getpid, 0, 0, 0), getpid());
    CHECK_EQ(call_here(SYS_getuid, 0, 0, 0), getuid());
    CHECK_EQ(call_here(SYS_close, -7, 0, 0), -EBADF);
    CHECK_EQ(call_here(SYS_sched_yield, 1, 2, 3), 4321);
}

static const long expected[] = {SYS_getpid, SYS_getuid, SYS_close, SYS_sched_yield};

/* The next stop at entry or exit of a call made by `call_here`. */
static struct user_regs_struct next_call(pid_t child, enum __ptrace_request how)
{
    for (;;) {
        CHECK_EQ(request(how, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGTRAP | 0x80);
        struct user_regs_struct regs = registers(child);
        if (regs.rip == (unsigned long)call_here_at + 2)
            return regs;
    }
}

static void of_calls(void)
{
    pid_t child = traced(makes_calls);
    for (int i = 0; i < 4; i++) {
        struct user_regs_struct regs = next_call(child, PTRACE_SYSCALL);
        CHECK_EQ(regs.orig_rax, expected[i]);
        CHECK_EQ(regs.rax, -ENOSYS);
        struct __ptrace_syscall_info info;
        CHECK(request((enum __ptrace_request)PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof info, &info) > 0);
        CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
        CHECK_EQ(info.entry.nr, expected[i]);
        CHECK_EQ(info.instruction_pointer, (unsigned long)call_here_at + 2);
        if (expected[i] == SYS_sched_yield) {
            CHECK_EQ(info.entry.args[0], 1);
            CHECK_EQ(info.entry.args[1], 2);
            CHECK_EQ(info.entry.args[2], 3);
        }
        regs = next_call(child, PTRACE_SYSCALL);
        CHECK(request((enum __ptrace_request)PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof info, &info) > 0);
        CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
        if (expected[i] == SYS_getpid)
            CHECK_EQ(regs.rax, child);
        if (expected[i] == SYS_close)
            CHECK_EQ(regs.rax, -EBADF);
        if (expected[i] == SYS_sched_yield) {
            regs.rax = 4321;
            CHECK_EQ(request(PTRACE_SETREGS, child, NULL, &regs), 0);
        }
    }
    CHECK_EQ(request(PTRACE_CONT, child, NULL, NULL), 0);
    ends_with(child, 7);
}

/* No call of the child's is made: all are answered here. */
static void makes_two(void)
{
    CHECK_EQ(call_here(SYS_getpid, 0, 0, 0), 1000);
    CHECK_EQ(call_here(SYS_kill, getpid(), SIGKILL, 0), 1001);
}

static void of_emulation(void)
{
    pid_t child = traced(makes_two);
    for (int answers = 0; answers < 2;) {
        CHECK_EQ(request((enum __ptrace_request)PTRACE_SYSEMU, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGTRAP | 0x80);
        struct user_regs_struct regs = registers(child);
        if (regs.rip != (unsigned long)call_here_at + 2) {
            CHECK_EQ(regs.orig_rax, SYS_getpid);
            regs.rax = (unsigned long)child;
        } else {
            CHECK_EQ(regs.orig_rax, answers == 0 ? SYS_getpid : SYS_kill);
            regs.rax = 1000 + (unsigned)answers++;
        }
        CHECK_EQ(request(PTRACE_SETREGS, child, NULL, &regs), 0);
    }
    CHECK_EQ(request(PTRACE_CONT, child, NULL, NULL), 0);
    ends_with(child, 7);
}

/* ---- signals */

static void sends_signals(void)
{
    union sigval value = {.sival_int = 55};
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGSEGV, handler, 0);
    sigqueue(getpid(), SIGUSR1, value);
    REREAD();
    CHECK_EQ(runs, 1);
    CHECK_EQ(last_value, 55);
    sigqueue(getpid(), SIGUSR1, value); /* Taken away by the tracer. */
    REREAD();
    CHECK_EQ(runs, 1);
    sigqueue(getpid(), SIGUSR1, value); /* Another one for it. */
    REREAD();
    CHECK_EQ(runs, 2);
}

static void continues_to_signal(pid_t child)
{
    siginfo_t info;
    CHECK_EQ(request(PTRACE_CONT, child, NULL, NULL), 0);
    CHECK_EQ(stop_of(child), SIGUSR1);
    CHECK_EQ(request(PTRACE_GETSIGINFO, child, NULL, &info), 0);
    CHECK_EQ(info.si_code, SI_QUEUE);
    CHECK_EQ(info.si_pid, child);
    CHECK_EQ(info.si_value.sival_int, 55);
}

static void of_signals(void)
{
    pid_t child = traced(sends_signals);
    continues_to_signal(child);
    /* A step into the handler shows its first instruction, on its frame. */
    struct user_regs_struct before = registers(child), after;
    CHECK_EQ(request(PTRACE_SINGLESTEP, child, NULL, (void *)SIGUSR1), 0);
    CHECK_EQ(stop_of(child), SIGTRAP);
    after = registers(child);
    CHECK_EQ(after.rip, (unsigned long)handler);
    CHECK_EQ(after.rdi, SIGUSR1);
    CHECK(after.rsp < before.rsp);
    continues_to_signal(child);
    continues_to_signal(child);
    CHECK_EQ(request(PTRACE_CONT, child, NULL, (void *)SIGSEGV), 0);
    ends_with(child, 7);
}

/* Who is traced already is refused, and goes on. */
static void asks_again(void)
{
    CHECK_EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), -1);
    CHECK_EQ(errno, EPERM);
}

/* ---- text */

static void adds(void)
{
    for (long i = 0; i < 5; i++)
        CHECK_EQ(((long (*)(long))add_here)(i), i == 3 ? 99 : i + 1);
}

static void of_breakpoints(void)
{
    pid_t child = traced(adds);
    errno = 0;
    long word = request(PTRACE_PEEKTEXT, child, add_here, NULL);
    CHECK_EQ(errno, 0);
    CHECK_EQ(word & 0xffffffff, 0x01478d48); /* lea 1(%rdi), %rax */
    long call = request(PTRACE_PEEKTEXT, child, call_here_at, NULL);
    CHECK_EQ(call & 0xffffff, 0xc3050f); /* syscall; ret */
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(request(PTRACE_POKETEXT, child, add_here, (void *)((word & ~0xffL) | 0xcc)), 0);
        CHECK_EQ(request(PTRACE_CONT, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGTRAP);
        struct user_regs_struct regs = registers(child);
        CHECK_EQ(regs.rip, (unsigned long)add_here + 1);
        CHECK_EQ(regs.rdi, i);
        regs.rip--;
        if (i == 3)
            regs.rdi = 98;
        CHECK_EQ(request(PTRACE_SETREGS, child, NULL, &regs), 0);
        CHECK_EQ(request(PTRACE_POKETEXT, child, add_here, (void *)word), 0);
        CHECK_EQ(request(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGTRAP);
        CHECK_EQ(registers(child).rip, (unsigned long)add_here + 4);
    }
    CHECK_EQ(request(PTRACE_CONT, child, NULL, NULL), 0);
    ends_with(child, 7);
}

/* ---- what was there before */

static sigset_t blocked;
static char stack_bytes[1 << 16];
static int file, ends[2];
static unsigned char *code;
static const unsigned long words[] = {0x1122334455667788};

static unsigned long word_of_gs(void)
{
    unsigned long word;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(word));
    return word;
}

/* Descriptions in use, code that was made and changed, a segment base. */
static void makes_what_was(void)
{
    char byte;
    file = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(ftruncate(file, 5000), 0);
    close(file);
    file = open("data", O_RDONLY);
    CHECK_EQ(unlink("data"), 0);
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(read(file, &byte, 1), 1);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(write(ends[1], "xy", 2), 2);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
    }
    CHECK_EQ(write(ends[1], "z", 1), 1);
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    /* mov $SYS_getpid, %eax; syscall; mov $1, %eax; ret */
    memcpy(code, "\xb8\x27\x00\x00\x00\x0f\x05\xb8\x01\x00\x00\x00\xc3", 13);
    CHECK_EQ(mprotect(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
    CHECK_EQ(((int (*)(void))code)(), 1);
    CHECK_EQ(syscall(SYS_arch_prctl, 0x1001, words), 0); /* ARCH_SET_GS */
    CHECK_EQ(word_of_gs(), words[0]);
}

static void uses_what_was(void)
{
    char byte = 0;
    asks_again();
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 1000);
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(byte, 'z');
    CHECK_EQ(word_of_gs(), words[0]);
    CHECK_EQ(((int (*)(void))code)(), 1);
    code[8] = 2;
    CHECK_EQ(((int (*)(void))code)(), 2);
    /* Numbers are given in their order. */
    int next = dup(0);
    CHECK_EQ(dup(0), next + 1);
    sigset_t now, pending;
    stack_t stack;
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK_EQ(memcmp(&now, &blocked, sizeof(long)), 0);
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGSEGV) && sigismember(&pending, SIGUSR2));
    CHECK_EQ(sigaltstack(NULL, &stack), 0);
    CHECK(stack.ss_sp == stack_bytes && stack.ss_size == sizeof stack_bytes && stack.ss_flags == 0);
    sigset_t unblock;
    sigemptyset(&unblock);
    sigaddset(&unblock, SIGSEGV);
    sigprocmask(SIG_UNBLOCK, &unblock, NULL);
    REREAD();
    CHECK_EQ(runs, 1);
    CHECK_EQ(last_value, 77);
    char *data = malloc(1 << 20);
    memset(data, 1, 1 << 20);
    free(data);
    fflush(stdout);
}

/* In a handler, on the alternate stack: it returns as it would have. */
static void asks_in_handler(int signal, siginfo_t *info, void *context)
{
    handler(signal, info, context);
    CHECK_EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
}

static void in_handler(void)
{
    pid_t child = fork();
    if (child == 0) {
        stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof stack_bytes}, now;
        struct sigaction action = {.sa_sigaction = asks_in_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigset_t mask;
        double value = 1.5;
        CHECK_EQ(sigaltstack(&stack, NULL), 0);
        sigaction(SIGBUS, &action, NULL);
        sigaction(SIGUSR1, &action, NULL);
        __asm__ volatile("movsd %0, %%xmm9" : : "m"(value) : "xmm9");
        raise(SIGBUS);
        __asm__ volatile("movsd %%xmm9, %0" : "=m"(value));
        CHECK(value == 1.5);
        sigprocmask(SIG_BLOCK, NULL, &mask);
        CHECK(!sigismember(&mask, SIGBUS));
        CHECK_EQ(sigaltstack(NULL, &now), 0);
        CHECK(now.ss_sp == stack_bytes && now.ss_flags == 0);
        REREAD();
        CHECK_EQ(runs, 1);
        _exit(7);
    }
    ends_with(child, 7);
}

static void of_what_was(void)
{
    pid_t child = fork();
    if (child == 0) {
        union sigval value = {.sival_int = 77};
        stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof stack_bytes};
        struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        CHECK_EQ(sigaltstack(&stack, NULL), 0);
        sigaction(SIGSEGV, &action, NULL);
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGSEGV);
        sigaddset(&blocked, SIGUSR2);
        sigprocmask(SIG_SETMASK, &blocked, NULL);
        sigqueue(getpid(), SIGSEGV, value);
        raise(SIGUSR2);
        makes_what_was();
        CHECK_EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
        uses_what_was();
        _exit(7);
    }
    CHECK_EQ(stop_of(child), SIGSEGV);
    CHECK_EQ(request(PTRACE_CONT, child, NULL, (void *)SIGSEGV), 0);
    ends_with(child, 7);
}

int main(void)
{
    of_calls();
    of_emulation();
    of_signals();
    of_breakpoints();
    of_what_was();
    in_handler();
    return done();
}
