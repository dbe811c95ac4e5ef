// build: -O1
// limit: 60
// What leads to a pipe or eventfd besides the descriptors that pipe(2) gave: ends opened anew by /dev/fd, duplicates at numbers
// beyond 65,536, sets of epoll, requests of the kernel. All see what is written, in its order.
#include "check.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { BURST = 4000, HIGH = 70000 };

static void burst(int to, int from)
{
    char byte = 'x';
    for (int i = 0; i < BURST; i++) {
        CHECK_EQ(write(to, &byte, 1), 1);
        CHECK_EQ(read(from, &byte, 1), 1);
    }
}

/* A byte by each writer comes out in this order by each reader. */
static void in_order(int first, int second, int reader_of_first, int reader_of_second)
{
    char byte = 0;
    CHECK_EQ(write(first, "1", 1), 1);
    CHECK_EQ(write(second, "2", 1), 1);
    CHECK_EQ(read(reader_of_first, &byte, 1), 1);
    CHECK_EQ(byte, '1');
    CHECK_EQ(read(reader_of_second, &byte, 1), 1);
    CHECK_EQ(byte, '2');
}

static int opened_anew(int fd, int flags)
{
    char name[64];
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    int again = open(name, flags);
    CHECK(again >= 0);
    return again;
}

static void opened_before(void)
{
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    int reader = opened_anew(ends[0], O_RDONLY), both = opened_anew(ends[1], O_RDWR);
    burst(ends[1], ends[0]);
    in_order(ends[1], both, reader, both);
    close(both);
    burst(ends[1], ends[0]);
    in_order(ends[1], ends[1], reader, ends[0]);
    close(reader), close(ends[0]), close(ends[1]);
}

static void opened_meanwhile(void)
{
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    burst(ends[1], ends[0]);
    int writer = opened_anew(ends[1], O_WRONLY);
    burst(ends[1], ends[0]);
    in_order(writer, ends[1], ends[0], ends[0]);
    burst(ends[1], ends[0]);
    in_order(ends[1], writer, ends[0], ends[0]);
    close(writer), close(ends[0]), close(ends[1]);
}

static void duplicated_high(void)
{
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < HIGH + 10) {
        limit.rlim_max = HIGH + 10;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            return;
    }
    limit.rlim_cur = HIGH + 10;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int ends[2], other[2];
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(pipe(other), 0);
    burst(ends[1], ends[0]);
    CHECK_EQ(dup2(ends[1], HIGH), HIGH);
    burst(ends[1], ends[0]);
    in_order(HIGH, ends[1], ends[0], ends[0]);
    /* From a high number to a low one that was another pipe's. */
    burst(other[1], other[0]);
    CHECK_EQ(dup2(HIGH, other[1]), other[1]);
    burst(ends[1], ends[0]);
    in_order(other[1], ends[1], ends[0], ends[0]);
    /* The pipe opened anew at a high number. */
    int third[2];
    CHECK_EQ(pipe(third), 0);
    int last = -1;
    char name[64];
    snprintf(name, sizeof name, "/dev/fd/%d", third[0]);
    int low = open(name, O_RDONLY);
    last = fcntl(low, F_DUPFD, HIGH + 1);
    CHECK(last > HIGH);
    close(low);
    burst(third[1], third[0]);
    in_order(third[1], third[1], last, third[0]);

    /* A file's offset. */
    char text[16], path[] = "numbers";
    int file = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
    for (int i = 0; i < 8000; i++)
        CHECK_EQ(dprintf(file, "%07d\n", i), 8);
    int reader = open(path, O_RDONLY);
    CHECK_EQ(dup2(reader, HIGH + 2), HIGH + 2);
    for (int i = 0; i < BURST; i++)
        CHECK_EQ(read(reader, text, 8), 8);
    CHECK_EQ(read(HIGH + 2, text, 8), 8);
    CHECK_EQ(atoi(text), BURST);
    close(reader), close(file), close(HIGH), close(HIGH + 2), close(last);
    unlink(path);
}

static void in_a_set(void)
{
    int ends[2], set = epoll_create1(0);
    CHECK_EQ(pipe(ends), 0);
    int again = dup(ends[0]);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = 7}, got;
    CHECK_EQ(epoll_ctl(set, EPOLL_CTL_ADD, again, &event), 0);
    burst(ends[1], ends[0]);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(epoll_wait(set, &got, 1, 0), 1);
    CHECK_EQ(got.data.fd, 7);
    char byte;
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(epoll_wait(set, &got, 1, 0), 0);
    close(again), close(ends[0]), close(ends[1]), close(set);
}

/* The kernel writes to the eventfd when the request is done: what another process sends completes it. */
static void by_the_kernel(void)
{
    int pair[2], event = eventfd(0, EFD_NONBLOCK);
    uint64_t value = 1;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    aio_context_t context = 0;
    if (syscall(SYS_io_setup, 8, &context) != 0)
        return;
    struct iocb request, *list = &request;
    memset(&request, 0, sizeof request);
    request.aio_lio_opcode = 5; /* IOCB_CMD_POLL */
    request.aio_fildes = (unsigned)pair[0];
    request.aio_buf = POLLIN;
    request.aio_flags = IOCB_FLAG_RESFD;
    request.aio_resfd = (unsigned)event;
    CHECK_EQ(syscall(SYS_io_submit, context, 1, &list), 1);
    for (int i = 0; i < BURST; i++) {
        value = 1;
        CHECK_EQ(write(event, &value, 8), 8);
        CHECK_EQ(read(event, &value, 8), 8);
    }
    CHECK_EQ(write(pair[1], "x", 1), 1);
    while (read(event, &value, 8) != 8)
        CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(value, 1);
    syscall(SYS_io_destroy, context);
    close(event), close(pair[0]), close(pair[1]);
}

int main(void)
{
    opened_before();
    opened_meanwhile();
    duplicated_high();
    in_a_set();
    by_the_kernel();
    return done();
}
