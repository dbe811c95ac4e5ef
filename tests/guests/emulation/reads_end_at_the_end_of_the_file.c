// build: -O1
// Reads and seeks at, before and beyond the end give native results and errors, before and after many small accesses, for
// every way to open the file.
#include "files.h"
#include <sys/uio.h>

#define LENGTH 5000L

static unsigned char bytes[8192];
static int quiet;

static void show(const char *name, long a, long b, long result)
{
    int error = errno;
    if (!quiet)
        printf("  %s %ld %ld = %ld%s%s\n", name, a, b, result, result < 0 ? " " : "", result < 0 ? strerror(error) : "");
    if (result > 0 && strstr(name, "read"))
        memset(bytes, 0, sizeof bytes);
}

static const long places[] = {0, 1, 511, 4095, 4096, LENGTH - 2, LENGTH - 1, LENGTH, LENGTH + 1, 8192, 1L << 40, -1};
static const long sizes[] = {0, 1, 2, 512, 8192};

static void table(int fd)
{
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        long at = places[i];
        long moved = lseek(fd, at, SEEK_SET);
        show("seek", at, 0, moved);
        for (unsigned k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            show("pread", at, sizes[k], pread(fd, bytes, (size_t)sizes[k], at));
            if (moved >= 0) {
                CHECK_EQ(lseek(fd, at, SEEK_SET), at);
                show("read", at, sizes[k], read(fd, bytes, (size_t)sizes[k]));
                show("then at", at, sizes[k], offset_of(fd));
            }
        }
        struct iovec parts[3] = {{bytes, 1}, {bytes + 100, 0}, {bytes + 200, 3000}};
        show("preadv", at, 3001, preadv(fd, parts, 3, at));
    }
    show("seek end", 0, 0, lseek(fd, 0, SEEK_END));
    show("seek end", -LENGTH, 0, lseek(fd, -LENGTH, SEEK_END));
    show("seek end", -LENGTH - 1, 0, lseek(fd, -LENGTH - 1, SEEK_END));
    show("seek end", 10, 0, lseek(fd, 10, SEEK_END));
    show("seek cur", -5, 0, lseek(fd, -5, SEEK_CUR));
    show("seek cur", -10000, 0, lseek(fd, -10000, SEEK_CUR));
    show("seek cur", INT64_MAX, 0, lseek(fd, INT64_MAX, SEEK_CUR));
    show("seek", INT64_MAX, 0, lseek(fd, INT64_MAX, SEEK_SET));
    show("seek data", 0, 0, lseek(fd, 0, SEEK_DATA));
    show("seek data", LENGTH, 0, lseek(fd, LENGTH, SEEK_DATA));
    show("seek hole", 0, 0, lseek(fd, 0, SEEK_HOLE));
    show("seek hole", LENGTH, 0, lseek(fd, LENGTH, SEEK_HOLE));
    show("seek", 0, 99, lseek(fd, 0, 99));
    show("pread", INT64_MAX, 1, pread(fd, bytes, 1, INT64_MAX));
    show("pread", INT64_MAX - 1, 2, pread(fd, bytes, 2, INT64_MAX - 1));
    /* RAW calls: the C library would not let these lengths through. */
    show("seek", LENGTH - 1, 0, lseek(fd, LENGTH - 1, SEEK_SET));
    show("raw read", -1, 0, RAW3(SYS_read, fd, bytes, -1L));
    show("raw read of nothing at 0", 0, 0, RAW3(SYS_read, fd, 0, 0));
    show("raw read at kernel address", 0, 0, RAW3(SYS_read, fd, 1UL << 63, 1));
    show("raw read of nothing there", 0, 0, RAW3(SYS_read, fd, 1UL << 63, 0));
    show("then at", 0, 0, offset_of(fd));
}

/* Many reads at the end go on giving nothing, and see what is appended then. */
static void end_moves(void)
{
    int fd = open("data", O_RDONLY), writer = open("data", O_WRONLY | O_APPEND);
    CHECK_EQ(lseek(fd, 0, SEEK_END), LENGTH);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(read(fd, bytes, 1 + (size_t)i), 0);
    CHECK_EQ(write(writer, "abc", 3), 3);
    CHECK_EQ(read(fd, bytes, 2), 2);
    CHECK_EQ(read(fd, bytes, 2), 1);
    CHECK_EQ(ftruncate(writer, LENGTH), 0);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(read(fd, bytes, 10), 0);
    CHECK_EQ(offset_of(fd), LENGTH + 3);
    CHECK_EQ(truncate("data", LENGTH + 10), 0);
    CHECK_EQ(read(fd, bytes, 100), 7);
    CHECK_EQ(bytes[0] | bytes[6], 0);
    CHECK_EQ(truncate("data", LENGTH), 0);
    close(fd);
    close(writer);
}

int main(void)
{
    make_file("data", LENGTH);
    static const int ways[] = {O_RDONLY, O_RDWR, O_WRONLY, O_RDONLY | O_NONBLOCK, O_PATH};
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        int fd = open("data", ways[i]);
        printf("opened with %#o\n", (unsigned)ways[i]);
        table(fd);
        if ((ways[i] & O_ACCMODE) != O_WRONLY && !(ways[i] & O_PATH)) {
            CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
            read_burst(fd, 0, MANY, 3);
            pread_burst(fd, LENGTH, MANY, 5);
            puts("after many reads");
            table(fd);
            quiet = 1;
            for (int round = 0; round < 20; round++)
                table(fd);
            quiet = 0;
            puts("after many tables");
            table(fd);
        }
        close(fd);
    }
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(read(directory, bytes, 1), -1);
        CHECK_EQ(errno, EISDIR);
    }
    close(directory);
    end_moves();
    return done();
}
