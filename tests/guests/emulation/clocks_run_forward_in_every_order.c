// build: -O1
// Raw calls and the vDSO's functions read the same clocks: taken in any order no time is before the one taken earlier;
// resolutions, errors and bad addresses are native.
#include "check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/time.h>

static long long raw_ns(clockid_t clock)
{
    struct timespec time;
    CHECK_EQ(RAW2(SYS_clock_gettime, clock, &time), 0);
    CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long raw_day_ns(void)
{
    struct timeval time;
    CHECK_EQ(RAW2(SYS_gettimeofday, &time, 0), 0);
    return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

static long long day_ns(void)
{
    struct timeval time;
    CHECK_EQ(gettimeofday(&time, NULL), 0);
    return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

int main(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_TAI,
                                       CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_THREAD_CPUTIME_ID};
    for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        clockid_t clock = clocks[i];
        long long last = 0;
        /* CLOCK_REALTIME may be set by somebody; not while a test runs, it is hoped. */
        for (int k = 0; k < 3000; k++) {
            long long now = k % 3 ? raw_ns(clock) : now_ns(clock);
            CHECK(now >= last);
            last = now;
        }
        struct timespec raw_resolution, resolution;
        CHECK_EQ(RAW2(SYS_clock_getres, clock, &raw_resolution), 0);
        CHECK_EQ(clock_getres(clock, &resolution), 0);
        CHECK_EQ(raw_resolution.tv_nsec, resolution.tv_nsec);
        printf("clock %d: %ld.%09ld\n", clock, resolution.tv_sec, resolution.tv_nsec);
    }
    for (int k = 0; k < 3000; k++) {
        /* Microseconds are cut off, so each is compared with what was cut alike. */
        long long a = raw_ns(CLOCK_REALTIME) / 1000, b = raw_day_ns() / 1000, c = day_ns() / 1000, d = now_ns(CLOCK_REALTIME) / 1000;
        CHECK(a <= b && b <= c && c <= d);
        long long e = day_ns() / 1000, f = raw_day_ns() / 1000, g = raw_ns(CLOCK_REALTIME) / 1000;
        CHECK(d <= e && e <= f && f <= g);
        long long coarse = raw_ns(CLOCK_REALTIME_COARSE), fine = raw_ns(CLOCK_REALTIME);
        CHECK(coarse <= fine && fine - coarse < 1000000000);
        /* time(2) is that of the last tick. */
        long seconds, first = RAW1(SYS_time, &seconds), second = time(NULL);
        CHECK_EQ(first, seconds);
        CHECK(first <= second && second - first <= 1);
        CHECK(fine / 1000000000 - first <= 1);
        CHECK(RAW1(SYS_time, 0) >= first);
    }
    /* In the thread's own CPU time work counts and sleep does not. */
    long long before = raw_ns(CLOCK_THREAD_CPUTIME_ID);
    for (volatile int k = 0; k < 100000; k++)
        ;
    CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) > before);
    cpu_set_t all, one;
    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
        for (int k = 0; k < 20; k++) {
            unsigned here = 9999, node = 9999, again;
            CHECK_EQ(RAW3(SYS_getcpu, &here, &node, 0), 0);
            CHECK_EQ(here, cpu);
            CHECK_EQ(sched_getcpu(), cpu);
            CHECK_EQ(RAW3(SYS_getcpu, 0, &again, 0), 0);
            CHECK_EQ(again, node);
            CHECK_EQ(RAW3(SYS_getcpu, 0, 0, 0), 0);
        }
    }
    CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(munmap(page + 4096, 4096), 0);
#define SHOW(call) printf("%s = %ld\n", #call, (long)(call))
    for (int k = 0; k < 2; k++) {
        SHOW(RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, page + 4096));
        SHOW(RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, page + 4088));
        SHOW(RAW2(SYS_clock_gettime, CLOCK_MONOTONIC, 0));
        SHOW(RAW2(SYS_clock_gettime, 99, page));
        SHOW(RAW2(SYS_clock_gettime, -1, page));
        SHOW(RAW2(SYS_clock_getres, CLOCK_MONOTONIC, 0));
        SHOW(RAW2(SYS_clock_getres, CLOCK_MONOTONIC, page + 4088));
        SHOW(RAW2(SYS_clock_getres, 99, page));
        SHOW(RAW2(SYS_gettimeofday, 0, 0));
        SHOW(RAW2(SYS_gettimeofday, 0, page));
        SHOW(RAW2(SYS_gettimeofday, page + 4088, 0));
        SHOW(RAW2(SYS_gettimeofday, page, page + 4092));
        SHOW(RAW1(SYS_time, page + 4096));
        SHOW(RAW3(SYS_getcpu, page + 4096, 0, 0));
        SHOW(RAW3(SYS_getcpu, 0, page + 4094, 0));
    }
    return done();
}
