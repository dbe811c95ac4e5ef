// build: -O1
// A pipe's ends are duplicated while a timer's signals come, whose handler duplicates as well; those duplicates are used
// that were made when a signal came. What was written comes out in its order, and at the end the pipe is at its end.
#include "../check.h"
#include <fcntl.h>
#include <sys/time.h>

#define ROUNDS 4
#define COPIES 60
#define BURSTS 6000

static volatile unsigned signals;

static int duplicate(int fd, unsigned way)
{
    int copy = way % 3 == 0 ? dup(fd) : fcntl(fd, way % 3 == 1 ? F_DUPFD : F_DUPFD_CLOEXEC, way % 7 == 0 ? 300 : 0);
    CHECK(copy >= 0 && copy != fd);
    return copy;
}

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    CHECK_EQ(close(duplicate(0, signals)), 0);
    signals++;
}

static void storm(long microseconds)
{
    struct itimerval interval = { { 0, microseconds }, { 0, microseconds } };
    CHECK_EQ(setitimer(ITIMER_REAL, &interval, NULL), 0);
}

/* Duplicates of `fd`, itself among them. */
static void make_copies(int fd, int copies[COPIES])
{
    copies[0] = fd;
    for (unsigned n = 1, way = 0; n < COPIES; way++) {
        unsigned before = signals;
        int copy = duplicate(copies[way % 2 ? way % n : 0], way);
        REREAD();
        if (signals != before)
            copies[n++] = copy;
        else
            CHECK_EQ(close(copy), 0);
    }
}

/* The first as often as all others. */
static int one_of(const int copies[COPIES], uint64_t *seed)
{
    uint64_t n = next_random(seed);
    return copies[n % 2 ? n / 2 % COPIES : 0];
}

int main(void)
{
    on_signal(SIGALRM, handler, SA_RESTART);
    uint64_t seed = 11;
    for (int round = 0; round < ROUNDS; round++) {
        int ends[2], from[COPIES], to[COPIES];
        CHECK_EQ(pipe(ends), 0);
        storm(40);
        make_copies(ends[0], from);
        make_copies(ends[1], to);
        storm(0);
        unsigned written = 0, read_back = 0, value;
        for (int i = 0; i < BURSTS; i++) {
            unsigned several = 1 + next_random(&seed) % 3;
            for (unsigned n = 0; n < several; n++, written++)
                CHECK_EQ(write(one_of(to, &seed), &written, 4), 4);
            for (unsigned n = 0; n < several; n++, read_back++) {
                CHECK_EQ(read(one_of(from, &seed), &value, 4), 4);
                CHECK_EQ(value, read_back);
            }
        }
        CHECK_EQ(write(to[1], "rest", 4), 4);
        for (int n = 0; n < COPIES; n++)
            CHECK_EQ(close(to[n]), 0);
        CHECK_EQ(read(from[1], &value, 4), 4);
        CHECK_EQ(read(from[2], &value, 4), 0);
        for (int n = 0; n < COPIES; n++)
            CHECK_EQ(close(from[n]), 0);
    }
    return done();
}
