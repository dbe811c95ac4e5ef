// build: -O1
// limit: 60
// Raw clone with every combination of CLONE_VM, FILES, FS, SIGHAND, VFORK and THREAD that the kernel
// takes: memory, descriptors, working directory, umask, handlers and pids as each side sees them afterwards.
#include "check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

static volatile int memory;
static char *stack;
static int *word; /* shared by both sides whatever the flags: cleared when the child is gone */
static int *report;

static void other(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }

/* Runs in the child: raw calls only, its libc state may be the parent's. */
static int child(void *unused)
{
    (void)unused;
    memory = 1;
    RAW2(SYS_dup2, 1, 100);
    RAW1(SYS_close, 101);
    RAW1(SYS_chdir, "/");
    RAW1(SYS_umask, 0123);
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } action = {(void *)other, 0x04000000, (void *)other, 0};
    RAW4(SYS_rt_sigaction, SIGUSR2, &action, 0, 8);
    report[0] = (int)RAW0(SYS_getpid);
    report[1] = (int)RAW0(SYS_gettid);
    report[2] = (int)RAW0(SYS_getppid);
    return 0;
}

/* clone through a child stack; the parent gets the result, the child never returns. */
static long start(unsigned long flags, int *tid)
{
    long result;
    char *top = stack + 65536;
    register int *r10 __asm__("r10") = word; /* cleared and woken at the child's end */
    register long r8 __asm__("r8") = 0;
    __asm__ volatile("mov $56, %%eax\nsyscall\ntest %%rax, %%rax\njnz 1f\n"
                     "xor %%ebp, %%ebp\nxor %%edi, %%edi\ncall *%[child]\n"
                     "xor %%edi, %%edi\nmov $60, %%eax\nsyscall\nhlt\n1:\n"
                     : "=&a"(result)
                     : "D"(flags), "S"(top), "d"(tid), "r"(r10), "r"(r8), [child] "b"(child)
                     : "rcx", "r11", "memory");
    return result;
}

static int is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

int main(void)
{
    char home[4096], where[4096];
    CHECK(getcwd(home, sizeof home) != NULL);
    stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    report = word + 16;
    static const struct {
        unsigned long bit;
        const char *name;
    } flags[] = {{CLONE_VM, "VM"},           {CLONE_FS, "FS"},       {CLONE_FILES, "FILES"},
                 {CLONE_SIGHAND, "SIGHAND"}, {CLONE_VFORK, "VFORK"}, {CLONE_THREAD, "THREAD"}};
    for (unsigned set = 0; set < 64; set++) {
        unsigned long bits = CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID;
        for (int i = 0; i < 6; i++)
            if (set >> i & 1) {
                bits |= flags[i].bit;
                printf("%s ", flags[i].name);
            }
        if (!(bits & CLONE_THREAD))
            bits |= SIGCHLD;
        memory = 0;
        *word = 1;
        report[0] = report[1] = report[2] = 0;
        CHECK_EQ(dup2(1, 101), 101);
        close(100);
        umask(022);
        signal(SIGUSR2, SIG_DFL);
        int tid = 0;
        fflush(stdout);
        long result = start(bits, &tid);
        if (result < 0) {
            printf(": error %ld\n", -result);
            continue;
        }
        CHECK_EQ(tid, result);
        /* With shared memory the kernel clears the word and wakes; a child of its own memory is waited for. */
        if (bits & CLONE_VM)
            while (__atomic_load_n(word, __ATOMIC_SEQ_CST))
                syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
        if (bits & CLONE_THREAD) {
            CHECK_EQ(waitpid((pid_t)result, NULL, __WALL), -1);
        } else {
            int status;
            CHECK_EQ(waitpid((pid_t)result, &status, 0), result);
            CHECK_EQ(status, 0);
        }
        CHECK_EQ(report[1], result);
        CHECK_EQ(report[0], bits & CLONE_THREAD ? getpid() : result);
        CHECK_EQ(report[2], bits & CLONE_THREAD ? getppid() : getpid());
        struct sigaction action;
        sigaction(SIGUSR2, NULL, &action);
        CHECK(getcwd(where, sizeof where) != NULL);
        mode_t mask = umask(022);
        printf(": memory %d, opened %d, closed %d, directory %s, mask %o, handler %s\n", memory, is_open(100),
               !is_open(101), strcmp(where, "/") == 0 ? "moved" : "kept", mask,
               action.sa_handler == SIG_DFL ? "kept" : "changed");
        CHECK_EQ(chdir(home), 0);
        CHECK_EQ(memory, (bits & CLONE_VM) != 0);
        CHECK_EQ(is_open(100), (bits & CLONE_FILES) != 0);
    }
    return done();
}
