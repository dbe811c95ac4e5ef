/* Processes, threads, passed descriptors, mappings, limits, the end of a sequence; and the table of all operations. */
#include "model.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAPPED 16384

volatile int pipe_signals;
static pid_t child;
static pthread_t second;
static int has_second;
static unsigned char *mappings[MAPPINGS];
static sigjmp_buf after_fault;
static volatile int is_copying;

static void on_pipe(int signal)
{
    (void)signal;
    pipe_signals++;
}

/* Any other fault ends the process, as it would without this handler. */
static void on_fault(int number)
{
    if (is_copying)
        siglongjmp(after_fault, 1);
    signal(number, SIG_DFL);
}

void start_process_state(void)
{
    child = 0;
    has_second = 0;
    signal(SIGPIPE, on_pipe);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGBUS, on_fault);
    signal(SIGSEGV, on_fault);
}

void end_processes(void)
{
    if (has_second)
        pthread_join(second, NULL);
    has_second = 0;
    if (child > 0) {
        int status;
        waitpid(child, &status, 0);
    }
    child = 0;
}

OPERATION(fork)
{
    (void)args;
    if (child || control->has_partner)
        return -2;
    child = fork();
    if (child == 0) {
        process = 1;
        has_second = 0;
        control->pids[1] = getpid();
        /* The parent goes on when its own copy returns: this one waits for its turn. */
        run_actor(B0);
        end_processes();
        _exit(0);
    }
    return child < 0 ? -1 : 0;
}

static void *run_second(void *unused)
{
    (void)unused;
    run_actor(process * 2 + 1);
    return NULL;
}

OPERATION(thread)
{
    (void)args;
    if (has_second)
        return -2;
    int error = pthread_create(&second, NULL, run_second, NULL);
    has_second = error == 0;
    errno = error;
    return error ? -1 : 0;
}

/* What a child finds at a descriptor, as an exit code. */
int continue_reading(int fd, long length)
{
    unsigned char bytes[4096];
    long got = read(fd, bytes, length < 4096 ? (size_t)length : 4096);
    if (got < 0)
        return 100 + (errno & 15);
    return (int)(hash_bytes(HASH_START, bytes, got) + (uint64_t)got) & 63;
}

static long exit_code(pid_t pid)
{
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

OPERATION(forkread)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(continue_reading(fd_of(args[0]), args[1]));
    return exit_code(pid);
}

OPERATION(execread)
{
    char number[16], length[24];
    snprintf(number, sizeof number, "%d", fd_of(args[0]));
    snprintf(length, sizeof length, "%ld", args[1]);
    char *arguments[] = {program, "continue", number, length, NULL};
    pid_t pid = -1;
    if (args[2] & 1) {
        if (posix_spawn(&pid, program, NULL, NULL, arguments, environ) != 0)
            return -1;
    } else {
        pid = fork();
        if (pid == 0) {
            execv(program, arguments);
            _exit(127);
        }
    }
    return exit_code(pid);
}

