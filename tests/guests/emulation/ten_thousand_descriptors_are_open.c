// build: -O1
// Ten thousand descriptors of a few files, all read in small pieces, keep their own offsets.
#include "files.h"
#include <sys/resource.h>

#define MOST 10000

static int fds[MOST];

int main(void)
{
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < MOST + 100)
        limit.rlim_cur = limit.rlim_max < MOST + 100 ? limit.rlim_max : MOST + 100;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int count = limit.rlim_cur > MOST + 100 ? MOST : (int)limit.rlim_cur - 10;
    if (count > MOST)
        count = MOST;
    for (int i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "data%d", i);
        make_file(name, 10000);
    }
    for (int i = 0; i < count; i++) {
        char name[8];
        snprintf(name, sizeof name, "data%d", i % 4);
        fds[i] = open(name, i % 8 < 4 ? O_RDONLY : O_RDWR);
        CHECK(fds[i] > 2);
        CHECK_EQ(lseek(fds[i], i % 1000, SEEK_SET), i % 1000);
    }
    /* Some are read often, all a little. */
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < count; i++)
            read_burst(fds[i], i % 1000 + round * 3, 1, 3);
    for (int i = 0; i < count; i += 100)
        read_burst(fds[i], i % 1000 + 12, MANY, 5);
    for (int i = 0; i < count; i++)
        CHECK_EQ(offset_of(fds[i]), i % 1000 + 12 + (i % 100 ? 0 : MANY * 5));
    for (int i = 0; i < count; i += 2)
        CHECK_EQ(close(fds[i]), 0);
    for (int i = 1; i < count; i += 2)
        read_burst(fds[i], i % 1000 + 12, 1, 4);
    CHECK_EQ(syscall(SYS_close_range, 3, ~0U, 0), 0);
    CHECK_EQ(dup(0), 3);
    return done();
}
