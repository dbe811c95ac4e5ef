// build: -O1
// A signal handler reads and writes the descriptors that the program is just using: every byte is read once, in order, no write
// is lost, wherever in a burst the signal comes.
#include "files.h"
#include <fcntl.h>
#include <sys/time.h>

#define LENGTH 60000

static int file, record, ends[2], place;
static volatile int runs;
static unsigned char seen[LENGTH];
static volatile enum { READS, WRITES, PIPES, REPLACES } what;

/* In which order the handler and the program read cannot be told from outside, but each byte has its place in the file. */
static void take(void)
{
    unsigned char byte[2];
    long got = read(file, byte, 1);
    CHECK(got == 0 || got == 1);
    if (got == 1)
        CHECK_EQ(write(record, byte, 1), 1);
}

static void tick(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    int saved = errno;
    unsigned char byte = 'h';
    runs++;
    switch (what) {
    case READS: take(); break;
    case WRITES: CHECK_EQ(pwrite(file, &byte, 1, runs % 100), 1); break;
    case PIPES:
        CHECK_EQ(write(ends[1], &byte, 1), 1);
        break;
    case REPLACES:
        /* The descriptor's number is given to another description of the same file. */
        CHECK_EQ(dup2(place, file), file);
        CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
    }
    errno = saved;
}

/* Raised at every few accesses as well: timers alone might never hit a short burst. */
static void go(int access)
{
    struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    file = open("data", access);
    runs = 0;
    CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
    long total = 0;
    unsigned char bytes[4];
    long long begin = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; runs < 100 && now_ns(CLOCK_MONOTONIC) - begin < 300000000; i++) {
        if (i % 97 == 0)
            raise(SIGALRM);
        switch (what) {
        case READS: {
            long got = read(file, bytes, 2);
            CHECK(got >= 0);
            total += got;
            if (got == 0)
                CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
            break;
        }
        case WRITES: touch_byte(file, 100 + i % 1000); break;
        case PIPES:
            CHECK_EQ(write(ends[1], "p", 1), 1);
            CHECK_EQ(read(ends[0], bytes, 1), 1);
            total++;
            break;
        case REPLACES:
            CHECK(read(file, bytes, 3) >= 0);
            CHECK(offset_of(file) % 3 == 0);
        }
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK(runs > 0);
    if (what == PIPES) {
        /* What the handler put in and the program did not take out is still there, every byte. */
        CHECK_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
        long left = 0;
        while (read(ends[0], bytes, 1) == 1)
            left++;
        CHECK_EQ(left, runs);
        CHECK_EQ(fcntl(ends[0], F_SETFL, 0), 0);
    }
    close(file);
}

/* Reads the whole file once, by turns in the program and in a handler that is raised between two reads. */
static void whole_file(int access)
{
    file = open("data", access);
    record = open("record", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644);
    what = READS;
    for (int i = 0; offset_of(file) < LENGTH - 10; i++) {
        take();
        if (i % 3 == 0)
            raise(SIGALRM);
    }
    long length = offset_of(file);
    CHECK_EQ(lseek(record, 0, SEEK_SET), 0);
    CHECK_EQ(read(record, seen, LENGTH), length);
    check_bytes(seen, 0, length);
    close(file);
}

int main(void)
{
    make_file("data", LENGTH);
    CHECK_EQ(pipe(ends), 0);
    on_signal(SIGALRM, tick, SA_RESTART);
    for (int access = O_RDONLY; access <= O_RDWR; access += O_RDWR) {
        whole_file(access);
        place = open("data", access);
        for (int kind = READS; kind <= REPLACES; kind++) {
            what = kind;
            if (kind != WRITES || access == O_RDWR)
                go(access);
        }
        close(place);
    }
    unlink("data");
    unlink("record");
    return done();
}
