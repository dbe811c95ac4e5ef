// build: -O1
// options: --no-follow
// A second process that watches a file is told of its opening, writing and closing, once at least for every burst of writes, after the
// burst's last one too; of reading it is told at least once in 4,096 reads; and of nothing that did not happen.
#include "files.h"
#include "partner.h"
#include <poll.h>
#include <sys/inotify.h>

enum { WATCH = 1, EXPECT, NONE_OF, DRAIN };
enum { READS_TOLD = 4096 };

static int watch = -1;

/* Adds the kinds of the events that are there, waiting at most `limit_ms` for the first. */
static uint32_t seen_now(int limit_ms)
{
    char bytes[4096] __attribute__((aligned(8)));
    uint32_t seen = 0;
    struct pollfd ready = {.fd = watch, .events = POLLIN};
    while (poll(&ready, 1, seen ? 0 : limit_ms) == 1) {
        long length = read(watch, bytes, sizeof bytes);
        CHECK(length > 0);
        for (char *at = bytes; at < bytes + length;) {
            struct inotify_event event;
            memcpy(&event, at, sizeof event);
            seen |= event.mask;
            at += sizeof event + event.len;
        }
    }
    return seen;
}

static long answer(int question, long argument)
{
    uint32_t seen = 0;
    switch (question) {
    case WATCH:
        watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        CHECK(inotify_add_watch(watch, "data", IN_ALL_EVENTS) > 0);
        return 0;
    case EXPECT:
        /* Events of a burst may be told a tick late, but not later. */
        for (long long begin = now_ns(CLOCK_MONOTONIC); (seen & argument) != argument;) {
            CHECK(now_ns(CLOCK_MONOTONIC) - begin < 100000000);
            seen |= seen_now(1);
        }
        return seen & ~argument;
    case NONE_OF: return seen_now(0) & argument;
    default: return seen_now(0);
    }
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    make_file("data", 20000);
    ask(WATCH, 0);
    for (int access = O_RDONLY; access <= O_RDWR; access += O_RDWR) {
        int fd = open("data", access);
        CHECK_EQ(ask(EXPECT, IN_OPEN), 0);
        for (int round = 0; round < 5; round++) {
            CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
            for (int reads = 0; reads <= READS_TOLD; reads += MANY)
                read_burst(fd, 3 * reads % 12000, MANY, 3);
            CHECK_EQ(ask(EXPECT, IN_ACCESS), 0);
            for (int reads = 0; reads <= READS_TOLD; reads += MANY)
                pread_burst(fd, 20000, MANY, 3);
            CHECK_EQ(ask(EXPECT, IN_ACCESS), 0);
            CHECK_EQ(lseek(fd, MANY * 3 + 1, SEEK_SET), MANY * 3 + 1);
            if (access == O_RDWR) {
                /* Reads may be told a tick late. */
                write_burst(fd, MANY * 3 + 1, MANY, 3);
                CHECK_EQ(ask(EXPECT, IN_MODIFY) & ~IN_ACCESS, 0);
                touch_byte(fd, 9);
                CHECK_EQ(ask(EXPECT, IN_MODIFY) & ~IN_ACCESS, 0);
            }
        }
        close(fd);
        CHECK_EQ(ask(EXPECT, access == O_RDWR ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE) & ~IN_ACCESS, 0);
        CHECK_EQ(ask(NONE_OF, IN_OPEN | IN_MODIFY | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_ATTRIB), 0);
    }
    /* A read of nothing and a write of nothing are no events; a stretch of the file is one. */
    int fd = open("data", O_RDWR);
    pread_burst(fd, 20000, MANY, 3);
    ask(EXPECT, IN_OPEN);
    ask(DRAIN, 0);
    CHECK_EQ(write(fd, "", 0), 0);
    CHECK_EQ(lseek(fd, 7, SEEK_SET), 7);
    CHECK_EQ(ask(NONE_OF, IN_ALL_EVENTS & ~IN_ACCESS), 0);
    CHECK_EQ(ftruncate(fd, 19000), 0);
    CHECK_EQ(ask(EXPECT, IN_MODIFY) & ~IN_ACCESS, 0);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(ask(EXPECT, IN_ATTRIB) & ~IN_ACCESS, 0);
    close(fd);
    return done_with_partner();
}
