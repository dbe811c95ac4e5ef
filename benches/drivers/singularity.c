/* The operations of Aiken et al., Deconstructing Process Isolation (MSPC 2006), table 1, on Linux. See measure.h. */
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <ucontext.h>

extern char **environ;

/* The paper's call on the Unixes. Today's libc would answer it in the vDSO: hence the instruction itself. */
static void run_abi_call(uint64_t operations)
{
    struct timespec resolution = { 0, 0 };
    long wrong = 0;
    for (uint64_t i = 0; i < operations; i++)
        wrong |= raw_syscall(SYS_clock_getres, CLOCK_MONOTONIC, (long)&resolution, 0);
    errno = 0;
    check(wrong == 0 && resolution.tv_sec == 0 && resolution.tv_nsec > 0, "clock_getres");
}

/* The call of Hunt et al., EuroSys 2006. */
static void run_abi_call_getpid(uint64_t operations)
{
    long pid = getpid(), wrong = 0;
    for (uint64_t i = 0; i < operations; i++)
        wrong |= raw_syscall(SYS_getpid, 0, 0, 0) ^ pid;
    errno = 0;
    check(wrong == 0, "getpid");
}

/* Threads that a library schedules: what a function call may not spoil is kept on the thread's own stack. The jump at the
 * end is what such libraries use: a `ret` to another stack's caller would always be mispredicted. */
void switch_stacks(void **from, void *to);
__asm__(".text\n"
        ".globl switch_stacks\n"
        ".type switch_stacks, @function\n"
        "switch_stacks:\n"
        "\tpush %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n"
        "\tmov %rsp, (%rdi)\n"
        "\tmov %rsi, %rsp\n"
        "\tpop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n"
        "\tpop %rcx\n\tjmp *%rcx\n"
        ".size switch_stacks, . - switch_stacks\n");

#define STACK_LEN 65536
static char other_stack[STACK_LEN] __attribute__((aligned(16)));
static void *main_pointer, *other_pointer;
static uint64_t other_turns;

static void other_thread(void)
{
    for (;;) {
        other_turns++;
        switch_stacks(&other_pointer, main_pointer);
    }
}

static void make_other_thread(uint64_t operations)
{
    (void)operations;
    void **top = (void **)(other_stack + STACK_LEN) - 2;
    *top = (void *)other_thread;
    other_pointer = top - 6;
    other_turns = 0;
}

/* Two yields each time round: there and back. */
static void run_thread_yield(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i += 2)
        switch_stacks(&main_pointer, other_pointer);
}

static void check_turns(uint64_t operations)
{
    errno = 0;
    check(other_turns == (operations + 1) / 2, "turns of the other thread");
}

static ucontext_t main_context, other_context;

static void other_context_thread(void)
{
    for (;;) {
        other_turns++;
        swapcontext(&other_context, &main_context);
    }
}

static void make_other_context(uint64_t operations)
{
    (void)operations;
    check(getcontext(&other_context) == 0, "getcontext");
    other_context.uc_stack.ss_sp = other_stack;
    other_context.uc_stack.ss_size = STACK_LEN;
    other_context.uc_link = NULL;
    makecontext(&other_context, other_context_thread, 0);
    other_turns = 0;
}

/* libc's swapcontext sets the signal mask each time, which is a system call. */
static void run_thread_yield_ucontext(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i += 2)
        swapcontext(&main_context, &other_context);
}

/* Each of two threads on one CPU yields half of the times. */
static pthread_barrier_t barrier;
static uint64_t yields;

static void *yield_often(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&barrier);
    for (uint64_t i = 0; i < yields; i++)
        sched_yield();
    return NULL;
}

static pthread_t yielder;
static struct rusage usage_before;

static void start_yielder(uint64_t operations)
{
    yields = operations / 2;
    check(pthread_barrier_init(&barrier, NULL, 2) == 0, "pthread_barrier_init");
    check(pthread_create(&yielder, NULL, yield_often, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&barrier);
    getrusage(RUSAGE_SELF, &usage_before);
}

static void run_sched_yield(uint64_t operations)
{
    for (uint64_t i = 0; i < operations / 2; i++)
        sched_yield();
    check(pthread_join(yielder, NULL) == 0, "pthread_join");
}

/* Without switches the figure would be that of a call that does nothing. */
static double switches_per_yield;

static void end_yielder(uint64_t operations)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    long switches = usage.ru_nvcsw + usage.ru_nivcsw - usage_before.ru_nvcsw - usage_before.ru_nivcsw;
    switches_per_yield = (double)switches / (double)operations;
    pthread_barrier_destroy(&barrier);
}

