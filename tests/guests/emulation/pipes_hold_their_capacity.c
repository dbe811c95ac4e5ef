// build: -O1
// A pipe takes as much, in pieces of every size, as native: pages count, not bytes alone. Limits move with F_SETPIPE_SZ; FIONREAD
// tells what is there; order is kept around the capacity.
#include "check.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static unsigned char bytes[1 << 17];

static int waiting(int fd)
{
    int count = -1;
    CHECK_EQ(ioctl(fd, FIONREAD, &count), 0);
    return count;
}

/* Warms the pipe up: many small pieces through it. */
static void use(int *ends)
{
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(write(ends[1], bytes, 1 + (size_t)i % 100), 1 + i % 100);
        CHECK_EQ(waiting(ends[0]), 1 + i % 100);
        CHECK_EQ(read(ends[0], bytes, sizeof bytes), 1 + i % 100);
    }
    CHECK_EQ(waiting(ends[0]), 0);
}

static void fill(int size, int capacity)
{
    int ends[2];
    CHECK_EQ(pipe2(ends, O_NONBLOCK), 0);
    if (capacity)
        printf("F_SETPIPE_SZ %d = %d\n", capacity, fcntl(ends[1], F_SETPIPE_SZ, capacity));
    use(ends);
    long total = 0, writes = 0, last = 0;
    for (long wrote; (wrote = write(ends[1], bytes, (size_t)size)) > 0; writes++)
        total += last = wrote;
    printf("pieces of %d: %ld writes, the last of %ld, %ld bytes, then %s, %d waiting, capacity %d\n", size, writes, last,
           total, strerror(errno), waiting(ends[0]), fcntl(ends[0], F_GETPIPE_SZ));
    /* Read a little: from which byte on is there room again? */
    long taken = 0;
    while (write(ends[1], bytes, 1) < 0)
        taken += read(ends[0], bytes, 1);
    printf("  room for one after %ld, %d waiting\n", taken, waiting(ends[1]));
    taken = 0;
    while (write(ends[1], bytes, 4096) < 0)
        taken += read(ends[0], bytes, 512);
    printf("  room for a page after %ld more, %d waiting\n", taken, waiting(ends[1]));
    long left = 0;
    for (long got; (got = read(ends[0], bytes, 777)) > 0;)
        left += got;
    CHECK_EQ(errno, EAGAIN);
    printf("  %ld were left\n", left);
    close(ends[0]);
    close(ends[1]);
}

/* What comes out is what went in, whatever the pieces. */
static void order(void)
{
    int ends[2];
    CHECK_EQ(pipe2(ends, O_NONBLOCK), 0);
    uint64_t random = 1;
    uint32_t in = 0, out = 0;
    static uint8_t piece[20000];
    for (int i = 0; i < 3000; i++) {
        uint32_t size = next_random(&random) % (i % 7 ? 300 : 20000);
        for (uint32_t k = 0; k < size; k++)
            piece[k] = (uint8_t)((in + k) * 2654435761u >> 24);
        struct iovec parts[2] = {{piece, size / 3}, {piece + size / 3, size - size / 3}};
        long wrote = i % 3 ? write(ends[1], piece, size) : writev(ends[1], parts, 2);
        if (wrote > 0)
            in += (uint32_t)wrote;
        CHECK_EQ(waiting(ends[0]), in - out);
        size = next_random(&random) % (i % 5 ? 300 : 20000);
        long got = i % 2 ? read(ends[0], piece, size) : readv(ends[0], &(struct iovec){piece, size}, 1);
        for (long k = 0; k < got; k++)
            CHECK_EQ(piece[k], (uint8_t)((out + (uint32_t)k) * 2654435761u >> 24));
        if (got > 0)
            out += (uint32_t)got;
    }
    printf("%u bytes in, %u out\n", in, out);
    close(ends[0]);
    close(ends[1]);
}

static void resize(void)
{
    int ends[2];
    CHECK_EQ(pipe2(ends, O_NONBLOCK), 0);
    printf("capacity %d\n", fcntl(ends[0], F_GETPIPE_SZ));
    use(ends);
    CHECK_EQ(write(ends[1], bytes, 10000), 10000);
    static const int sizes[] = {0, 1, 4096, 8192, 12288, 65536, 100000, 1 << 20, 1 << 30, -1};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int result = fcntl(ends[1], F_SETPIPE_SZ, sizes[i]);
        printf("F_SETPIPE_SZ %d = %d, now %d, %d waiting\n", sizes[i], result < 0 ? -errno : result,
               fcntl(ends[0], F_GETPIPE_SZ), waiting(ends[0]));
    }
    CHECK_EQ(fcntl(0, F_GETPIPE_SZ), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(read(ends[0], bytes, sizeof bytes), 10000);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    static const int sizes[] = {1, 100, 511, 2048, 2049, 3000, 4095, 4096, 4097, 5000, 65535, 65536, 65537, 131072};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        fill(sizes[i], 0);
        fill(sizes[i], 4096);
        fill(sizes[i], 3 * 4096);
    }
    order();
    resize();
    return done();
}
