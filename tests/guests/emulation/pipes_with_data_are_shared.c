// build: -O1
// A pipe that holds data goes to children by fork, vfork, exec and as a message: each byte comes out once, in order.
#include "check.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int ends[2];
static unsigned next_in, next_out;

static void put(int count)
{
    unsigned char bytes[4096];
    for (int i = 0; i < count; i++)
        bytes[i] = (unsigned char)next_in++;
    CHECK_EQ(write(ends[1], bytes, (size_t)count), count);
}

static void take(int fd, int count)
{
    unsigned char bytes[4096];
    CHECK_EQ(read(fd, bytes, (size_t)count), count);
    for (int i = 0; i < count; i++)
        CHECK_EQ(bytes[i], (unsigned char)next_out++);
}

static void burst(void)
{
    for (int i = 0; i < 300; i++) {
        put(7);
        take(ends[0], 7);
    }
}

static void wait_for(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static void by_fork(void)
{
    burst();
    put(100);
    pid_t child = fork();
    if (child == 0) {
        take(ends[0], 30);
        put(50);
        _exit(0);
    }
    wait_for(child);
    next_out += 30;
    next_in += 50;
    int count;
    CHECK_EQ(ioctl(ends[0], FIONREAD, &count), 0);
    CHECK_EQ(count, 120);
    take(ends[0], 120);
    /* Both sides use it at the same time: the child echoes. */
    int back[2];
    CHECK_EQ(pipe(back), 0);
    child = fork();
    if (child == 0) {
        unsigned char byte;
        close(back[0]);
        for (int i = 0; i < 500; i++) {
            CHECK_EQ(read(ends[0], &byte, 1), 1);
            CHECK_EQ(write(back[1], &byte, 1), 1);
        }
        _exit(0);
    }
    for (int i = 0; i < 500; i++) {
        put(1);
        take(back[0], 1);
    }
    wait_for(child);
    close(back[0]);
    close(back[1]);
}

static void by_exec(char *self)
{
    char first[16], *arguments[] = {self, first, NULL};
    /* volatile for the sake of vfork. */
    for (volatile int how = 0; how < 3; how++) {
        burst();
        put(200);
        snprintf(first, sizeof first, "%u", next_out & 0xff);
        pid_t child;
        posix_spawn_file_actions_t actions;
        CHECK_EQ(posix_spawn_file_actions_init(&actions), 0);
        CHECK_EQ(posix_spawn_file_actions_adddup2(&actions, ends[0], 0), 0);
        if (how == 0)
            CHECK_EQ(posix_spawn(&child, self, &actions, NULL, arguments, environ), 0);
        else {
            child = how == 1 ? vfork() : fork();
            if (child == 0) {
                dup2(ends[0], 0);
                execv(self, arguments);
                _exit(1);
            }
        }
        wait_for(child);
        posix_spawn_file_actions_destroy(&actions);
        next_out += 60;
        take(ends[0], 140);
    }
}

static void by_message(void)
{
    int sockets[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    pid_t child = fork();
    char byte = 'x', space[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    if (child == 0) {
        int fd;
        CHECK_EQ(recvmsg(sockets[1], &message, 0), 1);
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
        next_in = next_out = 0;
        take(fd, 80);
        _exit(0);
    }
    /* A pipe that the child has never seen. */
    close(ends[0]);
    close(ends[1]);
    CHECK_EQ(pipe(ends), 0);
    burst();
    next_in = next_out = 0;
    put(100);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &ends[0], sizeof(int));
    CHECK_EQ(sendmsg(sockets[0], &message, 0), 1);
    wait_for(child);
    next_out += 80;
    take(ends[0], 20);
    close(sockets[0]);
    close(sockets[1]);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        next_out = (unsigned)atoi(argv[1]);
        take(0, 60);
        return 0;
    }
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < 5; i++)
        by_fork();
    by_exec(argv[0]);
    by_message();
    return done();
}
