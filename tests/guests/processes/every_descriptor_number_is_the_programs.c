// build: -O1
// A program that uses up its descriptors gets as many as its soft limit says, whatever the limit and the call.
#include "check.h"
#include <fcntl.h>
#include <sys/resource.h>

static int one_more(int kind)
{
    int ends[2];
    switch (kind) {
    case 0: return pipe(ends) == 0 ? 2 : -1;
    case 1: return open("/dev/null", O_RDONLY) >= 0 ? 1 : -1;
    default: return dup(0) >= 0 ? 1 : -1;
    }
}

static void used_up(int limit, int kind)
{
    struct rlimit limits;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limits), 0);
    if (limits.rlim_max < (rlim_t)limit + 100)
        return;
    limits.rlim_cur = (rlim_t)limit;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limits), 0);
    int count = 3, more;
    CHECK_EQ(syscall(SYS_close_range, 3, ~0u, 0), 0);
    while ((more = one_more(kind)) > 0)
        count += more;
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(count, limit - (kind == 0 && (limit - 3) % 2 != 0));
    CHECK_EQ(syscall(SYS_close_range, 3, ~0u, 0), 0);
}

int main(void)
{
    for (int kind = 0; kind < 3; kind++) {
        used_up(9000, kind);
        used_up(5001, kind);
        used_up(1024, kind);
        used_up(40, kind);
    }
    return done();
}