OPERATION(send)
{
    int fd = fd_of(args[0]);
    char byte = 'x', space[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    return sendmsg(sockets[0], &message, MSG_DONTWAIT);
}

OPERATION(recv)
{
    char byte, space[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    long got = recvmsg(sockets[1], &message, MSG_DONTWAIT);
    struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!head)
        return got;
    int fd;
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return put_slot(args[0], fd);
}

/* map SLOT MAPPING SHARED WRITABLE */
OPERATION(map)
{
    unsigned char **at = &mappings[args[1] & (MAPPINGS - 1)];
    if (*at)
        munmap(*at, MAPPED);
    void *memory = mmap(NULL, MAPPED, PROT_READ | (args[3] & 1 ? PROT_WRITE : 0), args[2] & 1 ? MAP_SHARED : MAP_PRIVATE,
                        fd_of(args[0]), 0);
    *at = memory == MAP_FAILED ? NULL : memory;
    return *at ? 0 : -1;
}

OPERATION(unmap)
{
    unsigned char **at = &mappings[args[0] & (MAPPINGS - 1)];
    if (!*at)
        return -2;
    long result = munmap(*at, MAPPED);
    *at = NULL;
    return result;
}

/* Copies out of a mapping or into it; false if that faulted. */
static int copies(volatile unsigned char *to, const volatile unsigned char *from, long length)
{
    volatile int is_done = 0;
    is_copying = 1;
    if (sigsetjmp(after_fault, 1) == 0) {
        for (long i = 0; i < length; i++)
            to[i] = from[i];
        is_done = 1;
    }
    is_copying = 0;
    return is_done;
}

/* The part of a mapping that an operation names. */
static long part_of(const long *args, unsigned char **start)
{
    long from = args[1] % MAPPED, length = args[2] % 300;
    *start = NULL;
    for (int i = 0; i < MAPPINGS && !*start; i++)
        *start = mappings[(args[0] + i) & (MAPPINGS - 1)];
    if (!*start)
        return -1;
    *start += from;
    return from + length > MAPPED ? MAPPED - from : length;
}

OPERATION(load)
{
    unsigned char *start;
    long length = part_of(args, &start);
    if (length < 0)
        return -2;
    struct buffer buffer = make_buffer(GOOD, 300, 0);
    if (!copies(buffer.start, start, length)) {
        say(" SIGBUS");
        return -2;
    }
    say_hash(&buffer, length);
    return length;
}

/* Into a mapping without the right to write it faults as well. */
OPERATION(store)
{
    unsigned char *start;
    long length = part_of(args, &start);
    if (length < 0)
        return -2;
    struct buffer buffer = make_buffer(GOOD, 300, 0);
    fill_bytes(buffer.start, length, args[3]);
    if (!copies(start, buffer.start, length)) {
        say(" fault");
        return -2;
    }
    return length;
}

void drop_mappings(void)
{
    for (int i = 0; i < MAPPINGS; i++)
        if (mappings[i])
            munmap(mappings[i], MAPPED);
    memset(mappings, 0, sizeof mappings);
}

OPERATION(fsize)
{
    struct rlimit limit = {args[0] < 0 ? RLIM_INFINITY : (rlim_t)args[0], RLIM_INFINITY};
    return setrlimit(RLIMIT_FSIZE, &limit);
}

OPERATION(sigpipe)
{
    signal(SIGPIPE, args[0] & 1 ? SIG_IGN : on_pipe);
    return 0;
}

/* The last of each process: where its descriptors stand, what waits in them. */
OPERATION(end)
{
    (void)args;
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i] < 0)
            continue;
        long offset = lseek(slots[i], 0, SEEK_CUR);
        int waiting = 0;
        if (offset < 0 && ioctl(slots[i], FIONREAD, &waiting) != 0)
            waiting = -1;
        say(" %d:%ld/%#x/%d", i, offset, (unsigned)fcntl(slots[i], F_GETFL), waiting);
    }
    return 0;
}

#define EACH(X)                                                                                                                \
    X(make) X(open) X(openat) X(close) X(read) X(write) X(pread) X(pwrite) X(readv) X(writev) X(seek) X(ftruncate)             \
    X(truncate) X(fstat) X(stat) X(old) X(look) X(unlink) X(rename) X(link) X(chmod) X(getfl) X(setfl) X(getfd) X(setfd)       \
    X(dup) X(dup2) X(dup3) X(dupfd) X(closerange) X(flock) X(setlk) X(getlk) X(ofdlk) X(getlease) X(copy) X(sendfile)          \
    X(splice) X(fallocate) X(procfd) X(pipe) X(setpipe) X(getpipe) X(fionread) X(poll) X(select) X(epnew) X(epadd) X(epdel)    \
    X(epwait) X(event) X(evwrite) X(evread) X(roundtrip) X(handler) X(burst) X(fork) X(thread) X(forkread) X(execread)         \
    X(send) X(recv) X(map) X(unmap) X(load) X(store) X(fsize) X(sigpipe) X(end)

#define DECLARE(name) OPERATION(name);
EACH(DECLARE)
#define ROW(name) {#name, op_##name},
const struct operation operations[] = {EACH(ROW)};
const int operation_count = sizeof operations / sizeof *operations;
