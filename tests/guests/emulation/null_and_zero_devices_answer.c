// build: -O1
// /dev/null, /dev/zero and /dev/full give native results and errors, before and after many accesses, also for bad addresses
// and enormous lengths.
#include "files.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

static unsigned char *memory; /* two pages, the third is missing */
static int quiet;

static void show(const char *what, long result)
{
    if (!quiet)
        printf("  %s = %ld\n", what, result);
}

static void table(int fd)
{
    unsigned char *edge = memory + 8192 - 10;
    static const long lengths[] = {0, 1, 10, 11, 100, 4096, 8192};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memset(memory, 7, 8192);
        show("read", RAW3(SYS_read, fd, memory, lengths[i]));
        show("  its first and last byte", memory[0] * 256 + memory[8191]);
        show("read at the edge", RAW3(SYS_read, fd, edge, lengths[i]));
        show("read at nowhere", RAW3(SYS_read, fd, 8, lengths[i]));
        show("write", RAW3(SYS_write, fd, memory, lengths[i]));
        show("write from the edge", RAW3(SYS_write, fd, edge, lengths[i]));
        show("write from nowhere", RAW3(SYS_write, fd, 8, lengths[i]));
        show("pread", RAW4(SYS_pread64, fd, memory, lengths[i], 1000));
        show("pwrite", RAW4(SYS_pwrite64, fd, memory, lengths[i], 1000));
    }
    show("read of too much", RAW3(SYS_read, fd, memory, -1L));
    show("write of too much", RAW3(SYS_write, fd, memory, -1L));
    show("write of the most", RAW3(SYS_write, fd, memory, 0x7fffffffL));
    show("write of more than the most", RAW3(SYS_write, fd, 0x10000, 0x7ffff001L));
    show("write of 4 GiB", RAW3(SYS_write, fd, 0x10000, 1L << 32));
    show("write from the kernel's half", RAW3(SYS_write, fd, 1UL << 63, 1));
    show("pread at less than zero", RAW4(SYS_pread64, fd, memory, 1, -1L));
    show("pwrite at less than zero", RAW4(SYS_pwrite64, fd, memory, 1, -1L));
    struct iovec parts[3] = {{memory, 10}, {edge, 100}, {memory + 100, 10}};
    show("readv", RAW3(SYS_readv, fd, parts, 3));
    show("writev", RAW3(SYS_writev, fd, parts, 3));
    show("readv of no parts", RAW3(SYS_readv, fd, parts, 0));
    show("readv of too many", RAW3(SYS_readv, fd, parts, 2000));
    show("seek", lseek(fd, 100, SEEK_SET));
    show("seek", lseek(fd, 5, SEEK_CUR));
    show("seek", lseek(fd, -5, SEEK_END));
    show("seek", lseek(fd, -1, SEEK_SET));
    int count = -1;
    show("FIONREAD", RAW3(SYS_ioctl, fd, FIONREAD, &count));
    struct pollfd ready = {fd, POLLIN | POLLOUT, 0};
    show("poll", poll(&ready, 1, 0) * 1000 + ready.revents);
    show("truncate", RAW2(SYS_ftruncate, fd, 0));
    show("size", size_of(fd));
    show("sync", RAW1(SYS_fsync, fd));
}

int main(void)
{
    memory = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_EQ(munmap(memory + 8192, 4096), 0);
    static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full"};
    static const int ways[] = {O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_NONBLOCK | O_APPEND};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; k < 4; k++) {
            int fd = open(names[i], ways[k]);
            CHECK(fd >= 0);
            printf("%s opened with %#o\n", names[i], (unsigned)ways[k]);
            table(fd);
            quiet = 1;
            for (int round = 0; round < 100; round++)
                table(fd);
            quiet = 0;
            puts(" after many accesses");
            table(fd);
            close(fd);
        }
    }
    /* What took the place of the device is not taken for it. */
    int fd = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    char byte = 1;
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(read(fd, &byte, 1), 0);
    CHECK_EQ(dup2(zero, fd), fd);
    CHECK_EQ(read(fd, &byte, 1), 1);
    CHECK_EQ(byte, 0);
    return done();
}
