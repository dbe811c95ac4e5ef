/* Look-ups that are made often enough to be known, and what must hold of each later one. */
#ifndef NAMES_H
#define NAMES_H

#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

/* More than the look-ups after which one may be known. */
#define OFTEN 1500

/* access(2): 0 or -errno. */
static __attribute__((unused)) long may(const char *path, int mode)
{
    return RAW2(SYS_access, path, mode);
}

/* stat(2): 0 or -errno. */
static __attribute__((unused)) long look(const char *path)
{
    struct stat stat;
    return RAW2(SYS_stat, path, &stat);
}

/* open(2) for reading: 0 or -errno. */
static __attribute__((unused)) long try_open(const char *path)
{
    long fd = RAW3(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        close((int)fd);
        return 0;
    }
    return fd;
}

/* Every way to ask whether a path is there gives `result`, many times over. */
static __attribute__((unused)) void look_often(const char *path, long result)
{
    for (int i = 0; i < OFTEN; i++) {
        CHECK_EQ(may(path, F_OK), result);
        CHECK_EQ(look(path), result);
    }
}

/* Once more, by every call. */
static __attribute__((unused)) void look_once(const char *path, long result)
{
    struct stat stat;
    char buffer[300];
    CHECK_EQ(may(path, F_OK), result);
    CHECK_EQ(look(path), result);
    CHECK_EQ(RAW4(SYS_newfstatat, AT_FDCWD, path, &stat, 0), result);
    CHECK_EQ(RAW6(SYS_statx, AT_FDCWD, path, 0, 0x7ff, buffer, 0), result);
    CHECK_EQ(RAW3(SYS_faccessat, AT_FDCWD, path, F_OK), result);
    CHECK_EQ(RAW4(SYS_faccessat2, AT_FDCWD, path, F_OK, 0), result);
    CHECK_EQ(try_open(path), result);
}

static __attribute__((unused)) void make_empty(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(close(fd), 0);
}

#endif
