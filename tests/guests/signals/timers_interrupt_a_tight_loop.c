// build: -O2 -pthread -lrt
// limit: 60
// A 1 kHz CPU-time timer hits loops without calls, memory accesses or with flags live across
// instructions; the result stays right and signals arrive during the loop, not after it.
#include "check.h"
#include <sys/time.h>

static volatile int ticks;

static void tick(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    ticks++;
    /* Disturb what the interrupted code may hold. */
    __asm__ volatile("xor %%eax, %%eax; mov $-1, %%ecx; pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm1; std; cld; stc"
                     : : : "rax", "rcx", "xmm0", "xmm1", "cc");
}

/* All registers take part; the carry chain runs through the whole loop. */
static uint64_t checksum(uint64_t rounds)
{
    uint64_t result = rounds;
    __asm__ volatile(
        "push %%rbp\n"
        "mov $1, %%eax\nmov $2, %%ebx\nmov $3, %%edx\nmov $4, %%esi\nmov $5, %%edi\nmov $6, %%ebp\n"
        "mov $7, %%r8d\nmov $8, %%r9d\nmov $9, %%r10d\nmov $10, %%r11d\nmov $11, %%r12d\nmov $12, %%r13d\n"
        "mov $13, %%r14d\nmov $14, %%r15d\npxor %%xmm0, %%xmm0\npcmpeqd %%xmm1, %%xmm1\nclc\n"
        "1: adc %%rbx, %%rax\nadc %%rdx, %%rbx\nadc %%rsi, %%rdx\nadc %%rdi, %%rsi\nadc %%rbp, %%rdi\n"
        "adc %%r8, %%rbp\nadc %%r9, %%r8\nadc %%r10, %%r9\nadc %%r11, %%r10\nadc %%r12, %%r11\n"
        "adc %%r13, %%r12\nadc %%r14, %%r13\nadc %%r15, %%r14\nadc %%rax, %%r15\npsubq %%xmm1, %%xmm0\n"
        "dec %%rcx\njnz 1b\n" /* dec leaves the carry alone */
        "adc $0, %%rax\nxor %%rbx, %%rax\nxor %%rdx, %%rax\nxor %%rsi, %%rax\nxor %%rdi, %%rax\n"
        "xor %%rbp, %%rax\nxor %%r8, %%rax\nxor %%r9, %%rax\nxor %%r10, %%rax\nxor %%r11, %%rax\n"
        "xor %%r12, %%rax\nxor %%r13, %%rax\nxor %%r14, %%rax\nxor %%r15, %%rax\nmovq %%xmm0, %%rbx\nadd %%rbx, %%rax\n"
        "mov %%rax, %%rcx\npop %%rbp\n"
        : "+c"(result) : : "rax", "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
        "xmm0", "xmm1", "cc", "memory");
    return result;
}

static void spin_until(int wanted)
{
    /* Nothing but the handler ends this loop. */
    __asm__ volatile("1: cmp %1, %0\njl 1b" : : "m"(ticks), "r"(wanted) : "memory", "cc");
}

int main(void)
{
    uint64_t rounds = 1000000, expected = checksum(rounds);
    on_signal(SIGVTALRM, tick, 0);
    on_signal(SIGRTMIN, tick, 0);
    for (int source = 0; source < 3; source++) {
        timer_t timer = 0;
        struct itimerval interval = {{0, 1000}, {0, 1000}};
        struct itimerspec period = {{0, 1000000}, {0, 1000000}};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
        if (source == 0) {
            CHECK_EQ(setitimer(ITIMER_VIRTUAL, &interval, NULL), 0);
        } else {
            CHECK_EQ(timer_create(source == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID, &event, &timer), 0);
            CHECK_EQ(timer_settime(timer, 0, &period, NULL), 0);
        }
        ticks = 0;
        spin_until(20);
        for (int i = 0; ticks < 120; i++)
            CHECK_EQ(checksum(rounds), expected);
        if (source == 0) {
            memset(&interval, 0, sizeof interval);
            CHECK_EQ(setitimer(ITIMER_VIRTUAL, &interval, NULL), 0);
        } else {
            CHECK_EQ(timer_delete(timer), 0);
        }
    }
    return done();
}
