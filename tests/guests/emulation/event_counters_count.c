// build: -O1
// eventfd: sums, semaphores, the limit, short buffers, sharing over fork; all before, in and after bursts.
#include "check.h"
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

static void show(const char *what, long result, uint64_t value)
{
    printf("%s = %ld %s, %llu\n", what, result, result < 0 ? strerror(errno) : "", (unsigned long long)value);
}

static long get(int fd, uint64_t *value)
{
    *value = 77;
    return read(fd, value, 8);
}

static long put(int fd, uint64_t value) { return write(fd, &value, 8); }

static void burst(int fd, int semaphore)
{
    uint64_t value;
    for (uint64_t i = 1; i <= 300; i++) {
        CHECK_EQ(put(fd, i), 8);
        CHECK_EQ(put(fd, 0), 8);
        for (uint64_t k = 0; k < (semaphore ? i : 1); k++) {
            CHECK_EQ(get(fd, &value), 8);
            CHECK_EQ(value, semaphore ? 1 : i);
        }
        CHECK_EQ(get(fd, &value), -1);
        CHECK_EQ(errno, EAGAIN);
    }
}

static void table(int fd)
{
    uint64_t value = 0;
    show("read of zero", get(fd, &value), value);
    show("write of all ones", put(fd, UINT64_MAX), 0);
    show("write of the most", put(fd, UINT64_MAX - 1), 0);
    show("write of one more", put(fd, 1), 0);
    show("write of zero more", put(fd, 0), 0);
    show("read", get(fd, &value), value);
    show("write", put(fd, UINT64_MAX - 3), 0);
    show("write of three", put(fd, 3), 0);
    show("write of two", put(fd, 2), 0);
    while (get(fd, &value) == 8 && value != 1)
        show("read", 8, value);
    uint64_t many[4] = {5, 6, 7, 8};
    show("write of 7 bytes", write(fd, many, 7), 0);
    show("write of 32 bytes", write(fd, many, 32), 0);
    show("write of no bytes", write(fd, many, 0), 0);
    show("read of 7 bytes", read(fd, many, 7), 0);
    show("read of no bytes", read(fd, many, 0), 0);
    show("read of 32 bytes", read(fd, many, 32), many[0]);
    CHECK_EQ(many[1], 6);
    while (get(fd, &value) == 8)
        ;
    show("read at a bad address", RAW3(SYS_read, fd, 8, 8), 0);
    CHECK_EQ(put(fd, 9), 8);
    show("read of nine at a bad address", RAW3(SYS_read, fd, 8, 8), 0);
    show("write from a bad address", RAW3(SYS_write, fd, 8, 8), 0);
    show("read", get(fd, &value), value);
    while (get(fd, &value) == 8)
        ;
    show("pread", pread(fd, &value, 8, 0), 0);
    show("lseek", lseek(fd, 0, SEEK_SET), 0);
}

/* A second process adds, and the first sees the sum. */
static void over_fork(int fd)
{
    uint64_t value;
    CHECK_EQ(put(fd, 100), 8);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 300; i++)
            CHECK_EQ(put(fd, 1), 8);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(get(fd, &value), 8);
    show("read after a child", 8, value);
    while (get(fd, &value) == 8)
        ;
}

int main(void)
{
    for (int semaphore = 0; semaphore < 2; semaphore++) {
        int fd = eventfd(0, EFD_NONBLOCK | (semaphore ? EFD_SEMAPHORE : 0));
        CHECK(fd >= 0);
        if (!semaphore)
            table(fd);
        burst(fd, semaphore);
        if (!semaphore)
            table(fd);
        over_fork(fd);
        burst(fd, semaphore);
        close(fd);
    }
    /* A blocking reader is woken by another process. */
    int fd = eventfd(0, 0);
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(put(fd, 2), 8);
        CHECK_EQ(eventfd_read(fd, &(eventfd_t){0}), 0);
    }
    pid_t child = fork();
    if (child == 0) {
        uint64_t value;
        CHECK_EQ(get(fd, &value), 8);
        _exit((int)value);
    }
    CHECK_EQ(put(fd, 42), 8);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 42);
    return done();
}
