// build: -O1
// O_DIRECT keeps its rules of alignment, from the opening on or switched on in the middle; buffered accesses of another
// descriptor see what it wrote and it what they wrote.
#include "files.h"
#include <stdlib.h>

static unsigned char *aligned;

static void show(const char *what, long result)
{
    printf("  %s = %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

static void table(int fd)
{
    show("aligned read", pread(fd, aligned, 4096, 0));
    show("short read", pread(fd, aligned, 100, 0));
    show("odd place", pread(fd, aligned, 4096, 100));
    show("odd address", pread(fd, aligned + 1, 4096, 0));
    show("aligned write", pwrite(fd, aligned, 4096, 4096));
    show("short write", pwrite(fd, aligned, 100, 0));
    show("read at the end", pread(fd, aligned, 4096, 16384));
}

int main(void)
{
    CHECK_EQ(posix_memalign((void **)&aligned, 4096, 8192), 0);
    make_file("data", 20000);
    int buffered = open("data", O_RDWR);
    write_burst(buffered, 0, MANY, 4);
    int direct = open("data", O_RDWR | O_DIRECT);
    if (direct < 0) {
        /* Not every file system has it. */
        show("open", direct);
        return done();
    }
    table(direct);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(pwrite(buffered, "b", 1, i), 1);
        CHECK_EQ(pread(direct, aligned, 4096, 0), 4096);
        CHECK_EQ(aligned[i], 'b');
        aligned[4095] = (unsigned char)i;
        CHECK_EQ(pwrite(direct, aligned, 4096, 0), 4096);
        unsigned char byte;
        CHECK_EQ(pread(buffered, &byte, 1, 4095), 1);
        CHECK_EQ(byte, i);
    }
    close(direct);
    puts("switched on in a burst");
    pread_burst(buffered, 20000 - 8192, 0, 1);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pread(buffered, aligned, 10, 8192 + i), 10);
    show("switch on", fcntl(buffered, F_SETFL, O_DIRECT));
    table(buffered);
    show("switch off", fcntl(buffered, F_SETFL, 0));
    table(buffered);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pread(buffered, aligned, 10, 8192 + i), 10);
    show("flags", fcntl(buffered, F_GETFL));
    return done();
}
