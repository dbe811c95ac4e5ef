// build: -O1 -pthread
// limit: 60
// getpid is right wherever it is asked: in children of every kind, in threads, after exec, in another pid namespace, and what
// a seccomp filter says about it holds from the moment it is installed, in every thread it concerns.
#include "enter.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

FUNCTION(numbered, "mov $39, %eax\nsyscall\nmovslq %eax, %rdx\nmov %rdx, %rax\nret")
FUNCTION(behind_branch, "mov $39, %eax\njmp 1f\n1: syscall\nret")
long numbered(void), behind_branch(void);

/* What the kernel shows of the process: /proc/self is resolved in the namespace that /proc was mounted for. */
static long from_proc(void)
{
    char text[64];
    FILE *file = fopen("/proc/self/stat", "r");
    CHECK(file != NULL);
    CHECK(fgets(text, sizeof text, file) != NULL);
    fclose(file);
    return atol(text);
}

static void is(long pid)
{
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(numbered(), pid);
        CHECK_EQ(behind_branch(), pid);
        CHECK_EQ(RAW0(SYS_getpid), pid);
        CHECK_EQ(getpid(), pid);
    }
}

static void ends(pid_t child, int code)
{
    int status;
    CHECK_EQ(waitpid(child, &status, __WALL), child);
    CHECK_EQ(status, code << 8);
}

static void *thread(void *argument)
{
    is((long)argument);
    CHECK(RAW0(SYS_gettid) != (long)argument);
    return NULL;
}

static int cloned(void *argument)
{
    (void)argument;
    is(RAW0(SYS_gettid));
    return 3;
}

/* The thread of a process that shares memory with its parent has the child's id. */
static int cloned_thread_body(void *argument)
{
    is((long)argument);
    RAW1(SYS_exit, 0);
    return 0;
}

static int cloned_with_thread(void *argument)
{
    char *stack = argument;
    pid_t self = (pid_t)RAW0(SYS_gettid);
    static volatile pid_t tid = 1;
    tid = 1;
    CHECK(clone(cloned_thread_body, stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID,
                (void *)(long)self, NULL, NULL, &tid) > 0);
    while (tid)
        sched_yield();
    is(self);
    return 4;
}

static void refuse_getpid(int code, unsigned flags)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)code),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, filter};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(RAW3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program), 0);
}

static volatile int stage;

static void *waits_for_filter(void *argument)
{
    long pid = (long)argument;
    is(pid);
    stage = 1;
    while (stage != 2)
        CHECK_EQ(RAW0(SYS_sched_yield), 0);
    CHECK_EQ(numbered(), -EUCLEAN);
    CHECK_EQ(behind_branch(), -EUCLEAN);
    return NULL;
}

static void filters(char **argv)
{
    pid_t child = fork();
    if (child == 0) {
        is(RAW0(SYS_gettid));
        refuse_getpid(EUCLEAN, 0);
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(numbered(), -EUCLEAN);
            CHECK_EQ(behind_branch(), -EUCLEAN);
        }
        pid_t inner = fork();
        if (inner == 0) {
            CHECK_EQ(numbered(), -EUCLEAN);
            execl(argv[0], argv[0], "filtered", NULL);
            _exit(127);
        }
        ends(inner, 6);
        inner = vfork();
        if (inner == 0) {
            if (numbered() != -EUCLEAN)
                _exit(1);
            execl(argv[0], argv[0], "filtered", NULL);
            _exit(127);
        }
        ends(inner, 6);
        _exit(8);
    }
    ends(child, 8);
    is(getpid());
    /* For all threads at once. */
    child = fork();
    if (child == 0) {
        pthread_t other;
        CHECK_EQ(pthread_create(&other, NULL, waits_for_filter, (void *)RAW0(SYS_gettid)), 0);
        while (stage != 1)
            sched_yield();
        refuse_getpid(EUCLEAN, SECCOMP_FILTER_FLAG_TSYNC);
        stage = 2;
        CHECK_EQ(numbered(), -EUCLEAN);
        CHECK_EQ(pthread_join(other, NULL), 0);
        _exit(8);
    }
    ends(child, 8);
    /* A filter of one thread concerns that thread and those it starts. */
    is(getpid());
    /* In a child that shares memory the filter is the child's alone. */
    child = vfork();
    if (child == 0) {
        refuse_getpid(EUCLEAN, 0);
        _exit(numbered() == -EUCLEAN ? 8 : 1);
    }
    ends(child, 8);
    is(getpid());
    /* Strict mode: the call is the process's last. */
    child = fork();
    if (child == 0) {
        CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), 0);
        numbered();
        RAW1(SYS_exit, 1);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status & 0x7f, SIGKILL);
}

static void namespaces(void)
{
    pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWPID) && (unshare(CLONE_NEWUSER) || unshare(CLONE_NEWPID)))
            _exit(8);
        pid_t self = (pid_t)RAW0(SYS_gettid);
        is(self);
        pid_t first = fork();
        if (first == 0) {
            is(1);
            CHECK_EQ(getppid(), 0);
            pid_t inner = fork();
            if (inner == 0) {
                is(2);
                _exit(5);
            }
            ends(inner, 5);
            inner = vfork();
            if (inner == 0)
                _exit(numbered() == 3 ? 5 : 1);
            ends(inner, 5);
            is(1);
            _exit(8);
        }
        ends(first, 8);
        is(self);
        _exit(8);
    }
    ends(child, 8);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "filtered") == 0)
        return numbered() == -EUCLEAN && behind_branch() == -EUCLEAN && RAW0(SYS_getpid) == -EUCLEAN ? 6 : 1;
    if (argc == 2) {
        is(RAW0(SYS_gettid));
        CHECK_EQ(numbered(), from_proc());
        return 7;
    }
    long pid = from_proc();
    is(pid);
    CHECK_EQ(RAW0(SYS_gettid), pid);
    char *stack = mmap(NULL, 512 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    for (int i = 0; i < 10; i++) {
        pthread_t other;
        CHECK_EQ(pthread_create(&other, NULL, thread, (void *)pid), 0);
        CHECK_EQ(pthread_join(other, NULL), 0);
        pid_t child = fork();
        if (child == 0) {
            CHECK_EQ(getppid(), pid);
            is(from_proc());
            CHECK_EQ(pthread_create(&other, NULL, thread, (void *)RAW0(SYS_gettid)), 0);
            CHECK_EQ(pthread_join(other, NULL), 0);
            execl(argv[0], argv[0], "again", NULL);
            _exit(127);
        }
        ends(child, 7);
        child = vfork();
        if (child == 0) {
            if (numbered() != RAW0(SYS_gettid) || numbered() == pid)
                _exit(1);
            execl(argv[0], argv[0], "again", NULL);
            _exit(127);
        }
        ends(child, 7);
        is(pid);
        ends(clone(cloned, stack + (512 << 10), CLONE_VM | SIGCHLD, NULL), 3);
        ends(clone(cloned, stack + (512 << 10), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL), 3);
        ends(clone(cloned, stack + (512 << 10), CLONE_VM | CLONE_FILES | CLONE_FS, NULL), 3);
        ends(clone(cloned, stack + (512 << 10), SIGCHLD, NULL), 3);
        ends(clone(cloned_with_thread, stack + (512 << 10), CLONE_VM | SIGCHLD, stack + (256 << 10)), 4);
        is(pid);
    }
    filters(argv);
    namespaces();
    is(pid);
    return done();
}
