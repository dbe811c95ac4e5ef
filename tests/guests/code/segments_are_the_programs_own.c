// build: -O1 -pthread
// fs and gs bases: arch_prctl and the fsgsbase instructions agree, gs-relative accesses of every form
// work, threads have their own, signals and calls keep them.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <ucontext.h>

enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003, GET_GS = 0x1004 };

static uint64_t base(int which)
{
    uint64_t value = 0;
    CHECK_EQ(RAW2(SYS_arch_prctl, which, &value), 0);
    return value;
}

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    uint64_t value;
    __asm__ volatile("mov %%gs:8, %0" : "=r"(value));
    CHECK_EQ(value, 0x1111);
}

static uint64_t area[512];

static void use_gs(uint64_t *at)
{
    at[0] = 7, at[1] = 0x1111, at[2] = 0, at[3] = 3;
    uint64_t value, index = 1;
    __asm__ volatile("mov %%gs:(%1), %0" : "=r"(value) : "r"(8L));
    CHECK_EQ(value, 0x1111);
    __asm__ volatile("mov %%gs:8(,%1,8), %0" : "=r"(value) : "r"(index));
    CHECK_EQ(value, 0);
    __asm__ volatile("movq $99, %%gs:16\nlock addq $1, %%gs:16\nincq %%gs:16" : : : "memory", "cc");
    CHECK_EQ(at[2], 101);
    __asm__ volatile("lea %%gs:24, %0" : "=r"(value)); /* lea ignores the segment */
    CHECK_EQ(value, 24);
    __asm__ volatile("movdqu %%gs:0, %%xmm0\nmovdqu %%xmm0, %%gs:64" : : : "xmm0", "memory");
    CHECK_EQ(at[9], 0x1111);
    __asm__ volatile("pushq %%gs:8\npopq %%gs:40" : : : "memory");
    CHECK_EQ(at[5], 0x1111);
    __asm__ volatile("xor %%eax, %%eax\nlock cmpxchgq %1, %%gs:48\nmov %%gs:48, %0" : "=r"(value) : "r"(5L) : "rax", "memory", "cc");
    CHECK_EQ(value, 5);
    char bytes[8];
    void *source = (void *)8, *target = bytes;
    long count = 8;
    __asm__ volatile("rep movsb %%gs:(%%rsi), (%%rdi)" : "+S"(source), "+D"(target), "+c"(count) : : "memory");
    CHECK_EQ(*(uint64_t *)bytes, 0x1111);
    raise(SIGUSR1);
    sched_yield();
    __asm__ volatile("mov %%gs:8, %0" : "=r"(value));
    CHECK_EQ(value, 0x1111);
    /* Call and jump through gs. */
    extern char landing[];
    at[10] = (uint64_t)landing;
    __asm__ volatile("jmp *%%gs:80\nud2\nlanding:" : : : "memory");
    at[11] = 0;
    CHECK_EQ(base(GET_GS), at);
}

static void *in_thread(void *argument)
{
    uint64_t *own = argument;
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(RAW2(SYS_arch_prctl, SET_GS, own), 0);
        use_gs(own);
    }
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    uint64_t fs = base(GET_FS), self;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(self));
    CHECK_EQ(self, fs);
    CHECK_EQ(base(GET_GS), 0);
    CHECK_EQ(RAW2(SYS_arch_prctl, SET_GS, area), 0);
    use_gs(area);
    CHECK_EQ(RAW2(SYS_arch_prctl, SET_GS, 1L << 62), -EPERM);
    if (getauxval(AT_HWCAP2) & 2) {
        uint64_t value;
        __asm__ volatile("rdgsbase %0" : "=r"(value));
        CHECK_EQ(value, area);
        __asm__ volatile("wrgsbase %0" : : "r"(area + 100));
        CHECK_EQ(base(GET_GS), area + 100);
        use_gs(area + 100);
        __asm__ volatile("rdfsbase %0" : "=r"(value));
        CHECK_EQ(value, fs);
        uint32_t low;
        __asm__ volatile("rdgsbase %0" : "=r"(low));
        CHECK_EQ(low, (uint32_t)(uintptr_t)(area + 100));
        /* A foreign fs for a moment, and a signal-free system call under it. */
        uint64_t other[8] = {0, 0, 0, 0, 0, 0x55};
        long result;
        __asm__ volatile("wrfsbase %2\nmov %%fs:40, %0\nmov $39, %%eax\nsyscall\nwrfsbase %3"
                         : "=&r"(value), "=&a"(result) : "r"(other), "r"(fs) : "rcx", "r11", "memory");
        CHECK_EQ(value, 0x55);
        CHECK_EQ(result, getpid());
    }
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, in_thread, area + 128 + 64 * i);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(base(GET_FS), fs);
    /* Loading the null selector clears the base on this kernel's CPUs or keeps it, natively as under us. */
    unsigned selector;
    __asm__ volatile("mov %%gs, %0" : "=r"(selector));
    CHECK_EQ(selector, 0);
    return done();
}
