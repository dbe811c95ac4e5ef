// build: -O1
// SA_ONSTACK switches stacks, nested signals stay on it, SS_AUTODISARM disarms, and an overflow of
// the main stack is handled there.
#include "check.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif
static char *area;
static const size_t size = 65536;
static volatile int on_area[2], flags_inside;
static volatile int depth;
static sigjmp_buf back;

static int is_inside(void *address) { return (char *)address >= area && (char *)address < area + size; }

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)info;
    int here = depth++;
    on_area[here] = is_inside(&here);
    stack_t stack;
    CHECK_EQ(sigaltstack(NULL, &stack), 0);
    flags_inside = stack.ss_flags;
    ucontext_t *state = context;
    if (state->uc_stack.ss_sp != NULL)
        CHECK_EQ(state->uc_stack.ss_sp, area);
    if (here == 0)
        raise(signal);
    if (here == 0 && (flags_inside & SS_ONSTACK)) {
        stack_t other = {.ss_sp = area, .ss_size = size / 2};
        CHECK_EQ(sigaltstack(&other, NULL), -1);
        CHECK_EQ(errno, EPERM);
    }
    depth--;
}

static void overflow(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    int here;
    CHECK(is_inside(&here));
    CHECK(info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR);
    char *stack = (char *)((ucontext_t *)context)->uc_mcontext.gregs[15]; /* REG_RSP */
    CHECK((char *)info->si_addr > stack - 65536 && (char *)info->si_addr < stack + 65536);
    siglongjmp(back, 1);
}

static int consume(int n)
{
    volatile char room[4096];
    room[0] = (char)n;
    return n == -1 ? 0 : consume(n + 1) + room[0];
}

int main(void)
{
    area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = area, .ss_size = size}, old;
    CHECK_EQ(sigaltstack(&stack, &old), 0);
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    on_signal(SIGUSR1, handler, SA_NODEFER);
    raise(SIGUSR1);
    CHECK(!on_area[0] && !on_area[1]);
    CHECK_EQ(flags_inside, 0);
    on_signal(SIGUSR1, handler, SA_NODEFER | SA_ONSTACK);
    raise(SIGUSR1);
    CHECK(on_area[0] && on_area[1]);
    CHECK_EQ(flags_inside, SS_ONSTACK);
    stack.ss_flags = (int)SS_AUTODISARM;
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    raise(SIGUSR1);
    CHECK(on_area[0]);
    CHECK_EQ(flags_inside & SS_DISABLE, SS_DISABLE);
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK_EQ(old.ss_flags, (int)SS_AUTODISARM);
    CHECK_EQ(old.ss_sp, area);
    stack.ss_flags = 0;
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    struct rlimit limit = {1 << 20, 1 << 20};
    CHECK_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
    on_signal(SIGSEGV, overflow, SA_ONSTACK);
    for (int round = 0; round < 3; round++)
        if (sigsetjmp(back, 1) == 0) {
            consume(0);
            CHECK(!"endless recursion ended");
        }
    stack.ss_flags = SS_DISABLE;
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    return done();
}
