// build: -O1
// Buffers that end or begin in memory that cannot be used: files, pipes and vectors give native counts and errors, offsets move
// by what was transferred, data is neither lost nor doubled.
#include "files.h"
#include <sys/mman.h>
#include <sys/uio.h>

static unsigned char *middle; /* two good pages with bad ones around them */
static int quiet;

static void show(const char *what, long result)
{
    if (!quiet)
        printf("  %s = %ld\n", what, result);
}

static void on_file(int fd)
{
    unsigned char *edge = middle + 8192 - 10;
    static const long sizes[] = {1, 9, 10, 11, 100, 5000};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        long size = sizes[i];
        CHECK_EQ(lseek(fd, 1000, SEEK_SET), 1000);
        show("read over the edge", RAW3(SYS_read, fd, edge, size));
        show("offset", offset_of(fd));
        show("pread over the edge", RAW4(SYS_pread64, fd, edge, size, 3000));
        show("read before the page", RAW3(SYS_read, fd, middle - 5, size));
        show("offset", offset_of(fd));
        show("write over the edge", RAW3(SYS_write, fd, edge, size));
        show("offset", offset_of(fd));
        show("pwrite over the edge", RAW4(SYS_pwrite64, fd, edge, size, 4090));
        show("pwrite from before", RAW4(SYS_pwrite64, fd, middle - 5, size, 4090));
        struct iovec parts[3] = {{middle, 4}, {edge, (size_t)size}, {middle + 50, 6}};
        CHECK_EQ(lseek(fd, 2000, SEEK_SET), 2000);
        show("readv", RAW3(SYS_readv, fd, parts, 3));
        show("offset", offset_of(fd));
        show("writev", RAW3(SYS_writev, fd, parts, 3));
        show("offset", offset_of(fd));
    }
    show("read at the kernel's half", RAW3(SYS_read, fd, -4096L, 10));
    show("read across the end of the half", RAW3(SYS_read, fd, 0x7ffffffff000L - 4, 10));
    show("write of an enormous length", RAW4(SYS_pwrite64, fd, edge, 0x7fffffffffffffffL, 100));
    show("read of an enormous length", RAW4(SYS_pread64, fd, edge, 0x7fffffffL, 100));
    show("size", size_of(fd));
}

static void on_pipe(int *ends)
{
    unsigned char *edge = middle + 8192 - 10;
    int waiting;
    static const long sizes[] = {1, 10, 11, 100, 5000};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        show("write over the edge", RAW3(SYS_write, ends[1], edge, sizes[i]));
        show("write from nowhere", RAW3(SYS_write, ends[1], 8, sizes[i]));
        CHECK_EQ(RAW3(SYS_ioctl, ends[0], 0x541b /* FIONREAD */, &waiting), 0);
        show("waiting", waiting);
        CHECK_EQ(write(ends[1], middle, 100), 100);
        show("read at nowhere", RAW3(SYS_read, ends[0], 8, sizes[i]));
        show("read over the edge", RAW3(SYS_read, ends[0], edge, sizes[i]));
        CHECK_EQ(RAW3(SYS_ioctl, ends[0], 0x541b, &waiting), 0);
        show("waiting", waiting);
        long drained = 0;
        for (long got; (got = read(ends[0], middle, 8192)) > 0;)
            drained += got;
        show("drained", drained);
    }
}

int main(void)
{
    unsigned char *all = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(all != MAP_FAILED);
    middle = all + 4096;
    CHECK_EQ(munmap(all, 4096), 0);
    /* The next page is first missing, then there without any right, then read-only. */
    for (int kind = 0; kind < 3; kind++) {
        if (kind == 0)
            CHECK_EQ(mprotect(all + 3 * 4096, 4096, PROT_NONE), 0);
        else if (kind == 1)
            CHECK_EQ(mprotect(all + 3 * 4096, 4096, PROT_READ), 0);
        else
            CHECK_EQ(munmap(all + 3 * 4096, 4096), 0);
        make_file("data", 20000);
        int fd = open("data", O_RDWR), ends[2];
        CHECK_EQ(pipe2(ends, O_NONBLOCK), 0);
        memset(middle, 'm', 8192);
        printf("next page: kind %d\n", kind);
        on_file(fd);
        on_pipe(ends);
        quiet = 1;
        make_file("data", 20000);
        write_burst(fd, offset_of(fd), 0, 1);
        for (int i = 0; i < MANY; i++) {
            touch_byte(fd, i);
            CHECK_EQ(write(ends[1], middle, 10), 10);
            CHECK_EQ(read(ends[0], middle, 10), 10);
        }
        for (int i = 0; i < 20; i++) {
            on_file(fd);
            on_pipe(ends);
        }
        quiet = 0;
        puts(" after many accesses");
        on_file(fd);
        on_pipe(ends);
        close(fd);
        close(ends[0]);
        close(ends[1]);
    }
    return done();
}
