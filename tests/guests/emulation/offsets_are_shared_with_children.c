// build: -O1
// After many small reads and writes a forked child, an executed program and a receiver of the descriptor go on where the
// process stopped, and the process goes on where they stopped.
#include "files.h"
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void wait_for(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

/* What the executed program does with its inherited descriptor: reads ten bytes at the offset it was told. */
static int continue_at(int fd, long offset)
{
    CHECK_EQ(offset_of(fd), offset);
    read_burst(fd, offset, 1, 10);
    return 0;
}

static long read_in_fork(int fd, long at)
{
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(offset_of(fd), at);
        read_burst(fd, at, MANY, 2);
        _exit(0);
    }
    wait_for(child);
    return at + MANY * 2;
}

static long read_in_vfork(int fd, long at)
{
    unsigned char bytes[5];
    pid_t child = vfork();
    if (child == 0)
        _exit(read(fd, bytes, sizeof bytes) == sizeof bytes ? 0 : 1);
    wait_for(child);
    check_bytes(bytes, at, sizeof bytes);
    return at + (long)sizeof bytes;
}

static long read_in_program(int fd, long at, char *self, int forks)
{
    char number[16], offset[16];
    snprintf(number, sizeof number, "%d", fd);
    snprintf(offset, sizeof offset, "%ld", at);
    char *arguments[] = {self, number, offset, NULL};
    pid_t child;
    if (forks) {
        child = fork();
        if (child == 0) {
            execve(self, arguments, environ);
            _exit(1);
        }
    } else {
        CHECK_EQ(posix_spawn(&child, self, NULL, NULL, arguments, environ), 0);
    }
    wait_for(child);
    return at + 10;
}

/* The descriptor goes over a socket and comes back under another number. */
static long read_passed(int fd, long at)
{
    int ends[2], passed;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    char byte = 'x', space[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    CHECK_EQ(sendmsg(ends[0], &message, 0), 1);
    pid_t child = fork();
    if (child == 0) {
        close(fd);
        CHECK_EQ(recvmsg(ends[1], &message, 0), 1);
        memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof passed);
        CHECK_EQ(offset_of(passed), at);
        read_burst(passed, at, 20, 3);
        _exit(0);
    }
    wait_for(child);
    close(ends[0]);
    close(ends[1]);
    return at + 60;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return continue_at(atoi(argv[1]), atol(argv[2]));
    make_file("data", 20000);
    for (int access = O_RDONLY; access <= O_RDWR; access += O_RDWR) {
        int fd = open("data", access);
        CHECK(fd >= 0);
        long at = 0;
        for (int round = 0; round < 6; round++) {
            read_burst(fd, at, MANY, 3);
            at += MANY * 3;
            CHECK_EQ(offset_of(fd), at);
            switch (round) {
            case 0: at = read_in_fork(fd, at); break;
            case 1: at = read_in_vfork(fd, at); break;
            case 2: at = read_in_program(fd, at, argv[0], 1); break;
            case 3: at = read_in_program(fd, at, argv[0], 0); break;
            case 4: at = read_passed(fd, at); break;
            default: at = read_in_fork(fd, at);
            }
            CHECK_EQ(offset_of(fd), at);
        }
        printf("reads ended at %ld\n", at);
        close(fd);
    }
    /* The same with writes in place: the child writes on where the process stopped. */
    int fd = open("data", O_RDWR);
    write_burst(fd, 0, MANY, 7);
    pid_t child = fork();
    if (child == 0) {
        write_burst(fd, MANY * 7, MANY, 5);
        _exit(0);
    }
    wait_for(child);
    CHECK_EQ(offset_of(fd), MANY * 12);
    write_burst(fd, MANY * 12, MANY, 2);
    printf("writes ended at %ld\n", offset_of(fd));
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    read_burst(fd, 0, 20, 1000);
    return done();
}
