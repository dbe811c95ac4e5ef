/* Files with known contents, and the accesses that a runtime may come to answer itself: many small ones in a row. */
#ifndef FILES_H
#define FILES_H

#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

/* More than the accesses after which a descriptor may change hands. */
#define MANY 300

/* The byte at `offset` of a file made by `make_file`. */
static __attribute__((unused)) unsigned char byte_at(long offset)
{
    return (unsigned char)((offset * 2654435761u) >> 13 ^ offset);
}

static __attribute__((unused)) void check_bytes(const unsigned char *bytes, long offset, long length)
{
    for (long i = 0; i < length; i++)
        if (bytes[i] != byte_at(offset + i))
            check_failed(__FILE__, __LINE__, "the file's own byte", bytes[i], offset + i);
}

/* Makes `name` of `length` known bytes; in steps, so that no call of the test proper is among them. */
static __attribute__((unused)) void make_file(const char *name, long length)
{
    unsigned char *bytes = malloc((size_t)length + 1);
    for (long i = 0; i < length; i++)
        bytes[i] = byte_at(i);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, bytes, (size_t)length), length);
    struct stat made;
    CHECK_EQ(fstat(fd, &made), 0);
    CHECK_EQ(close(fd), 0);
    free(bytes);
    /* A read in the tick of the last change may move the access time once more (mount(2), MS_RELATIME). */
    struct timespec now;
    do
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
    while (now.tv_sec < made.st_ctim.tv_sec || (now.tv_sec == made.st_ctim.tv_sec && now.tv_nsec <= made.st_ctim.tv_nsec));
}

/* Reads `times` pieces of `size` bytes from the current offset, which is `from`. */
static __attribute__((unused)) void read_burst(int fd, long from, int times, long size)
{
    unsigned char bytes[8192];
    for (int i = 0; i < times; i++) {
        CHECK_EQ(read(fd, bytes, (size_t)size), size);
        check_bytes(bytes, from + i * size, size);
    }
}

/* Reads `times` pieces of `size` bytes at scattered offsets below `length`. */
static __attribute__((unused)) void pread_burst(int fd, long length, int times, long size)
{
    unsigned char bytes[8192];
    for (int i = 0; i < times; i++) {
        long at = (i * 977L) % (length - size + 1);
        CHECK_EQ(pread(fd, bytes, (size_t)size, at), size);
        check_bytes(bytes, at, size);
    }
}

/* Writes what is there already, `times` times, from the current offset, which is `from`. */
static __attribute__((unused)) void write_burst(int fd, long from, int times, long size)
{
    unsigned char bytes[8192];
    for (int i = 0; i < times; i++) {
        for (long k = 0; k < size; k++)
            bytes[k] = byte_at(from + i * size + k);
        CHECK_EQ(write(fd, bytes, (size_t)size), size);
    }
}

/* Writes one byte that is there already. */
static __attribute__((unused)) void touch_byte(int fd, long offset)
{
    unsigned char byte = byte_at(offset);
    CHECK_EQ(pwrite(fd, &byte, 1, offset), 1);
}

static __attribute__((unused)) long offset_of(int fd) { return lseek(fd, 0, SEEK_CUR); }

static __attribute__((unused)) long size_of(int fd)
{
    struct stat stat;
    CHECK_EQ(fstat(fd, &stat), 0);
    return stat.st_size;
}

#endif
