// build: -O1
// Duplicated descriptors share one offset and one set of flags, whichever is used or closed first; a number that is used anew
// reads the new file.
#include "files.h"
#include <sys/resource.h>

static int duplicate(int fd, int how)
{
    switch (how) {
    case 0: return dup(fd);
    case 1: return dup2(fd, 40);
    case 2: return dup3(fd, 41, O_CLOEXEC);
    case 3: return fcntl(fd, F_DUPFD, 50);
    default: return fcntl(fd, F_DUPFD_CLOEXEC, 51);
    }
}

static void each_way_shares_the_offset(int access)
{
    for (int how = 0; how < 5; how++) {
        for (int closes_first = 0; closes_first < 2; closes_first++) {
            int fd = open("data", access);
            read_burst(fd, 0, MANY, 3);
            int other = duplicate(fd, how);
            CHECK(other > fd);
            read_burst(other, MANY * 3, MANY, 2);
            read_burst(fd, MANY * 5, MANY, 1);
            CHECK_EQ(offset_of(other), MANY * 6);
            CHECK_EQ(close(closes_first ? fd : other), 0);
            int left = closes_first ? other : fd;
            read_burst(left, MANY * 6, MANY, 4);
            CHECK_EQ(lseek(left, 17, SEEK_SET), 17);
            read_burst(left, 17, MANY, 1);
            CHECK_EQ(close(left), 0);
            unsigned char byte;
            CHECK_EQ(read(left, &byte, 1), -1);
            CHECK_EQ(errno, EBADF);
        }
    }
}

static void numbers_are_used_anew(void)
{
    for (int how = 0; how < 4; how++) {
        int fd = open("data", O_RDONLY);
        read_burst(fd, 0, MANY, 2);
        int other = open("other", O_RDONLY), before = other;
        if (how == 0) {
            CHECK_EQ(close(fd), 0);
            CHECK_EQ(dup(other), fd);
        } else if (how == 1) {
            CHECK_EQ(dup2(other, fd), fd);
        } else if (how == 2) {
            CHECK_EQ(dup3(other, fd, O_CLOEXEC), fd);
        } else {
            CHECK_EQ(syscall(SYS_close_range, fd, fd, 0), 0);
            CHECK_EQ(fcntl(other, F_DUPFD, fd), fd);
        }
        unsigned char bytes[4];
        for (int i = 0; i < MANY; i++) {
            CHECK_EQ(read(fd, bytes, 1), 1);
            CHECK_EQ(bytes[0], 'o');
        }
        CHECK_EQ(offset_of(before), MANY);
        CHECK_EQ(read(fd, bytes, 4), 4);
        CHECK_EQ(offset_of(other), MANY + 4);
        close(fd);
        close(other);
    }
    /* dup2 of a descriptor over itself changes nothing. */
    int fd = open("data", O_RDWR);
    write_burst(fd, 0, MANY, 2);
    CHECK_EQ(dup2(fd, fd), fd);
    CHECK_EQ(dup3(fd, fd, 0), -1);
    CHECK_EQ(errno, EINVAL);
    write_burst(fd, MANY * 2, MANY, 2);
    CHECK_EQ(offset_of(fd), MANY * 4);
    close(fd);
}

static void flags_are_of_the_description(void)
{
    int fd = open("data", O_RDWR);
    write_burst(fd, 0, MANY, 3);
    int other = dup(fd);
    CHECK_EQ(fcntl(other, F_SETFL, O_APPEND), 0);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(size_of(fd), 20001);
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    CHECK_EQ(ftruncate(other, 20000), 0);
    CHECK_EQ(lseek(other, 5, SEEK_SET), 5);
    write_burst(fd, 5, MANY, 1);
    CHECK_EQ(size_of(other), 20000);
    CHECK_EQ(fcntl(other, F_SETFD, FD_CLOEXEC), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    close(fd);
    read_burst(other, 5 + MANY, MANY, 1);
    close(other);
}

int main(void)
{
    make_file("data", 20000);
    FILE *file = fopen("other", "w");
    for (int i = 0; i < 1000; i++)
        putc('o', file);
    fclose(file);
    each_way_shares_the_offset(O_RDONLY);
    each_way_shares_the_offset(O_RDWR);
    numbers_are_used_anew();
    flags_are_of_the_description();
    return done();
}
