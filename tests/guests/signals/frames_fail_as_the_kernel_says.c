// build: -O1
// Without a restorer, on a stack that cannot be written, with a vector state that cannot be read: SIGSEGV, which a handler
// on another stack may take. A changed alternate stack counts unless the thread is on it.
#include "check.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

static volatile int segv_runs, segv_code;

static void on_segv(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    segv_runs++;
    segv_code = info->si_code;
}

static void plain(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
}

static int ends_with(void (*what)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        what();
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status & 0xff7f; /* no core */
}

struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

static void returns(int signal)
{
    (void)signal;
}

static void without_restorer(void)
{
    struct kernel_action action = {returns, 0, NULL, 0};
    CHECK_EQ(RAW4(SYS_rt_sigaction, SIGUSR1, &action, 0, 8), 0);
    raise(SIGUSR1);
}

static void without_restorer_but_a_handler(void)
{
    on_signal(SIGSEGV, on_segv, 0);
    without_restorer();
    REREAD();
    _exit(segv_runs * 10 + (segv_code == SI_KERNEL));
}

static void read_only_stack(int flags)
{
    void *pages = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = pages, .ss_size = 65536};
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    on_signal(SIGSEGV, on_segv, flags);
    on_signal(SIGHUP, plain, SA_ONSTACK);
    raise(SIGHUP);
    REREAD();
    _exit(segv_runs);
}

static void handler_on_the_other_stack(void)
{
    read_only_stack(0);
}

static void handler_on_the_same_stack(void)
{
    read_only_stack(SA_ONSTACK);
}

static void blocked_handler(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    read_only_stack(0);
}

/* rt_sigreturn from a frame of bytes, its vector state at `state`. */
static void return_from(unsigned char fill, long state)
{
    unsigned char *bytes = malloc(16384);
    memset(bytes, fill, 16384);
    ucontext_t *context = (ucontext_t *)(bytes + 8);
    if (fill == 0) {
        getcontext(context);
        sigemptyset(&context->uc_sigmask);
    }
    context->uc_mcontext.fpregs = (void *)state;
    __asm__ volatile("lea 8(%0), %%rsp; mov $15, %%eax; syscall" : : "r"(bytes) : "rax", "memory");
}

static void state_out_of_the_address_space(void)
{
    return_from(0, -1);
}

static void state_of_no_access(void)
{
    return_from(0, (long)mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void frame_of_ones(void)
{
    return_from(0xff, -1);
}

static void ignored_and_bad(void)
{
    signal(SIGSEGV, SIG_IGN);
    return_from(0, -1);
}

/* The state's description promises a closing word that lies behind the mapping. */
static void state_cut_off(void)
{
    unsigned char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + 4096, 4096);
    unsigned char *state = pages + 4096 - 576;
    unsigned *words = (unsigned *)(state + 464);
    words[0] = 0x46505853;
    words[1] = 580;
    words[2] = 3;
    words[4] = 576;
    return_from(0, (long)state);
}

static volatile long seen_sp, seen_size;
static stack_t other;

static void changes_stack(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    ((ucontext_t *)context)->uc_stack = other;
}

static void stacks(void)
{
    static char first[65536], second[65536];
    stack_t stack = {.ss_sp = first, .ss_size = sizeof first}, now;
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    other = (stack_t){.ss_sp = second, .ss_size = sizeof second};

    /* From the usual stack to the usual stack: the change counts. */
    on_signal(SIGUSR1, changes_stack, 0);
    REREAD();
    raise(SIGUSR1);
    CHECK_EQ(sigaltstack(NULL, &now), 0);
    CHECK(now.ss_sp == second);

    /* One that is too small does not. */
    other = (stack_t){.ss_sp = first, .ss_size = 100};
    REREAD();
    raise(SIGUSR1);
    CHECK_EQ(sigaltstack(NULL, &now), 0);
    CHECK(now.ss_sp == second && now.ss_size == sizeof second);
    other = (stack_t){.ss_sp = first, .ss_size = sizeof first, .ss_flags = 16};
    REREAD();
    raise(SIGUSR1);
    CHECK_EQ(sigaltstack(NULL, &now), 0);
    CHECK(now.ss_sp == second);
}

/* From a handler on the alternate stack to another one on it: the change is ignored. */
static void inner(int signal, siginfo_t *info, void *context)
{
    changes_stack(signal, info, context);
}

static void outer(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    stack_t now;
    raise(SIGUSR2);
    CHECK_EQ(sigaltstack(NULL, &now), 0);
    seen_sp = (long)now.ss_sp;
    seen_size = now.ss_flags;
}

static void stack_in_use(void)
{
    static char first[65536], second[65536];
    stack_t stack = {.ss_sp = first, .ss_size = sizeof first};
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    other = (stack_t){.ss_sp = second, .ss_size = sizeof second};
    on_signal(SIGUSR1, outer, SA_ONSTACK);
    on_signal(SIGUSR2, inner, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK_EQ(seen_sp, (long)first);
    CHECK_EQ(seen_size, SS_ONSTACK);
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static void flags_read_back(void)
{
    static char bytes[65536];
    stack_t stack = {.ss_sp = bytes, .ss_size = sizeof bytes, .ss_flags = (int)(SS_DISABLE | SS_AUTODISARM)}, now;
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    CHECK_EQ(sigaltstack(NULL, &now), 0);
    CHECK_EQ(now.ss_flags, (int)(SS_DISABLE | SS_AUTODISARM));
    CHECK_EQ((long)now.ss_sp, 0);
    stack.ss_flags = (int)(SS_ONSTACK | SS_AUTODISARM);
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    CHECK_EQ(sigaltstack(NULL, &now), 0);
    CHECK_EQ(now.ss_flags, (int)SS_AUTODISARM);
}

int main(void)
{
    CHECK_EQ(ends_with(without_restorer), SIGSEGV);
    CHECK_EQ(ends_with(without_restorer_but_a_handler), 11 << 8);
    CHECK_EQ(ends_with(handler_on_the_other_stack), 1 << 8);
    CHECK_EQ(ends_with(handler_on_the_same_stack), SIGSEGV);
    CHECK_EQ(ends_with(blocked_handler), SIGSEGV);
    CHECK_EQ(ends_with(state_out_of_the_address_space), SIGSEGV);
    CHECK_EQ(ends_with(state_of_no_access), SIGSEGV);
    CHECK_EQ(ends_with(state_cut_off), SIGSEGV);
    CHECK_EQ(ends_with(frame_of_ones), SIGSEGV);
    CHECK_EQ(ends_with(ignored_and_bad), SIGSEGV);
    stacks();
    stack_in_use();
    flags_read_back();
    return done();
}
