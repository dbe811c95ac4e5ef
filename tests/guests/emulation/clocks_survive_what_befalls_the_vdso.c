// build: -O1
// Raw clock calls under signals, with the time-stamp counter forbidden, with single steps, and after the vDSO is gone: results are the kernel's,
// and no register changes but those that a call changes.
#include "check.h"
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile sig_atomic_t arrived;
static long long in_handler;

static long long read_clock(clockid_t clock)
{
    struct timespec time;
    if (RAW2(SYS_clock_gettime, clock, &time) != 0)
        return -1;
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void on_timer(int signal)
{
    (void)signal;
    long long now = read_clock(CLOCK_MONOTONIC);
    CHECK(now > in_handler);
    in_handler = now;
    arrived++;
}

/* long call_and_compare(number, first, second, third, unsigned long *wrong): all registers that a system call keeps, and the carry
   flag, hold their values after it; *wrong is not 0 otherwise. */
long call_and_compare(long number, long first, long second, long third, unsigned long *wrong);
__asm__("call_and_compare:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %r8\n"
        "mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov %rcx, %rdx\n"
        "mov $0x1111, %ebx\n mov $0x2222, %ebp\n mov $0x3333, %r12d\n mov $0x4444, %r13d\n mov $0x5555, %r14d\n"
        "mov $0x6666, %r15d\n mov $0x7777, %r8d\n mov $0x8888, %r9d\n mov $0x9999, %r10d\n"
        "push %rdi\n push %rsi\n push %rdx\n"
        "stc\n"
        "syscall\n"
        "mov $0, %r11d\n"
        "adc $-1, %r11\n" /* 0 if the carry was kept */
        "pop %rcx\n xor %rcx, %rdx\n or %rdx, %r11\n"
        "pop %rcx\n xor %rcx, %rsi\n or %rsi, %r11\n"
        "pop %rcx\n xor %rcx, %rdi\n or %rdi, %r11\n"
        "xor $0x1111, %rbx\n or %rbx, %r11\n xor $0x2222, %rbp\n or %rbp, %r11\n xor $0x3333, %r12\n or %r12, %r11\n"
        "xor $0x4444, %r13\n or %r13, %r11\n xor $0x5555, %r14\n or %r14, %r11\n xor $0x6666, %r15\n or %r15, %r11\n"
        "xor $0x7777, %r8\n or %r8, %r11\n xor $0x8888, %r9\n or %r9, %r11\n xor $0x9999, %r10\n or %r10, %r11\n"
        "pop %r8\n mov %r11, (%r8)\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
        "ret\n");

static long call_and_look(long number, long first, long second, long third)
{
    unsigned long wrong = 1;
    long result = call_and_compare(number, first, second, third, &wrong);
    CHECK_EQ(wrong, 0);
    return result;
}

static void look_at_registers(void)
{
    struct timespec time = {0, 0};
    struct timeval day = {0, 0};
    struct timezone zone;
    unsigned cpu, node;
    long seconds = 0;
    CHECK_EQ(call_and_look(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 7), 0);
    CHECK(time.tv_sec > 0);
    CHECK_EQ(call_and_look(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, (long)&time, 7), 0);
    CHECK_EQ(call_and_look(SYS_clock_gettime, 0x100000001, (long)&time, 7), 0); /* only 32 bits of the number count */
    CHECK_EQ(call_and_look(SYS_clock_getres, CLOCK_MONOTONIC, (long)&time, 7), 0);
    CHECK_EQ(call_and_look(SYS_clock_getres, CLOCK_MONOTONIC, 0, 7), 0);
    CHECK_EQ(call_and_look(SYS_gettimeofday, (long)&day, (long)&zone, 7), 0);
    CHECK(day.tv_sec > 1000000);
    CHECK(call_and_look(SYS_time, (long)&seconds, 5, 7) >= day.tv_sec - 1); /* that of the last tick */
    CHECK(seconds >= day.tv_sec - 1);
    CHECK_EQ(call_and_look(SYS_getcpu, (long)&cpu, (long)&node, 0), 0);
    CHECK_EQ(call_and_look(SYS_clock_gettime, CLOCK_MONOTONIC, 1, 7), -EFAULT);
    CHECK_EQ(call_and_look(SYS_clock_gettime, CLOCK_MONOTONIC, -4096L, 7), -EFAULT);
    CHECK_EQ(call_and_look(SYS_clock_gettime, CLOCK_MONOTONIC, 0x800000000000L, 7), -EFAULT);
    CHECK_EQ(call_and_look(SYS_clock_gettime, 77, (long)&time, 7), -EINVAL);
}

static volatile long steps;

static void on_step(int signal)
{
    (void)signal;
    steps++;
}

static void step_through(void)
{
    struct sigaction step = {.sa_handler = on_step}, before;
    CHECK_EQ(sigaction(SIGTRAP, &step, &before), 0);
    struct timespec time = {0, 0};
    __asm__ volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n mov %0, %%eax\n syscall\n pushfq\n andl $~0x100, (%%rsp)\n popfq\n"
                     :
                     : "i"(SYS_clock_gettime), "D"(CLOCK_MONOTONIC), "S"(&time)
                     : "rax", "rcx", "r11", "memory", "cc");
    CHECK(time.tv_sec > 0);
    printf("steps: %ld\n", steps);
    CHECK_EQ(sigaction(SIGTRAP, &before, NULL), 0);
}

static unsigned long mapping_end(unsigned long start)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    char line[512];
    unsigned long from, to;
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from == start) {
            fclose(maps);
            return to;
        }
    check_failed(__FILE__, __LINE__, "no such mapping", (long)start, 0);
}

int main(void)
{
    look_at_registers();
    step_through();
    struct sigaction timer = {.sa_handler = on_timer};
    CHECK_EQ(sigaction(SIGALRM, &timer, NULL), 0);
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    long long last = 0;
    while (arrived < 300) {
        long long now = read_clock(CLOCK_MONOTONIC);
        CHECK(now > last);
        last = now;
        look_at_registers();
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);

    /* The kernel still tells the time when user space must not read the counter. */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(prctl(PR_SET_TSC, PR_TSC_SIGSEGV), 0);
        for (int k = 0; k < 3; k++) {
            look_at_registers();
            CHECK(read_clock(CLOCK_MONOTONIC) > 0);
        }
        _exit(0);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);

    /* And when its code is not there any more. */
    child = fork();
    if (child == 0) {
        unsigned long vdso = getauxval(AT_SYSINFO_EHDR), end = mapping_end(vdso);
        CHECK_EQ(munmap((void *)vdso, end - vdso), 0);
        for (int k = 0; k < 3; k++)
            look_at_registers();
        char *other = mmap((void *)vdso, end - vdso, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        CHECK_EQ((unsigned long)other, vdso);
        memset(other, 0xcc, end - vdso);
        look_at_registers();
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    return done();
}
