// build: -O1
// With the limit of descriptors reached, bursts on files, pipes and counters go on, and every number up to the limit is the
// program's own, before and after.
#include "files.h"
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define LIMIT 64

static int files[LIMIT];

static int free_numbers(void)
{
    int count = 0, taken[LIMIT];
    while (count < LIMIT && (taken[count] = dup(0)) >= 0)
        count++;
    CHECK_EQ(errno, EMFILE);
    for (int i = 0; i < count; i++)
        close(taken[i]);
    return count;
}

int main(void)
{
    make_file("data", 10000);
    struct rlimit limit = {LIMIT, LIMIT};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(free_numbers(), LIMIT - 3);
    int pipes[2], counter = eventfd(0, EFD_NONBLOCK);
    CHECK_EQ(pipe(pipes), 0);
    for (int i = 0; i < MANY; i++) {
        char bytes[8] = {1};
        CHECK_EQ(write(pipes[1], bytes, 8), 8);
        CHECK_EQ(read(pipes[0], bytes, 8), 8);
        CHECK_EQ(write(counter, bytes, 8), 8);
        CHECK_EQ(read(counter, bytes, 8), 8);
    }
    int count = 0;
    while ((files[count] = open("data", count % 2 ? O_RDWR : O_RDONLY)) >= 0)
        count++;
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(count, LIMIT - 6);
    for (int i = 0; i < count; i++) {
        CHECK_EQ(files[i], 6 + i);
        read_burst(files[i], 0, MANY, 2);
        if (i % 2)
            write_burst(files[i], MANY * 2, MANY, 2);
    }
    int none[2];
    CHECK_EQ(pipe(none), -1);
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(eventfd(0, 0), -1);
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(close(files[10]), 0);
    CHECK_EQ(pipe(none), -1);
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(open("data", O_RDONLY), files[10]);
    read_burst(files[10], 0, MANY, 2);
    CHECK_EQ(fcntl(files[0], F_DUPFD, LIMIT), -1);
    CHECK_EQ(errno, EINVAL);
    for (int i = 0; i < count; i++)
        CHECK_EQ(offset_of(files[i]), i % 2 ? MANY * 4 : MANY * 2);
    for (int i = 0; i < count; i++)
        CHECK_EQ(close(files[i]), 0);
    CHECK_EQ(free_numbers(), LIMIT - 6);
    /* The pipe and the counter work on. */
    char bytes[8] = {1};
    CHECK_EQ(write(pipes[1], bytes, 8), 8);
    CHECK_EQ(read(pipes[0], bytes, 8), 8);
    CHECK_EQ(write(counter, bytes, 8), 8);
    CHECK_EQ(read(counter, bytes, 8), 8);
    return done();
}
