// build: -O1
// options: --no-follow
// A second process opens for writing, with and without O_TRUNC, a file that is read and written in small pieces: it never waits
// for long, its data is there at the next read, and what was written before it came is there for it.
#include "files.h"
#include "partner.h"

enum { OPEN_AND_WRITE = 1, OPEN_TRUNCATING, READ_BACK, OPEN_ALL_WAYS };
#define LENGTH 10000L
#define BOUND_NS 5000000000LL

static void is_soon(long long since) { CHECK(now_ns(CLOCK_MONOTONIC) - since < BOUND_NS); }

static long answer(int question, long argument)
{
    long long begin = now_ns(CLOCK_MONOTONIC);
    int fd;
    char bytes[16];
    switch (question) {
    case OPEN_AND_WRITE:
        fd = open("data", O_WRONLY);
        is_soon(begin);
        CHECK_EQ(pwrite(fd, "PARTNER", 7, argument), 7);
        return close(fd);
    case OPEN_TRUNCATING:
        fd = open("data", O_WRONLY | O_TRUNC);
        is_soon(begin);
        for (long i = 0; i < argument; i++)
            CHECK_EQ(write(fd, "t", 1), 1);
        return close(fd);
    case READ_BACK:
        fd = open("data", O_RDONLY);
        CHECK_EQ(pread(fd, bytes, 7, argument), 7);
        close(fd);
        return memcmp(bytes, "MINEOWN", 7);
    default:
        for (int i = 0; i < 200; i++) {
            static const int ways[] = {O_WRONLY, O_RDWR, O_RDONLY, O_WRONLY | O_APPEND, O_RDWR | O_CREAT};
            begin = now_ns(CLOCK_MONOTONIC);
            fd = open("data", ways[i % 5], 0644);
            is_soon(begin);
            CHECK(fd >= 0);
            if (i % 5 == 1)
                CHECK_EQ(pwrite(fd, &i, sizeof i, LENGTH - 4), 4);
            close(fd);
        }
        return 0;
    }
}

static void in_turns(int access)
{
    make_file("data", LENGTH);
    int fd = open("data", access);
    char bytes[8];
    for (int round = 0; round < 20; round++) {
        long at = 100 + round * 50;
        pread_burst(fd, 100, MANY, 8);
        if (access == O_RDWR) {
            for (int i = 0; i < MANY; i++)
                CHECK_EQ(pwrite(fd, "MINEOWN", 7, at + 20), 7);
            CHECK_EQ(ask(READ_BACK, at + 20), 0);
        }
        CHECK_EQ(ask(OPEN_AND_WRITE, at), 0);
        CHECK_EQ(pread(fd, bytes, 7, at), 7);
        CHECK_EQ(memcmp(bytes, "PARTNER", 7), 0);
    }
    CHECK_EQ(lseek(fd, 10, SEEK_SET), 10);
    read_burst(fd, 10, 80, 1);
    CHECK_EQ(ask(OPEN_TRUNCATING, 95), 0);
    CHECK_EQ(read(fd, bytes, 8), 5);
    CHECK_EQ(bytes[0], 't');
    CHECK_EQ(read(fd, bytes, 8), 0);
    CHECK_EQ(size_of(fd), 95);
    close(fd);
}

static void at_the_same_time(int access)
{
    make_file("data", LENGTH);
    int fd = open("data", access);
    pread_burst(fd, LENGTH - 10, MANY, 8);
    partner_begins(OPEN_ALL_WAYS, 0);
    do {
        pread_burst(fd, LENGTH - 10, MANY, 8);
        if (access == O_RDWR) {
            CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
            write_burst(fd, 0, MANY, 8);
        }
    } while (!partner_is_done());
    CHECK_EQ(partner_answer(), 0);
    int last;
    CHECK_EQ(pread(fd, &last, 4, LENGTH - 4), 4);
    CHECK_EQ(last, 196);
    close(fd);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    in_turns(O_RDONLY);
    in_turns(O_RDWR);
    at_the_same_time(O_RDONLY);
    at_the_same_time(O_RDWR);
    return done_with_partner();
}
