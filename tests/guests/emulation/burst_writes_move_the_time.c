// build: -O1
// options: --no-follow
// A file that was written in place in small pieces shows the time of the last piece to another process within 100 ms, also when
// the process makes no further call; a file that was only read keeps its time.
#include "files.h"
#include "partner.h"

enum { OF_BURST = 1, UNCHANGED };
/* File times are those of the last tick (at least 100 a second, ktime_get_coarse_real_ts64). */
#define TICK_NS 10000000LL
#define SOON_NS 100000000LL

static long long time_of(const struct timespec *time) { return time->tv_sec * 1000000000LL + time->tv_nsec; }

static long answer(int question, long argument)
{
    struct stat stat;
    long long begin = now_ns(CLOCK_MONOTONIC);
    CHECK_EQ(lstat("data", &stat), 0);
    if (question == UNCHANGED)
        return stat.st_mtim.tv_sec;
    while (time_of(&stat.st_mtim) < argument - TICK_NS || time_of(&stat.st_ctim) < argument - TICK_NS) {
        CHECK(now_ns(CLOCK_MONOTONIC) - begin < SOON_NS);
        CHECK_EQ(lstat("data", &stat), 0);
    }
    return 0;
}

static void set_old(int fd)
{
    struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
    CHECK_EQ(futimens(fd, old), 0);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    make_file("data", 10000);
    int fd = open("data", O_RDWR);
    for (int round = 0; round < 12; round++) {
        set_old(fd);
        pread_burst(fd, 10000, MANY, 4);
        CHECK_EQ(ask(UNCHANGED, 0), 1000000000);
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        write_burst(fd, 0, MANY, 4);
        /* The burst goes on beyond several ticks: its last piece counts, not its first. */
        long long begin = now_ns(CLOCK_MONOTONIC);
        while (round % 2 && now_ns(CLOCK_MONOTONIC) - begin < 3 * TICK_NS)
            touch_byte(fd, 5000);
        touch_byte(fd, 5000);
        partner_begins(OF_BURST, now_ns(CLOCK_REALTIME));
        while (round % 3 && !partner_is_done())
            ;
        CHECK_EQ(partner_answer(), 0);
    }
    /* The process sees the time of its own writes at once. */
    for (int round = 0; round < 50; round++) {
        set_old(fd);
        touch_byte(fd, 10);
        struct stat stat;
        CHECK_EQ(fstat(fd, &stat), 0);
        CHECK(time_of(&stat.st_mtim) >= now_ns(CLOCK_REALTIME) - 1000000000LL - TICK_NS);
        CHECK(time_of(&stat.st_ctim) >= time_of(&stat.st_mtim));
    }
    /* A time that somebody sets stays, also right after a burst. */
    write_burst(fd, 0, MANY, 4);
    set_old(fd);
    pread_burst(fd, 1000, MANY, 4);
    CHECK_EQ(ask(UNCHANGED, 0), 1000000000);
    long long begin = now_ns(CLOCK_MONOTONIC);
    while (now_ns(CLOCK_MONOTONIC) - begin < SOON_NS)
        CHECK_EQ(ask(UNCHANGED, 0), 1000000000);
    return done_with_partner();
}
