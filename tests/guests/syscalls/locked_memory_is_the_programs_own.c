// build: -O1
// build[static]: -O1 -static
// mlockall locks what the program has mapped, and RLIMIT_MEMLOCK is for that: a small program fits a small limit, and
// becomes no larger.
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

#define MIB (1ul << 20)

static int is_resident(char *start, size_t length)
{
    unsigned char pages[1024];
    CHECK_EQ(mincore(start, length, pages), 0);
    for (size_t i = 0; i < length / 4096; i++)
        if (!(pages[i] & 1))
            return 0;
    return 1;
}

static char *map(size_t length)
{
    return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* Code that has not run before. */
static void work(void)
{
    int numbers[100];
    char text[100];
    for (int i = 0; i < 100; i++)
        numbers[i] = i * 37 % 101;
    qsort(numbers, 100, sizeof *numbers, compare);
    snprintf(text, sizeof text, "%d %.3f %s", numbers[50], 1.5 * numbers[7], strerror(numbers[3]));
    CHECK_EQ(strtol(text, NULL, 10), numbers[50]);
}

int main(void)
{
    struct rlimit limit;
    struct rusage usage;
    char *before = map(MIB);
    CHECK_EQ(mlockall(0), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(mlockall(MCL_CURRENT | 64), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (geteuid() == 0) {
        /* Root has no limit. */
        CHECK(!is_resident(before, MIB));
        CHECK_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
        CHECK(is_resident(before, MIB));
        CHECK(is_resident(map(MIB), MIB));
        work();
        CHECK_EQ(munlockall(), 0);
        CHECK(!is_resident(map(MIB), MIB));
        CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
        CHECK(usage.ru_maxrss < 40 * 1024);
        CHECK_EQ(setresgid(65534, 65534, 65534), 0);
        CHECK_EQ(setresuid(65534, 65534, 65534), 0);
    }
    /* A small program fits the usual limit of 8 MiB. */
    if (limit.rlim_max < 8 * MIB)
        return done();
    limit.rlim_cur = 8 * MIB;
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    CHECK_EQ(mlockall(MCL_CURRENT), 0);
    CHECK_EQ(munlockall(), 0);
    char *lazy = map(MIB / 2);
    CHECK_EQ(mlockall(MCL_CURRENT | MCL_ONFAULT), 0);
    CHECK(!is_resident(lazy, MIB / 2));
    CHECK_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
    CHECK(is_resident(lazy, MIB / 2));
    CHECK(is_resident(map(MIB / 2), MIB / 2));
    work();
    CHECK(map(8 * MIB) == MAP_FAILED);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(munlockall(), 0);
    limit.rlim_cur = MIB / 2;
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    CHECK_EQ(mlockall(MCL_CURRENT), -1);
    CHECK_EQ(errno, ENOMEM);
    limit.rlim_cur = 0;
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    CHECK_EQ(mlockall(MCL_CURRENT), -1);
    CHECK_EQ(errno, EPERM);
    return done();
}