/* A child that sends back what it gets, until there is nothing more. */
static int to_child, from_child;
static pid_t echo;
static size_t message_len = 1;
static char message[65536], reply[65536];

static int read_all(int fd, char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t got = read(fd, bytes + at, len - at);
        if (got <= 0)
            return 0;
        at += (size_t)got;
    }
    return 1;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t put = write(fd, bytes + at, len - at);
        if (put <= 0)
            return 0;
        at += (size_t)put;
    }
    return 1;
}

static void run_echo(int in, int out)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin_to(plan.cpu_two);
    while (read_all(in, message, message_len))
        if (!write_all(out, message, message_len))
            _exit(1);
    _exit(0);
}

static void start_echo(int child_in, int child_out, int in, int out)
{
    echo = fork();
    check(echo >= 0, "fork");
    if (echo == 0) {
        close(in);
        if (out != in)
            close(out);
        run_echo(child_in, child_out);
    }
    close(child_in);
    if (child_out != child_in)
        close(child_out);
    from_child = in, to_child = out;
}

static void start_pipe_echo(void)
{
    int there[2], back[2];
    check(pipe(there) == 0 && pipe(back) == 0, "pipe");
    start_echo(there[0], back[1], back[0], there[1]);
}

static void start_socketpair_echo(void)
{
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    start_echo(ends[1], ends[1], ends[0], ends[0]);
}

static void start_tcp_echo(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    check(listener >= 0 && client >= 0, "socket");
    check(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0, "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &len) == 0, "getsockname");
    check(connect(client, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    int server = accept(listener, NULL, NULL);
    check(server >= 0, "accept");
    check(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0
              && setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    close(listener);
    start_echo(server, server, client, client);
}

static void run_psr(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i++) {
        message[0] = message[message_len - 1] = (char)i;
        reply[0] = reply[message_len - 1] = (char)~i;
        check(write_all(to_child, message, message_len), "send");
        check(read_all(from_child, reply, message_len), "receive");
        errno = 0;
        check(reply[0] == (char)i && reply[message_len - 1] == (char)i, "reply");
    }
}

static void end_echo(void)
{
    int status;
    close(to_child);
    if (from_child != to_child)
        close(from_child);
    check(waitpid(echo, &status, 0) == echo && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child's end");
}

static void check_end(pid_t child)
{
    int status = 0;
    check(child > 0, "new process");
    check(waitpid(child, &status, 0) == child, "waitpid");
    errno = 0;
    check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "exit status");
}

static void run_fork(uint64_t operations)
{
    for (uint64_t i = 0; i < operations; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(7);
        check_end(child);
    }
}

static void run_spawn(uint64_t operations)
{
    char *const arguments[] = { (char *)(uintptr_t)parameter(0), NULL };
    for (uint64_t i = 0; i < operations; i++) {
        pid_t child = -1;
        errno = posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ);
        check(errno == 0, arguments[0]);
        check_end(child);
    }
}

static const struct benchmark table[] = {
    { "abi-call", run_abi_call, NULL, NULL },
    { "abi-call-getpid", run_abi_call_getpid, NULL, NULL },
    { "thread-yield", run_thread_yield, make_other_thread, check_turns },
    { "thread-yield-ucontext", run_thread_yield_ucontext, make_other_context, check_turns },
    { "sched-yield", run_sched_yield, start_yielder, end_yielder },
    { "psr-pipe", run_psr, NULL, NULL },
    { "psr-socketpair", run_psr, NULL, NULL },
    { "psr-tcp", run_psr, NULL, NULL },
    { "fork", run_fork, NULL, NULL },
    { "spawn", run_spawn, NULL, NULL },
};

int main(int argc, char **argv)
{
    const struct benchmark *benchmark = read_plan(argc, argv, table, sizeof table / sizeof *table);
    pin_to(plan.cpu_one);
    int is_psr = benchmark->run == run_psr;
    if (is_psr) {
        message_len = plan.parameter_count > 0 ? number_parameter(0) : 1;
        errno = 0;
        check(message_len >= 1 && message_len <= sizeof message, "message length");
        signal(SIGPIPE, SIG_IGN);
        (!strcmp(plan.name, "psr-pipe") ? start_pipe_echo
             : !strcmp(plan.name, "psr-tcp") ? start_tcp_echo : start_socketpair_echo)();
    }
    run_loops(benchmark);
    if (is_psr)
        end_echo();
    if (benchmark->run == run_sched_yield)
        printf("counter context-switches %.4f\n", switches_per_yield);
    return 0;
}
