// build: -O1 -pthread
// limit: 60
// A filter as browsers have it: memory calls with flags that the program does not use are trapped. Threads, processes and
// code come all the same, and the program sees the traps of its own calls only.
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
/* Goes on after the next `skip` instructions unless the call has this number. */
#define UNLESS(number, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, skip)
#define IS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, skip, 0)
#define HAS(bits, skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (unsigned)(bits), skip, 0)

enum { MAPS = MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE | MAP_FIXED | MAP_DENYWRITE };

static volatile int traps;
static volatile long number_of_trap, place_of_trap, result_in_trap;

static void trap(int signal, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    (void)signal;
    traps++;
    number_of_trap = info->si_syscall;
    place_of_trap = (long)info->si_call_addr;
    result_in_trap = state->uc_mcontext.gregs[REG_RAX];
    state->uc_mcontext.gregs[REG_RAX] = -EINVAL;
}

static void set_filter(unsigned advice_result)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        UNLESS(SYS_mmap, 4),
        LOAD(args[3]),
        HAS(~MAPS, 1),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_TRAP),
        UNLESS(SYS_mprotect, 4),
        LOAD(args[2]),
        HAS(~(PROT_READ | PROT_WRITE | PROT_EXEC), 1),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_TRAP),
        UNLESS(SYS_madvise, 5),
        LOAD(args[2]),
        IS(MADV_DONTNEED, 2),
        IS(MADV_NORMAL, 1),
        RETURN(advice_result),
        RETURN(SECCOMP_RET_ALLOW),
        UNLESS(SYS_prctl, 4),
        LOAD(args[0]),
        IS(PR_SET_NAME, 2),
        IS(PR_GET_NAME, 1),
        RETURN(SECCOMP_RET_TRAP),
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Functions that nobody has run before. */
static long new_code(void)
{
    enum { FUNCTIONS = 20000 };
    long sum = 0;
    unsigned char *code = mmap(NULL, FUNCTIONS * 16L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    for (int i = 0; i < FUNCTIONS; i++) {
        unsigned char *at = code + i * 16L;
        at[0] = 0xb8; /* mov eax, i; ret */
        memcpy(at + 1, &i, 4);
        at[5] = 0xc3;
    }
    CHECK_EQ(mprotect(code, FUNCTIONS * 16L, PROT_READ | PROT_EXEC), 0);
    for (int i = 0; i < FUNCTIONS; i++)
        sum += ((int (*)(void))(code + i * 16L))();
    CHECK_EQ(munmap(code, FUNCTIONS * 16L), 0);
    return sum - FUNCTIONS * (FUNCTIONS - 1L) / 2;
}

static void *thread(void *argument)
{
    sigset_t all;
    sigfillset(&all);
    if (argument)
        CHECK_EQ(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
    return (void *)new_code();
}

static char page[4096] __attribute__((aligned(4096)));

/* The program's own call is trapped: once, at its place, with its number where the result will be. */
static void trapped(long number, long a, long b, long c, long d)
{
    long result, after;
    int before = traps;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = -1;
    register long r9 __asm__("r9") = 0;
    __asm__ volatile("lea 1f(%%rip), %%rbx\nsyscall\n1: mov %%rbx, %1"
                     : "=a"(result), "=&r"(after)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "rbx", "memory");
    CHECK_EQ(traps, before + 1);
    CHECK_EQ(result, -EINVAL);
    CHECK_EQ(number_of_trap, number);
    CHECK_EQ(place_of_trap, after);
    CHECK_EQ(result_in_trap, number);
}

static void works(unsigned advice_result)
{
    set_filter(advice_result);
    for (int round = 0; round < 3; round++) {
        pthread_t threads[4];
        for (long i = 0; i < 4; i++)
            CHECK_EQ(pthread_create(&threads[i], NULL, thread, (void *)(i & 1)), 0);
        for (int i = 0; i < 4; i++) {
            void *result;
            CHECK_EQ(pthread_join(threads[i], &result), 0);
            CHECK_EQ((long)result, 0);
        }
        pid_t child = fork();
        if (child == 0) {
            pthread_t other;
            CHECK_EQ(pthread_create(&other, NULL, thread, NULL), 0);
            CHECK_EQ(pthread_join(other, NULL), 0);
            _exit(new_code() == 0 ? 3 : 4);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 3 << 8);
    }
    REREAD();
    CHECK_EQ(traps, 0);
    trapped(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN);
    trapped(SYS_mmap, (long)page, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN);
    trapped(SYS_mprotect, (long)page, 4096, PROT_READ | PROT_GROWSDOWN, 0);
    trapped(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0);
    if (advice_result == SECCOMP_RET_TRAP)
        trapped(SYS_madvise, (long)page, 4096, MADV_DONTFORK, 0);
    else
        CHECK_EQ(RAW3(SYS_madvise, page, 4096, MADV_DONTFORK), -EPERM);
    CHECK_EQ(new_code(), 0);
    _exit(0);
}

static int status_of(unsigned advice_result)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        works(advice_result);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

int main(void)
{
    on_signal(SIGSYS, trap, SA_NODEFER);
    CHECK_EQ(status_of(SECCOMP_RET_ERRNO | EPERM), 0);
    CHECK_EQ(status_of(SECCOMP_RET_TRAP), 0);
    return done();
}
