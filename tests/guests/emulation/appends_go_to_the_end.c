// build: -O1
// O_APPEND writes at the end, wherever the offset is, with two descriptions taking turns and with the flag switched on and off
// between bursts in place.
#include "files.h"
#include <sys/wait.h>

static void expect(int fd, long offset, long size)
{
    CHECK_EQ(offset_of(fd), offset);
    CHECK_EQ(size_of(fd), size);
}

static void take_turns(void)
{
    int a = open("log", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644), b = open("log", O_WRONLY | O_APPEND);
    long size = 0;
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(write(a, "aaa", 3), 3);
        size += 3;
        expect(a, size, size);
        CHECK_EQ(write(b, "bb", 2), 2);
        size += 2;
        expect(b, size, size);
        char bytes[5];
        CHECK_EQ(pread(a, bytes, 5, size - 5), 5);
        CHECK_EQ(memcmp(bytes, "aaabb", 5), 0);
        CHECK_EQ(lseek(a, i, SEEK_SET), i);
        CHECK_EQ(read(a, bytes, 1), 1);
    }
    /* Linux appends for pwrite as well (pwrite(2), BUGS). */
    CHECK_EQ(lseek(a, 10, SEEK_SET), 10);
    CHECK_EQ(pwrite(a, "P", 1, 0), 1);
    expect(a, 10, size + 1);
    close(a);
    close(b);
}

static void switch_between(void)
{
    make_file("data", 5000);
    int fd = open("data", O_RDWR);
    long size = 5000;
    for (int round = 0; round < 10; round++) {
        CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
        write_burst(fd, 100, MANY, 5);
        expect(fd, 100 + MANY * 5, size);
        CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
        for (int i = 0; i < MANY; i++) {
            unsigned char byte = byte_at(size++);
            CHECK_EQ(write(fd, &byte, 1), 1);
        }
        expect(fd, size, size);
        CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        read_burst(fd, 0, MANY, 10);
    }
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    read_burst(fd, 0, (int)(size / 100), 100);
    close(fd);
}

/* Four processes append records at once: none is lost or torn. */
static void at_once(void)
{
    int fd = open("records", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644);
    CHECK_EQ(write(fd, "", 0), 0);
    for (int child = 0; child < 4; child++) {
        if (fork() == 0) {
            char record[8];
            memset(record, 'a' + child, sizeof record);
            for (int i = 0; i < MANY; i++)
                CHECK_EQ(write(fd, record, sizeof record), sizeof record);
            _exit(0);
        }
    }
    for (int child = 0; child < 4; child++) {
        int status;
        CHECK(wait(&status) > 0);
        CHECK_EQ(status, 0);
    }
    int counts[4] = {0};
    char record[8];
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    while (read(fd, record, sizeof record) == sizeof record) {
        for (int i = 1; i < 8; i++)
            CHECK_EQ(record[i], record[0]);
        counts[record[0] - 'a']++;
    }
    for (int child = 0; child < 4; child++)
        CHECK_EQ(counts[child], MANY);
    unlink("records");
    close(fd);
}

/* Growing without O_APPEND, in small pieces and in steps over a gap. */
static void extend(void)
{
    int fd = open("grown", O_RDWR | O_CREAT | O_TRUNC, 0644);
    write_burst(fd, 0, 3000, 3);
    expect(fd, 9000, 9000);
    CHECK_EQ(lseek(fd, 8990, SEEK_SET), 8990);
    write_burst(fd, 8990, 4, 5);
    expect(fd, 9010, 9010);
    pread_burst(fd, 9010, MANY, 10);
    CHECK_EQ(pwrite(fd, "x", 1, 20000), 1);
    expect(fd, 9010, 20001);
    unsigned char bytes[3];
    CHECK_EQ(pread(fd, bytes, 3, 15000), 3);
    CHECK_EQ(bytes[0] | bytes[1] | bytes[2], 0);
    close(fd);
}

int main(void)
{
    take_turns();
    switch_between();
    at_once();
    extend();
    return done();
}
