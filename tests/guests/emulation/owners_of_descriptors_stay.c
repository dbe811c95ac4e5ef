// build: -O1
// Whom a description tells of events, and by which signal (fcntl(2): F_SETOWN, F_SETOWN_EX, F_SETSIG, F_SETLEASE), stays as the
// program set it, before and after bursts; a pipe that signals its owner (O_ASYNC) does so for each byte.
#include "files.h"

static volatile int told;

static void on_told(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    told++;
}

static void bursts(int fd)
{
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    read_burst(fd, 0, MANY, 3);
    pread_burst(fd, 10000, MANY, 3);
    read_burst(fd, MANY * 3, MANY, 3);
}

static void of_files(int access)
{
    int fd = open("data", access);
    CHECK_EQ(fcntl(fd, F_SETOWN, getpid()), 0);
    bursts(fd);
    CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
    close(fd);

    /* After it has changed hands. */
    fd = open("data", access);
    bursts(fd);
    CHECK_EQ(fcntl(fd, F_GETOWN), 0);
    CHECK_EQ(fcntl(fd, F_SETOWN, -getpgrp()), 0);
    bursts(fd);
    CHECK_EQ(fcntl(fd, F_GETOWN), -getpgrp());
    int other = dup(fd);
    close(fd);
    bursts(other);
    CHECK_EQ(fcntl(other, F_GETOWN), -getpgrp());
    close(other);

    fd = open("data", access);
    struct f_owner_ex owner = {F_OWNER_TID, gettid()}, now = {0, 0};
    bursts(fd);
    CHECK_EQ(fcntl(fd, F_SETOWN_EX, &owner), 0);
    bursts(fd);
    CHECK_EQ(fcntl(fd, F_GETOWN_EX, &now), 0);
    CHECK_EQ(now.type, F_OWNER_TID);
    CHECK_EQ(now.pid, gettid());
    CHECK_EQ(fcntl(fd, F_SETSIG, SIGUSR1), 0);
    bursts(fd);
    CHECK_EQ(fcntl(fd, F_GETSIG), SIGUSR1);
    close(fd);

    /* A lease makes its taker the owner, until it is given back (fs/locks.c, lease_modify). */
    fd = open("data", access);
    bursts(fd);
    if (fcntl(fd, F_SETLEASE, access == O_RDONLY ? F_RDLCK : F_WRLCK) == 0) {
        CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
        CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
        bursts(fd);
        CHECK_EQ(fcntl(fd, F_GETOWN), 0);
        CHECK_EQ(fcntl(fd, F_SETOWN, getpid()), 0);
        bursts(fd);
        CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
    }
    close(fd);
}

static void of_pipes(int burst_first)
{
    int ends[2];
    char byte = 'x';
    CHECK_EQ(pipe(ends), 0);
    on_signal(SIGIO, on_told, 0);
    for (int i = 0; i < burst_first; i++) {
        CHECK_EQ(write(ends[1], &byte, 1), 1);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
    }
    CHECK_EQ(fcntl(ends[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(ends[0], F_SETFL, O_ASYNC), 0);
    told = 0;
    for (int i = 0; i < 2000; i++) {
        CHECK_EQ(write(ends[1], &byte, 1), 1);
        REREAD();
        CHECK_EQ(told, i + 1);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
    }
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    make_file("data", 10000);
    of_files(O_RDONLY);
    of_files(O_RDWR);
    of_pipes(0);
    of_pipes(2000);
    return done();
}
