/* One getppid(2) in a loop, with somebody between the program and the kernel who sees it and passes it on. See measure.h.
 *
 * `plain` has nobody: it is what runs natively, under bt-run and under other programs. The rest are mechanisms of the kernel,
 * set up here; each counts what it saw, and that must be every call of the loop.
 */
#include "measure.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

/* The calls that are made here are nobody's business: the handler's own, and its return. */
extern const char allowed_begin[], allowed_end[];
void allowed_restorer(void);
long allowed_getppid(void);
__asm__(".text\n"
        ".globl allowed_begin, allowed_end, allowed_restorer, allowed_getppid\n"
        "allowed_begin:\n"
        ".type allowed_restorer, @function\n"
        "allowed_restorer:\n\tmov $15, %eax\n\tsyscall\n"
        ".type allowed_getppid, @function\n"
        "allowed_getppid:\n\tmov $110, %eax\n\tsyscall\n\tret\n"
        "allowed_end:\n");

static volatile uint64_t seen;
static int counted;

static void run_getppid(uint64_t operations)
{
    uint64_t before = seen;
    long parent = getppid(), wrong = 0;
    for (uint64_t i = 0; i < operations; i++)
        wrong |= raw_syscall(SYS_getppid, 0, 0, 0) ^ parent;
    errno = 0;
    check(wrong == 0, "getppid");
    /* libc's own before the loop counts as well. */
    check(!counted || seen - before == operations + 1, "calls that were seen");
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    ucontext_t *user = context;
    if (info->si_syscall != SYS_getppid)
        _exit(3);
    seen++;
    user->uc_mcontext.gregs[REG_RAX] = allowed_getppid();
}

/* With a restorer of our own: libc's lies where calls are not allowed. */
static void install_handler(void)
{
    struct {
        void (*handler)(int, siginfo_t *, void *);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = { pass_on, SA_SIGINFO | 0x04000000 /* SA_RESTORER */, allowed_restorer, 0 };
    check(syscall(SYS_rt_sigaction, SIGSYS, &action, NULL, sizeof action.mask) == 0, "rt_sigaction");
    counted = 1;
}

static volatile char selector = SYSCALL_DISPATCH_FILTER_ALLOW;

static void allow_calls(uint64_t operations)
{
    (void)operations;
    selector = SYSCALL_DISPATCH_FILTER_ALLOW;
}

/* Linux 5.11. Only the loop's calls are blocked: the handler's stand in the allowed range. */
static void run_user_dispatch(uint64_t operations)
{
    long wrong = 0;
    uint64_t before = seen;
    long parent = getppid();
    selector = SYSCALL_DISPATCH_FILTER_BLOCK;
    for (uint64_t i = 0; i < operations; i++)
        wrong |= raw_syscall(SYS_getppid, 0, 0, 0) ^ parent;
    selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    errno = 0;
    check(wrong == 0 && seen - before == operations, "calls that were seen");
}

static void use_user_dispatch(void)
{
    install_handler();
    check(prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, allowed_begin, allowed_end - allowed_begin, &selector) == 0,
          "PR_SET_SYSCALL_USER_DISPATCH");
}

/* getppid gives `action` but from the allowed range, all other calls pass. The range lies in one half of 4 GiB. */
static int filter_getppid(uint32_t action, unsigned flags)
{
    uint64_t from = (uint64_t)(uintptr_t)allowed_begin, to = (uint64_t)(uintptr_t)allowed_end;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(from >> 32), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)from, 0, 1),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)to, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    errno = 0;
    check(from >> 32 == to >> 32, "the allowed range");
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    int done = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    check(done >= 0, "seccomp");
    return done;
}

static void use_seccomp_trap(void)
{
    install_handler();
    filter_getppid(SECCOMP_RET_TRAP, 0);
}

static uint64_t *shared_seen;

