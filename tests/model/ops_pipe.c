/* Pipes, event counters, readiness, and bursts: one small operation many times. */
#include "model.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

OPERATION(pipe)
{
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | (args[2] & 1 ? O_CLOEXEC : 0)) != 0)
        return -1;
    put_slot(args[0], ends[0]);
    put_slot(args[1], ends[1]);
    say(" %d %d", ends[0], ends[1]);
    return 0;
}

OPERATION(setpipe) { return fcntl(fd_of(args[0]), F_SETPIPE_SZ, args[1]); }
OPERATION(getpipe) { return fcntl(fd_of(args[0]), F_GETPIPE_SZ); }

OPERATION(fionread)
{
    int count = -1;
    long result = ioctl(fd_of(args[0]), FIONREAD, &count);
    say(" %d", count);
    return result;
}

OPERATION(poll)
{
    struct pollfd one = {.fd = fd_of(args[0]), .events = POLLIN | POLLOUT | POLLRDHUP};
    long result = poll(&one, 1, 0);
    say(" %#x", (unsigned)one.revents);
    return result;
}

OPERATION(select)
{
    int fd = fd_of(args[0]);
    fd_set reads, writes;
    struct timeval none = {0, 0};
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    if (fd >= 0) {
        FD_SET(fd, &reads);
        FD_SET(fd, &writes);
    }
    long result = select(fd + 1, &reads, &writes, NULL, &none);
    if (fd >= 0 && result >= 0)
        say(" %d %d", FD_ISSET(fd, &reads) != 0, FD_ISSET(fd, &writes) != 0);
    return result;
}

OPERATION(epnew) { return put_slot(args[0], epoll_create1(EPOLL_CLOEXEC)); }

OPERATION(epadd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | (args[2] & 1 ? EPOLLET : 0),
                                .data.u32 = (uint32_t)(args[1] & (SLOTS - 1))};
    return epoll_ctl(fd_of(args[0]), args[2] & 2 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd_of(args[1]), &event);
}

OPERATION(epdel) { return epoll_ctl(fd_of(args[0]), EPOLL_CTL_DEL, fd_of(args[1]), NULL); }

/* In the order of slots: that of the kernel's list is nobody's promise. */
OPERATION(epwait)
{
    struct epoll_event events[16];
    uint32_t seen[SLOTS] = {0};
    long result = epoll_wait(fd_of(args[0]), events, 16, 0);
    for (long i = 0; i < result; i++)
        seen[events[i].data.u32 & (SLOTS - 1)] |= events[i].events;
    for (int i = 0; i < SLOTS; i++)
        if (seen[i])
            say(" %d:%#x", i, seen[i]);
    return result;
}

OPERATION(event)
{
    return put_slot(args[0], eventfd((unsigned)args[1], EFD_NONBLOCK | (args[2] & 1 ? EFD_SEMAPHORE : 0)));
}

OPERATION(evwrite)
{
    uint64_t value = (uint64_t)args[1];
    return write(fd_of(args[0]), &value, sizeof value);
}

OPERATION(evread)
{
    uint64_t value = 77;
    long result = read(fd_of(args[0]), &value, sizeof value);
    say(" %lu", (unsigned long)value);
    return result;
}

/* A pipe that waits, used so that it never has to: emptied, filled with at most a page, read again. */
OPERATION(roundtrip)
{
    int in = fd_of(args[0]), out = fd_of(args[1]);
    struct stat a, b;
    struct buffer buffer = make_buffer(GOOD, 70000, 0);
    if (fstat(in, &a) != 0 || fstat(out, &b) != 0 || !S_ISFIFO(a.st_mode) || a.st_ino != b.st_ino)
        return -2;
    long drained = 0;
    for (long got; (got = read(in, buffer.start, 70000)) > 0; drained += got)
        ;
    say(" drained %ld", drained);
    if (fcntl(in, F_SETFL, 0) != 0 || fcntl(out, F_SETFL, 0) != 0)
        return -2;
    long length = args[2] % 4096;
    fill_bytes(buffer.start, length, args[3]);
    long wrote = write(out, buffer.start, (size_t)length);
    long got = wrote > 0 ? read(in, buffer.start, 4096) : 0;
    say_hash(&buffer, got);
    fcntl(in, F_SETFL, O_NONBLOCK);
    fcntl(out, F_SETFL, O_NONBLOCK);
    say(" wrote %ld", wrote);
    return got;
}

/* What the handler of SIGUSR1 does. */
static struct {
    int what, fd;
    long length, result;
    uint64_t hash;
    unsigned char bytes[256];
} handling;

