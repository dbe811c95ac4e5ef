// build: -O1
// A fault inside a repeated string instruction leaves rcx, rsi and rdi at the element that failed.
#include "check.h"
#include <sys/mman.h>
#include <ucontext.h>

static volatile greg_t regs[NGREG];
static char *fix_from;
static volatile int faults;
static void *fault_address;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    ucontext_t *state = context;
    for (int i = 0; i < NGREG; i++)
        regs[i] = state->uc_mcontext.gregs[i];
    fault_address = info->si_addr;
    faults++;
    /* The page appears, the instruction goes on where it stopped. */
    CHECK_EQ(mprotect(fix_from, 4096, PROT_READ | PROT_WRITE), 0);
}

static char *target, *source;

static void reset(int target_end, int source_end)
{
    target = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    source = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 8192; i++)
        source[i] = (char)(i * 7);
    if (target_end)
        mprotect(fix_from = target + 4096, 4096, PROT_NONE);
    if (source_end)
        mprotect(fix_from = source + 4096, 4096, PROT_NONE);
    faults = 0;
}

#define STRING(text, rdi, rsi, rcx)                                                                \
    do {                                                                                           \
        long d = (long)(rdi), s = (long)(rsi), c = (long)(rcx), a = 0x5c;                          \
        __asm__ volatile(text : "+D"(d), "+S"(s), "+c"(c), "+a"(a) : : "memory", "cc");            \
        printf("%s: faults %d rdi %+ld rsi %+ld rcx %lld end rdi %+ld rsi %+ld rcx %ld\n", text, faults, \
               (long)regs[REG_RDI] - (long)(rdi), (long)regs[REG_RSI] - (long)(rsi),               \
               (long long)regs[REG_RCX], d - (long)(rdi), s - (long)(rsi), c);                     \
        CHECK_EQ(faults, 1);                                                                       \
    } while (0)

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    reset(1, 0);
    STRING("rep movsb", target + 4000, source, 300);
    CHECK_EQ(fault_address, target + 4096);
    CHECK_EQ(memcmp(target + 4000, source, 300), 0);
    reset(0, 1);
    STRING("rep movsb", target, source + 4090, 100);
    CHECK_EQ(memcmp(target, source + 4090, 100), 0);
    reset(1, 0);
    STRING("rep movsq", target + 4096 - 80 - 3, source, 30);
    CHECK_EQ(memcmp(target + 4096 - 83, source, 240), 0);
    reset(1, 0);
    STRING("rep stosb", target + 4096 - 50, source, 100);
    CHECK_EQ(target[4096 + 49], 0x5c);
    reset(1, 0);
    STRING("rep stosl", target + 4096 - 50, source, 100);
    reset(0, 1);
    memset(source, 1, 4096);
    STRING("rep lodsb", target, source + 4096 - 9, 20);
    reset(1, 0);
    STRING("repne scasb", target + 4096 - 30, source, 60);
    reset(0, 1);
    memset(source, 0, 4096);
    STRING("repe cmpsb", target, source + 4096 - 30, 60);
    reset(0, 0);
    mprotect(fix_from = target, 4096, PROT_NONE);
    STRING("std; rep movsb; cld", target + 4096 + 20, source + 100, 50);
    return done();
}