static uint64_t *share(void)
{
    uint64_t *place = mmap(NULL, sizeof *place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(place != MAP_FAILED, "mmap");
    return place;
}

static uint64_t shared_before;

static void note_seen(uint64_t operations)
{
    (void)operations;
    shared_before = __atomic_load_n(shared_seen, __ATOMIC_RELAXED);
}

/* libc's getppid() before the loop counts as well. */
static void check_seen(uint64_t operations)
{
    errno = 0;
    check(__atomic_load_n(shared_seen, __ATOMIC_RELAXED) - shared_before == operations + 1, "calls that were seen");
}

static int send_descriptor(int socket, int descriptor)
{
    char byte = 0, control[CMSG_SPACE(sizeof descriptor)] = { 0 };
    struct iovec part = { &byte, 1 };
    struct msghdr head = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *item = CMSG_FIRSTHDR(&head);
    item->cmsg_level = SOL_SOCKET, item->cmsg_type = SCM_RIGHTS, item->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(item), &descriptor, sizeof descriptor);
    return sendmsg(socket, &head, 0) == 1;
}

static int receive_descriptor(int socket)
{
    int descriptor = -1;
    char byte, control[CMSG_SPACE(sizeof descriptor)];
    struct iovec part = { &byte, 1 };
    struct msghdr head = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    if (recvmsg(socket, &head, 0) == 1 && CMSG_FIRSTHDR(&head))
        memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&head)), sizeof descriptor);
    return descriptor;
}

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The supervisor lets each call go on until the filter's last user is gone. */
static int supervise(pid_t child, int listener)
{
    struct seccomp_notif call;
    struct seccomp_notif_resp answer;
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        memset(&call, 0, sizeof call);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
            break;
        memset(&answer, 0, sizeof answer);
        answer.id = call.id;
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        __atomic_fetch_add(shared_seen, 1, __ATOMIC_RELAXED);
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    waitpid(child, &status, 0);
    return status_of(status);
}

static int under_user_notify(const struct benchmark *benchmark)
{
    int ends[2];
    shared_seen = share();
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        check(send_descriptor(ends[1], filter_getppid(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER)), "sendmsg");
        run_loops(benchmark);
        return 0;
    }
    close(ends[1]);
    int listener = receive_descriptor(ends[0]);
    errno = 0;
    if (listener < 0) {
        int status;
        waitpid(child, &status, 0);
        return 1;
    }
    /* Nobody is left to be told of: the filter goes with the child, and the wait for a call ends with ENOENT. */
    return supervise(child, listener);
}

/* Two stops for each call: before and after. */
static int under_ptrace(const struct benchmark *benchmark)
{
    shared_seen = share();
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        check(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "PTRACE_TRACEME");
        raise(SIGSTOP);
        run_loops(benchmark);
        return 0;
    }
    int status;
    check(waitpid(child, &status, 0) == child && WIFSTOPPED(status), "the child's stop");
    check(ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) == 0, "PTRACE_SETOPTIONS");
    int leaving = 0, signal = 0;
    while (ptrace(PTRACE_SYSCALL, child, NULL, (void *)(intptr_t)signal) == 0 && waitpid(child, &status, 0) == child
           && WIFSTOPPED(status)) {
        int is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        signal = is_call ? 0 : WSTOPSIG(status);
        if (!is_call)
            continue;
        leaving = !leaving;
        if (!leaving && ptrace(PTRACE_PEEKUSER, child, (void *)(15 * 8) /* orig_rax */, NULL) == SYS_getppid)
            ++*shared_seen;
    }
    return status_of(status);
}

static const struct benchmark table[] = {
    { "plain", run_getppid, NULL, NULL },
    { "user-dispatch", run_user_dispatch, allow_calls, NULL },
    { "seccomp-trap", run_getppid, NULL, NULL },
    { "seccomp-notify", run_getppid, note_seen, check_seen },
    { "ptrace", run_getppid, note_seen, check_seen },
};

int main(int argc, char **argv)
{
    const struct benchmark *benchmark = read_plan(argc, argv, table, sizeof table / sizeof *table);
    pin_to(plan.cpu_one);
    if (!strcmp(plan.name, "seccomp-notify"))
        return under_user_notify(benchmark);
    if (!strcmp(plan.name, "ptrace"))
        return under_ptrace(benchmark);
    if (!strcmp(plan.name, "user-dispatch"))
        use_user_dispatch();
    if (!strcmp(plan.name, "seccomp-trap"))
        use_seccomp_trap();
    run_loops(benchmark);
    return 0;
}
