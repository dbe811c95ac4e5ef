// build: -O1
// Holes read as zeros and stay holes when they are read in small pieces; writes of bursts fill them as other writes do.
#include "files.h"
#include <sys/wait.h>

static void holes(int fd)
{
    long end = size_of(fd), at = 0;
    printf("  ");
    while (at < end) {
        long data = lseek(fd, at, SEEK_DATA);
        if (data < 0) {
            CHECK_EQ(errno, ENXIO);
            break;
        }
        at = lseek(fd, data, SEEK_HOLE);
        printf(" data %ld-%ld", data, at);
    }
    printf(" of %ld\n", end);
}

static void zeros(int fd, long from, long length)
{
    unsigned char bytes[64];
    CHECK_EQ(lseek(fd, from, SEEK_SET), from);
    for (long at = 0; at < length; at += 64) {
        CHECK_EQ(read(fd, bytes, 64), 64);
        for (int i = 0; i < 64; i++)
            CHECK_EQ(bytes[i], 0);
    }
}

int main(void)
{
    int fd = open("sparse", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK_EQ(ftruncate(fd, 1 << 20), 0);
    holes(fd);
    zeros(fd, 0, 64 * 1024);
    holes(fd);
    CHECK_EQ(pwrite(fd, "x", 1, 500000), 1);
    holes(fd);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pwrite(fd, "abc", 3, 100000 + i * 3), 3);
    holes(fd);
    zeros(fd, 200000, 64 * 1024);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pwrite(fd, "d", 1, 210000 + i * 40), 1);
    holes(fd);
    /* Seeking for data moves the offset that small reads go on from. */
    CHECK_EQ(lseek(fd, 300000, SEEK_DATA), 499712);
    zeros(fd, offset_of(fd), 64);
    CHECK_EQ(offset_of(fd), 499712 + 64);
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100352 - 2048, 8192), 0);
    holes(fd);
    zeros(fd, 98304, 4096);
    CHECK_EQ(fallocate(fd, FALLOC_FL_ZERO_RANGE, 208896, 4096), 0);
    zeros(fd, 208896, 4096);
    CHECK_EQ(fallocate(fd, 0, 0, 2 << 20), 0);
    CHECK_EQ(size_of(fd), 2 << 20);
    zeros(fd, (2 << 20) - 4096, 4096);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pwrite(fd, "e", 1, (2 << 20) - 1 - i), 1);
    CHECK_EQ(size_of(fd), 2 << 20);
    close(fd);
    return done();
}
