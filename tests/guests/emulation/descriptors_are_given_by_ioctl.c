// build: -O1
// A request of ioctl(2) may give one of the program's descriptors to others: here a listener of a seccomp filter gives an eventfd
// or a pipe's end to the process that the filter stopped (seccomp_unotify(2)). What that writes arrives.
#include "check.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { BURST = 3000 };

static void send_descriptor(int to, int fd)
{
    char byte = 'd', room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    CHECK_EQ(sendmsg(to, &message, 0), 1);
}

static int receive_descriptor(int from)
{
    int fd = -1;
    char byte, room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    CHECK_EQ(recvmsg(from, &message, 0), 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* Is stopped at vhangup(2), whose result is the descriptor that it is given, and writes to it when it is told. */
static void child(int board, long bytes)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_vhangup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    char byte;
    uint64_t seven = 7;
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    CHECK(listener >= 0);
    send_descriptor(board, (int)listener);
    CHECK_EQ(close((int)listener), 0);
    long given = syscall(SYS_vhangup);
    CHECK(given >= 0);
    while (read(board, &byte, 1) == 1) {
        CHECK_EQ(write((int)given, &seven, (size_t)bytes), bytes);
        CHECK_EQ(write(board, &byte, 1), 1);
    }
    _exit(0);
}

static void burst(int to, int from, long bytes)
{
    uint64_t one = 1, got = 0;
    for (int i = 0; i < BURST; i++) {
        CHECK_EQ(write(to, &one, (size_t)bytes), bytes);
        CHECK_EQ(read(from, &got, (size_t)bytes), bytes);
        CHECK_EQ(got, 1);
    }
}

static void one(int is_pipe)
{
    long bytes = is_pipe ? 1 : 8;
    int ends[2], board[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, board), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(board[0]);
        child(board[1], bytes);
    }
    close(board[1]);
    int listener = receive_descriptor(board[0]);
    struct seccomp_notif stopped = {0};
    CHECK_EQ(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &stopped), 0);
    CHECK_EQ(stopped.data.nr, SYS_vhangup);
    /* Made after the child, which has it by the request alone. */
    if (is_pipe)
        CHECK_EQ(pipe2(ends, O_NONBLOCK), 0);
    else
        ends[0] = ends[1] = eventfd(0, EFD_NONBLOCK);
    burst(ends[1], ends[0], bytes);
    struct seccomp_notif_addfd give = {
        .id = stopped.id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)ends[1]};
    CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give) >= 0);
    for (int i = 0; i < 4; i++) {
        char byte = 'w';
        uint64_t got = 0;
        burst(ends[1], ends[0], bytes);
        CHECK_EQ(write(board[0], &byte, 1), 1);
        CHECK_EQ(read(board[0], &byte, 1), 1);
        CHECK_EQ(read(ends[0], &got, (size_t)bytes), bytes);
        CHECK_EQ(got, 7);
    }
    close(board[0]);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    close(listener), close(ends[0]);
    if (is_pipe)
        close(ends[1]);
}

int main(void)
{
    one(0);
    one(1);
    return done();
}
