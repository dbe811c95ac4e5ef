// build: -O2
// limit: 60
// At every timer tick the frame must show a state that the interrupted loop can be in: rip inside it,
// counters that belong together, the stack pointer untouched. A handler moves rip to leave the loop.
#include "check.h"
#include <sys/time.h>
#include <ucontext.h>

extern char loop_start[], loop_end[], loop_exit[];
static volatile int ticks;
static uint64_t loop_rsp __attribute__((used));

static void tick(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)regs[REG_RIP];
    if (rip < (uint64_t)loop_start || rip >= (uint64_t)loop_end)
        return;
    CHECK_EQ(regs[REG_RSP], loop_rsp);
    /* rax counts, then rbx, then r12: each is the one before or one after it. */
    int64_t first = regs[REG_RAX] - regs[REG_RBX], second = regs[REG_RBX] - regs[REG_R12];
    CHECK(first == 0 || first == 1);
    CHECK(second == 0 || second == 1);
    CHECK(first + second <= 1 || rip > (uint64_t)loop_start);
    CHECK_EQ(regs[REG_RDX], 0x123456789abcdef);
    CHECK_EQ(regs[REG_R9], -2);
    uint64_t offset = rip - (uint64_t)loop_start;
    /* Instructions are 4 bytes each: rip is at one of them and fits the counters. */
    CHECK_EQ(offset % 4, 0);
    if (offset / 4 == 0)
        CHECK(first == 0 && second == 0);
    if (offset / 4 == 1)
        CHECK(first == 1 && second == 0);
    if (offset / 4 == 2)
        CHECK(first == 0 && second == 1);
    if (offset / 4 >= 3)
        CHECK(first == 0 && second == 0);
    if (++ticks % 200 == 0)
        regs[REG_RIP] = (greg_t)loop_exit;
}

int main(void)
{
    on_signal(SIGVTALRM, tick, 0);
    struct itimerval interval = {{0, 1000}, {0, 1000}};
    CHECK_EQ(setitimer(ITIMER_VIRTUAL, &interval, NULL), 0);
    for (int round = 0; round < 3; round++)
        __asm__ volatile("mov %%rsp, loop_rsp(%%rip)\nxor %%eax, %%eax\nxor %%ebx, %%ebx\nxor %%r12d, %%r12d\n"
                         "mov $0x123456789abcdef, %%rdx\nmov $-2, %%r9\n"
                         ".globl loop_start, loop_end, loop_exit\n"
                         "loop_start: add $1, %%rax\nadd $1, %%rbx\nadd $1, %%r12\n"
                         "nopl 8(%%rax)\n.byte 0x3e, 0x3e, 0xeb, loop_start - 1f\n1:\nloop_end: ud2\n"
                         "loop_exit:\n"
                         : : : "rax", "rbx", "r12", "rdx", "r9", "memory", "cc");
    CHECK_EQ(ticks, 600);
    return done();
}
