// build: -O1
// poll, select and epoll, level and edge triggered, tell the state of pipes and event counters after bursts of small pieces.
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>

static char bytes[70000];

static void show(const char *when, int in, int out, int epoll)
{
    struct pollfd both[2] = {{in, POLLIN | POLLOUT | POLLRDNORM, 0}, {out, POLLIN | POLLOUT | POLLWRNORM, 0}};
    int polled = poll(both, 2, 0);
    fd_set reads, writes;
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_SET(in, &reads);
    FD_SET(out, &writes);
    struct timeval none = {0, 0};
    int selected = select((in > out ? in : out) + 1, &reads, &writes, NULL, &none);
    struct epoll_event events[4];
    int told = epoll_wait(epoll, events, 4, 0);
    printf("%s: poll %d %#x %#x, select %d %d %d, epoll", when, polled, (unsigned)both[0].revents,
           (unsigned)both[1].revents, selected, FD_ISSET(in, &reads) != 0, FD_ISSET(out, &writes) != 0);
    uint32_t by_number[4] = {0};
    for (int i = 0; i < told; i++)
        by_number[events[i].data.u32] = events[i].events;
    for (int i = 0; i < 4; i++)
        printf(" %#x", by_number[i]);
    puts("");
}

static void watch(int epoll, int fd, uint32_t events, uint32_t number)
{
    struct epoll_event event = {.events = events, .data.u32 = number};
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

static void burst(int in, int out)
{
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(write(out, bytes, 8), 8);
        CHECK_EQ(read(in, bytes, 8), 8);
    }
}

/* The two ends are watched from the start or only after the burst. */
static void pipes(int watched_first, uint32_t edge)
{
    int ends[2], in, out, epoll = epoll_create1(0);
    CHECK_EQ(pipe2(ends, O_NONBLOCK), 0);
    in = ends[0], out = ends[1];
    printf("pipe, watched %s the burst%s\n", watched_first ? "before" : "after", edge ? ", edges" : "");
    if (!watched_first)
        burst(in, out);
    watch(epoll, in, EPOLLIN | edge, 0);
    watch(epoll, out, EPOLLOUT | edge, 1);
    if (watched_first)
        burst(in, out);
    show("empty", in, out, epoll);
    CHECK_EQ(write(out, bytes, 10), 10);
    show("ten", in, out, epoll);
    show("ten, asked again", in, out, epoll);
    CHECK_EQ(write(out, bytes, 10), 10);
    CHECK_EQ(read(in, bytes, 5), 5);
    show("fifteen", in, out, epoll);
    while (write(out, bytes, 4096) > 0)
        ;
    show("full", in, out, epoll);
    CHECK_EQ(read(in, bytes, 5), 5);
    show("five less", in, out, epoll);
    CHECK_EQ(read(in, bytes, 4096), 4096);
    show("a page less", in, out, epoll);
    while (read(in, bytes, sizeof bytes) > 0)
        ;
    show("empty again", in, out, epoll);
    burst(in, out);
    show("after a burst", in, out, epoll);
    CHECK_EQ(write(out, bytes, 3), 3);
    int other = dup(out);
    close(out);
    show("three, writer duplicated", in, other, epoll);
    close(other);
    struct pollfd one = {in, POLLIN, 0};
    CHECK_EQ(poll(&one, 1, 0), 1);
    printf("three, no writer: %#x", (unsigned)one.revents);
    CHECK_EQ(read(in, bytes, 10), 3);
    CHECK_EQ(poll(&one, 1, 0), 1);
    printf(", then %#x\n", (unsigned)one.revents);
    close(in);
    close(epoll);
}

static void counters(int flags, uint32_t edge)
{
    int fd = eventfd(0, EFD_NONBLOCK | flags), epoll = epoll_create1(0);
    uint64_t value = 3;
    printf("counter%s%s\n", flags ? ", semaphore" : "", edge ? ", edges" : "");
    watch(epoll, fd, EPOLLIN | EPOLLOUT | edge, 2);
    show("zero", fd, fd, epoll);
    for (int i = 0; i < 300; i++) {
        value = 1;
        CHECK_EQ(write(fd, &value, 8), 8);
        CHECK_EQ(read(fd, &value, 8), 8);
        CHECK_EQ(value, 1);
    }
    show("zero again", fd, fd, epoll);
    value = 3;
    CHECK_EQ(write(fd, &value, 8), 8);
    show("three", fd, fd, epoll);
    CHECK_EQ(read(fd, &value, 8), 8);
    show("read once", fd, fd, epoll);
    value = UINT64_MAX - 4;
    CHECK_EQ(write(fd, &value, 8), 8);
    show("nearly full", fd, fd, epoll);
    while (value = 1, write(fd, &value, 8) == 8)
        ;
    CHECK_EQ(errno, EAGAIN);
    show("full", fd, fd, epoll);
    close(fd);
    close(epoll);
}

int main(void)
{
    for (uint32_t edge = 0; edge < 2; edge++) {
        pipes(0, edge ? EPOLLET : 0);
        pipes(1, edge ? EPOLLET : 0);
        counters(0, edge ? EPOLLET : 0);
        counters(EFD_SEMAPHORE, edge ? EPOLLET : 0);
    }
    return done();
}
