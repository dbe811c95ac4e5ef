// build: -O1
// Every new descriptor has the lowest free number, far beyond those that a program usually has, before and after bursts.
#include "files.h"
#include <sys/resource.h>

#define MOST 3000

int main(void)
{
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < MOST && limit.rlim_max >= MOST)
        limit.rlim_cur = MOST;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int most = limit.rlim_cur < MOST ? (int)limit.rlim_cur : MOST;
    make_file("data", 5000);
    for (int fd = 3; fd < most; fd++)
        CHECK_EQ(open("data", O_RDONLY), fd);
    for (int fd = 3; fd < most; fd += 50)
        read_burst(fd, 0, MANY, 2);
    for (int fd = 3; fd < most; fd += 10)
        CHECK_EQ(close(fd), 0);
    for (int fd = 3; fd < most; fd += 10)
        CHECK_EQ(dup(0), fd);
    return done();
}