static void in_handler(int signal)
{
    (void)signal;
    int saved = errno;
    long length = handling.length & 255;
    if (handling.what & 1) {
        handling.result = write(handling.fd, handling.bytes, (size_t)length);
    } else {
        handling.result = read(handling.fd, handling.bytes, (size_t)length);
        if (handling.result > 0)
            handling.hash = hash_bytes(handling.hash, handling.bytes, handling.result);
    }
    if (handling.result < 0)
        handling.result = -errno;
    errno = saved;
}

static void prepare_handler(long slot, long what, long length)
{
    handling.what = (int)what;
    handling.fd = fd_of(slot);
    handling.length = length;
    handling.result = 0;
    handling.hash = HASH_START;
    memset(handling.bytes, (int)length, sizeof handling.bytes);
    signal(SIGUSR1, in_handler);
}

OPERATION(handler)
{
    prepare_handler(args[0], args[1], args[2]);
    raise(SIGUSR1);
    say(" #%016lx", (unsigned long)handling.hash);
    return handling.result < 0 ? -2 : handling.result;
}

struct burst {
    int fd, other;
    long times, length, seed;
    unsigned char *bytes;
    uint64_t hash;
};

static long burst_read(struct burst *burst)
{
    long got = read(burst->fd, burst->bytes, (size_t)burst->length);
    if (got > 0)
        burst->hash = hash_bytes(burst->hash, burst->bytes, got);
    return got;
}

/* Somewhere in the first 20,000 bytes; `step` counts. */
static long place(const struct burst *burst, long step) { return (step * 977 + burst->seed * 131) % 20000; }

/* One step of a burst; less than zero counts as an error. */
static long burst_step(struct burst *burst, long kind, long step)
{
    uint64_t value = (uint64_t)burst->length;
    long got;
    switch (kind % 8) {
    case 0: return burst_read(burst);
    case 1:
        got = pread(burst->fd, burst->bytes, (size_t)burst->length, place(burst, step));
        if (got > 0)
            burst->hash = hash_bytes(burst->hash, burst->bytes, got);
        return got;
    case 2:
        fill_bytes(burst->bytes, burst->length, burst->seed + step);
        return write(burst->fd, burst->bytes, (size_t)burst->length);
    case 3:
        fill_bytes(burst->bytes, burst->length, burst->seed + step);
        return pwrite(burst->fd, burst->bytes, (size_t)burst->length, place(burst, step) % 4000);
    case 4:
        if (lseek(burst->fd, place(burst, step), SEEK_SET) < 0)
            return -1;
        return burst_read(burst);
    case 5:
        fill_bytes(burst->bytes, burst->length, burst->seed + step);
        got = write(burst->other, burst->bytes, (size_t)burst->length);
        /* The last pieces of some stay in the pipe. */
        if (got < 0 || (burst->seed % 4 == 2 && step + 10 > burst->times))
            return got;
        return burst_read(burst);
    case 6:
        got = write(burst->fd, &value, 8);
        if (got >= 0 && read(burst->fd, &value, 8) == 8)
            burst->hash = hash_bytes(burst->hash, (unsigned char *)&value, 8);
        return got;
    default:
        /* Read, go back, write the same place: what databases do. */
        got = burst_read(burst);
        if (got > 0 && lseek(burst->fd, -got, SEEK_CUR) >= 0)
            got = write(burst->fd, burst->bytes, (size_t)got);
        return got;
    }
}

/* burst KIND SLOT OTHER TIMES LENGTH SEED; a seed of 3 n begins at the start of the file, an odd one lets a signal come in the
 * middle, whose handler uses the descriptor. */
OPERATION(burst)
{
    struct buffer buffer = make_buffer(GOOD, args[4], 0);
    struct burst burst = {.fd = fd_of(args[1]), .other = fd_of(args[2]), .times = args[3], .length = args[4], .seed = args[5],
                          .bytes = buffer.start, .hash = HASH_START};
    long total = 0, errors = 0, last = 0;
    prepare_handler(args[1], args[5] >> 1, args[4]);
    if (args[5] % 3 == 0 && args[0] != 5 && args[0] != 6)
        lseek(burst.fd, 0, SEEK_SET);
    for (long step = 0; step < args[3]; step++) {
        long got = burst_step(&burst, args[0], step);
        if (got < 0) {
            errors++;
            last = errno;
            /* An error comes again and again. */
            if (errors > 20)
                break;
        } else {
            total += got;
        }
        if ((args[5] & 1) && step == args[3] / 2)
            raise(SIGUSR1);
    }
    say(" #%016lx", (unsigned long)burst.hash);
    if (errors)
        say(" %ld errors, %s", errors, strerrorname_np((int)last));
    if (args[5] & 1)
        say(" handler %ld #%016lx", handling.result, (unsigned long)handling.hash);
    return total;
}
