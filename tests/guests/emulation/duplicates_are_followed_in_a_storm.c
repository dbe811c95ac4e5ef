// build: -O1
// A pipe's ends are duplicated, used by every duplicate and closed while a timer's signals come, and the handler does so
// too: what was written comes out in its order, and at the end the pipe is at its end.
#include "../check.h"
#include <fcntl.h>
#include <sys/time.h>

#define ROUNDS 80
#define BURST 800

static int handlers_pipe[2];
static volatile int signals;

static int duplicate(int fd, unsigned way)
{
    int copy = way % 3 == 0 ? dup(fd) : fcntl(fd, way % 3 == 1 ? F_DUPFD : F_DUPFD_CLOEXEC, way % 7 == 0 ? 300 : 0);
    CHECK(copy >= 0 && copy != fd);
    return copy;
}

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    int saved = errno;
    int copy = duplicate(handlers_pipe[1], (unsigned)signals);
    char out = (char)signals, in = (char)(out + 1);
    CHECK_EQ(write(signals % 2 ? copy : handlers_pipe[1], &out, 1), 1);
    CHECK_EQ(read(handlers_pipe[0], &in, 1), 1);
    CHECK_EQ(in, out);
    CHECK_EQ(close(copy), 0);
    signals++;
    errno = saved;
}

static void storm(long microseconds)
{
    struct itimerval interval = { { 0, microseconds }, { 0, microseconds } };
    CHECK_EQ(setitimer(ITIMER_REAL, &interval, NULL), 0);
}

int main(void)
{
    CHECK_EQ(pipe(handlers_pipe), 0);
    on_signal(SIGALRM, handler, SA_RESTART);
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    uint64_t seed = 11;
    uint32_t written = 0, read_back = 0, value;
    storm(60);
    for (unsigned round = 0; round < ROUNDS || signals < 300; round++) {
        int from[2] = { ends[0], duplicate(ends[0], round) }, to[2] = { ends[1], duplicate(ends[1], round / 2) };
        for (int i = 0; i < BURST; i++) {
            unsigned several = 1 + next_random(&seed) % 3;
            for (unsigned n = 0; n < several; n++, written++)
                CHECK_EQ(write(to[next_random(&seed) % 2], &written, 4), 4);
            for (unsigned n = 0; n < several; n++, read_back++) {
                CHECK_EQ(read(from[next_random(&seed) % 2], &value, 4), 4);
                CHECK_EQ(value, read_back);
            }
        }
        int which = (int)(next_random(&seed) % 2);
        CHECK_EQ(close(from[which]), 0);
        CHECK_EQ(close(to[!which]), 0);
        ends[0] = from[!which], ends[1] = to[which];
    }
    storm(0);
    CHECK_EQ(write(ends[1], "rest", 4), 4);
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(read(ends[0], &value, 4), 4);
    CHECK_EQ(read(ends[0], &value, 4), 0);
    return done();
}
