// build: -O1
// options: --no-follow
// A process that has read or written a file in small pieces is stopped by SIGSTOP. Others still open the file for writing,
// truncate it and read what was written, in less than five seconds.
#include "files.h"
#include "partner.h"

enum { STOP_AND_OPEN = 1, STOP_AND_TRUNCATE };

static char state_of(pid_t pid)
{
    char path[40], text[200] = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    CHECK(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return strrchr(text, ')')[2];
}

static long answer(int question, long argument)
{
    pid_t pid = board->first_pid;
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    while (state_of(pid) != 'T')
        ;
    long long begin = now_ns(CLOCK_MONOTONIC);
    char byte;
    int fd = open("data", O_RDONLY);
    CHECK_EQ(pread(fd, &byte, 1, 0), 1);
    CHECK_EQ(byte, argument);
    close(fd);
    if (question == STOP_AND_OPEN) {
        fd = open("data", O_WRONLY);
        CHECK_EQ(pwrite(fd, "P", 1, 1), 1);
        close(fd);
    } else {
        CHECK_EQ(truncate("data", 100), 0);
    }
    long long took = now_ns(CLOCK_MONOTONIC) - begin;
    CHECK_EQ(kill(pid, SIGCONT), 0);
    CHECK(took < 5000000000LL);
    return 0;
}

/* The process computes while it is stopped, or sleeps in a call. */
static void round_of(int access, int question, int computes)
{
    make_file("data", 10000);
    int fd = open("data", access);
    char first = (char)byte_at(0);
    read_burst(fd, 0, MANY, 4);
    if (access == O_RDWR) {
        first = 'M';
        for (int i = 0; i < MANY; i++)
            CHECK_EQ(pwrite(fd, "M", 1, 0), 1);
    }
    partner_begins(question, first);
    while (computes && !partner_is_done())
        ;
    CHECK_EQ(partner_answer(), 0);
    char bytes[2];
    if (question == STOP_AND_OPEN) {
        CHECK_EQ(pread(fd, bytes, 2, 0), 2);
        CHECK_EQ(bytes[1], 'P');
    } else {
        CHECK_EQ(size_of(fd), 100);
        CHECK_EQ(read(fd, bytes, 2), 0);
        CHECK_EQ(offset_of(fd), MANY * 4);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    for (int computes = 0; computes < 2; computes++)
        for (int access = O_RDONLY; access <= O_RDWR; access += O_RDWR)
            for (int question = STOP_AND_OPEN; question <= STOP_AND_TRUNCATE; question++)
                round_of(access, question, computes);
    return done_with_partner();
}
