/* Operations on regular files, names and descriptors. */
#include "model.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define OLD 1000000000

const char *path_of(long path)
{
    static const char *const names[PATHS] = {"p0", "p1", "p2", "p3"};
    return names[path & (PATHS - 1)];
}

int fd_of(long slot)
{
    slot &= SLOTS - 1;
    for (int i = 0; slot < FILE_SLOTS && i < FILE_SLOTS && slots[slot] < 0; i++)
        slot = (slot + 1) % FILE_SLOTS;
    return slots[slot];
}

long put_slot(long slot, long fd)
{
    if (fd < 0)
        return fd;
    int *at = &slots[slot & (SLOTS - 1)], old = *at;
    *at = (int)fd;
    if (old >= 0 && old != fd && close(old) != 0)
        say(" old close %d", errno);
    return fd;
}

OPERATION(make)
{
    struct buffer buffer = make_buffer(GOOD, args[1], 0);
    int fd = open(path_of(args[0]), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return -1;
    fill_bytes(buffer.start, args[1], args[2]);
    long wrote = write(fd, buffer.start, (size_t)args[1]);
    close(fd);
    return wrote;
}

/* An opening that must not wait (O_NONBLOCK) may be told to come again while a lease is given up, which the page of system calls names
 * as the difference it is. It must succeed within a second. */
static int open_at_last(int directory, const char *path, int flags, int mode)
{
    int fd;
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        fd = openat(directory, path, flags, mode);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (fd < 0 && errno == EWOULDBLOCK && flags & O_NONBLOCK && now.tv_sec - begin.tv_sec < 2);
    return fd;
}

OPERATION(open)
{
    return put_slot(args[0], open_at_last(AT_FDCWD, path_of(args[1]), (int)args[2], 0644));
}

OPERATION(openat)
{
    int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long fd = open_at_last(directory, path_of(args[1]), (int)args[2] | O_CLOEXEC, 0600);
    int error = errno;
    close(directory);
    errno = error;
    return put_slot(args[0], fd);
}

OPERATION(close)
{
    int *at = &slots[args[0] & (SLOTS - 1)], old = *at;
    *at = -1;
    return close(old);
}

OPERATION(read)
{
    struct buffer buffer = make_buffer(args[2], args[1], args[3]);
    long got = syscall(SYS_read, fd_of(args[0]), buffer.start, args[1]);
    say_hash(&buffer, got);
    return got;
}

OPERATION(write)
{
    struct buffer buffer = make_buffer(args[3], args[1], args[4]);
    if (args[3] != READ_ONLY)
        fill_bytes(buffer.reachable, buffer.reachable_length, args[2]);
    return syscall(SYS_write, fd_of(args[0]), buffer.start, args[1]);
}

OPERATION(pread)
{
    struct buffer buffer = make_buffer(args[3], args[1], args[4]);
    long got = syscall(SYS_pread64, fd_of(args[0]), buffer.start, args[1], args[2]);
    say_hash(&buffer, got);
    return got;
}

OPERATION(pwrite)
{
    struct buffer buffer = make_buffer(args[4], args[1], args[5]);
    if (args[4] != READ_ONLY)
        fill_bytes(buffer.reachable, buffer.reachable_length, args[3]);
    return syscall(SYS_pwrite64, fd_of(args[0]), buffer.start, args[1], args[2]);
}

/* Three parts; the middle one may be of another quality. */
static int parts_of(struct iovec *parts, struct buffer *buffer, const long *args)
{
    struct buffer bad = make_buffer(args[4], args[2], args[5]);
    *buffer = make_buffer(GOOD, args[1] + args[2] + args[3], 0);
    fill_bytes(buffer->start, buffer->reachable_length, args[0] + args[1] + args[2]);
    if (args[4] != READ_ONLY)
        fill_bytes(bad.reachable, bad.reachable_length, args[2]);
    parts[0] = (struct iovec){buffer->start, (size_t)args[1]};
    parts[1] = (struct iovec){args[4] == GOOD ? buffer->start + args[1] : bad.start, (size_t)args[2]};
    parts[2] = (struct iovec){buffer->start + args[1] + args[2], (size_t)args[3]};
    return 3;
}

OPERATION(readv)
{
    struct iovec parts[3];
    struct buffer buffer;
    int count = parts_of(parts, &buffer, args);
    long got = readv(fd_of(args[0]), parts, count);
    if (args[4] == GOOD)
        say_hash(&buffer, got);
    return got;
}

OPERATION(writev)
{
    struct iovec parts[3];
    struct buffer buffer;
    int count = parts_of(parts, &buffer, args);
    return writev(fd_of(args[0]), parts, count);
}

OPERATION(seek)
{
    long whence = args[2] % 5;
    /* Preallocated ranges count as data or as holes by what is in the page cache. */
    if (whence >= SEEK_DATA && control->has_preallocated)
        return 0;
    return lseek(fd_of(args[0]), args[1], (int)whence);
}

OPERATION(ftruncate) { return ftruncate(fd_of(args[0]), args[1]); }
OPERATION(truncate) { return truncate(path_of(args[0]), args[1]); }

/* Times are left out but for one question: whether the file still has the time that `old` gave it. */
static long say_stat(long result, const struct stat *stat)
{
    if (result == 0 && S_ISREG(stat->st_mode))
        say(" size %ld links %ld mode %o%s", (long)stat->st_size, (long)stat->st_nlink, stat->st_mode & 07777,
            stat->st_mtim.tv_sec == OLD ? " old" : "");
    return result;
}

OPERATION(fstat)
{
    struct stat stat;
    return say_stat(fstat(fd_of(args[0]), &stat), &stat);
}

OPERATION(stat)
{
    struct stat stat;
    return say_stat(lstat(path_of(args[0]), &stat), &stat);
}

OPERATION(old)
{
    struct timespec times[2] = {{OLD, 0}, {OLD, 0}};
    return futimens(fd_of(args[0]), times);
}

/* What somebody who opens the file anew finds. */
OPERATION(look)
{
    struct stat stat;
    int fd = open(path_of(args[0]), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct buffer buffer = make_buffer(GOOD, 150000, 0);
    long got = read(fd, buffer.start, 150000);
    say_hash(&buffer, got);
    say_stat(fstat(fd, &stat), &stat);
    close(fd);
    return got;
}

OPERATION(unlink) { return unlink(path_of(args[0])); }
OPERATION(rename) { return rename(path_of(args[0]), path_of(args[1])); }
OPERATION(link) { return link(path_of(args[0]), path_of(args[1])); }
OPERATION(chmod) { return chmod(path_of(args[0]), (mode_t)args[1] & 0777); }

OPERATION(getfl) { return fcntl(fd_of(args[0]), F_GETFL); }

OPERATION(setfl)
{
    int flags = (args[1] & 1 ? O_APPEND : 0) | (args[1] & 2 ? O_NONBLOCK : 0);
    struct stat stat;
    /* Only regular files may wait: whether a pipe would wait nobody knows here. */
    if (fstat(fd_of(args[0]), &stat) == 0 && !S_ISREG(stat.st_mode))
        flags |= O_NONBLOCK;
    return fcntl(fd_of(args[0]), F_SETFL, flags);
}

OPERATION(getfd) { return fcntl(fd_of(args[0]), F_GETFD); }
OPERATION(setfd) { return fcntl(fd_of(args[0]), F_SETFD, args[1] & 1); }
OPERATION(dup) { return put_slot(args[1], dup(fd_of(args[0]))); }

/* Onto the number that the slot has, or onto a high one. */
static long dup_onto(const long *args, int flags)
{
    int *at = &slots[args[1] & (SLOTS - 1)];
    int target = *at >= 0 ? *at : 100 + (int)(args[1] & (SLOTS - 1));
    int fd = flags < 0 ? dup2(fd_of(args[0]), target) : dup3(fd_of(args[0]), target, flags);
    if (fd >= 0)
        *at = fd;
    return fd;
}

OPERATION(dup2) { return dup_onto(args, -1); }
OPERATION(dup3) { return dup_onto(args, args[2] & 1 ? O_CLOEXEC : 0); }

OPERATION(dupfd)
{
    return put_slot(args[1], fcntl(fd_of(args[0]), args[3] & 1 ? F_DUPFD_CLOEXEC : F_DUPFD, args[2] & 63));
}

/* The slots keep their numbers: later operations find them closed or used anew. */
OPERATION(closerange)
{
    int first = fd_of(args[0]), last = fd_of(args[1]);
    if (first < 3 || last < first || last - first > 20)
        return -2;
    return syscall(SYS_close_range, first, last, args[2] & 1 ? 4 /* CLOSE_RANGE_CLOEXEC */ : 0);
}

/* All eventfds and epoll sets of the machine are one inode (fs/anon_inodes.c): a lock of any process meets a lock of any other. */
static int has_own_inode(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) != 0 || S_ISREG(stat.st_mode) || S_ISFIFO(stat.st_mode);
}

OPERATION(flock)
{
    static const int kinds[] = {LOCK_SH, LOCK_EX, LOCK_UN};
    int fd = fd_of(args[0]);
    return has_own_inode(fd) ? flock(fd, kinds[args[1] % 3] | LOCK_NB) : -2;
}

static long lock(int fd, int command, const long *args)
{
    if (!has_own_inode(fd))
        return -2;
    struct flock lock = {.l_type = (short)(args[1] % 3), .l_whence = (short)(args[4] % 2 ? SEEK_CUR : SEEK_SET),
                         .l_start = args[2], .l_len = args[3]};
    long result = fcntl(fd, command, &lock);
    if (command == F_GETLK && result == 0)
        say(" type %d from %ld length %ld by %s", lock.l_type, (long)lock.l_start, (long)lock.l_len,
            lock.l_type == F_UNLCK                ? "nobody"
            : lock.l_pid == control->pids[0]      ? "A"
            : lock.l_pid == control->pids[1]      ? "B"
                                                  : "another");
    return result;
}

OPERATION(setlk) { return lock(fd_of(args[0]), F_SETLK, args); }
OPERATION(getlk) { return lock(fd_of(args[0]), F_GETLK, args); }
OPERATION(ofdlk) { return lock(fd_of(args[0]), F_OFD_SETLK, args); }
/* A lease that nobody here asked for must not show. */
OPERATION(getlease) { return fcntl(fd_of(args[0]), F_GETLEASE); }

OPERATION(copy)
{
    loff_t from = args[3], to = args[4];
    return copy_file_range(fd_of(args[0]), args[3] < 0 ? NULL : &from, fd_of(args[1]), args[4] < 0 ? NULL : &to,
                           (size_t)args[2], 0);
}

OPERATION(sendfile)
{
    off_t from = args[3];
    return sendfile(fd_of(args[1]), fd_of(args[0]), args[3] < 0 ? NULL : &from, (size_t)args[2]);
}

OPERATION(splice)
{
    return splice(fd_of(args[0]), NULL, fd_of(args[1]), NULL, (size_t)args[2], SPLICE_F_NONBLOCK);
}

OPERATION(fallocate)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE};
    int mode = modes[args[1] & 3];
    if (!(mode & FALLOC_FL_PUNCH_HOLE))
        control->has_preallocated = 1;
    return fallocate(fd_of(args[0]), mode, args[2], args[3]);
}

/* The name that a number leads to, without the directory and without what the kernel counts. */
OPERATION(procfd)
{
    char link[40], target[300];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd_of(args[0]));
    long length = readlink(link, target, sizeof target - 1);
    if (length < 0)
        return -1;
    target[length] = 0;
    char *name = strrchr(target, '/');
    char *number = strchr(target, '[');
    if (number && !name)
        *number = 0;
    say(" %s", name ? name + 1 : target);
    return 0;
}
