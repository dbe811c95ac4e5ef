// build: -O1
// options: --no-follow
// Record locks, flock and the program's own leases stay as they are while files are read and written in small pieces: nothing
// hidden takes, drops or reports one.
#include "files.h"
#include "partner.h"
#include <sys/file.h>

enum { TRY_LOCK = 1, TRY_FLOCK, TRY_OFD, OPEN_TO_WRITE };

static volatile int breaks, strange;

static void on_break(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    breaks++;
}

static void on_strange(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    strange++;
}

/* Tells who is in the way of a lock of byte `argument`. */
static long answer(int question, long argument)
{
    int fd = open("data", question == OPEN_TO_WRITE ? O_RDWR | O_NONBLOCK : O_RDWR), result;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = argument, .l_len = 1};
    switch (question) {
    case TRY_LOCK:
        CHECK_EQ(fcntl(fd, F_GETLK, &lock), 0);
        result = lock.l_type == F_UNLCK ? 0 : lock.l_pid == board->first_pid ? 1 : 2;
        break;
    case TRY_FLOCK: result = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? 1 : 2; break;
    case TRY_OFD: result = fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno == EAGAIN ? 1 : 2; break;
    default: result = fd >= 0 ? 0 : errno;
    }
    if (fd >= 0)
        close(fd);
    return result;
}

static void record_locks(int access)
{
    int fd = open("data", access);
    struct flock lock = {.l_type = access == O_RDWR ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
    read_burst(fd, 0, MANY, 3);
    CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
    CHECK_EQ(ask(TRY_LOCK, 12), 1);
    pread_burst(fd, 10000, MANY, 3);
    read_burst(fd, MANY * 3, MANY, 3);
    if (access == O_RDWR)
        write_burst(fd, MANY * 6, MANY, 3);
    /* Whatever was opened or closed for these: the lock is there. Only the program's own close of any descriptor drops it. */
    CHECK_EQ(ask(TRY_LOCK, 12), 1);
    CHECK_EQ(ask(TRY_LOCK, 20), 0);
    pread_burst(fd, 10000, MANY, 3);
    CHECK_EQ(ask(TRY_LOCK, 14), 1);
    /* Relative to the offset that bursts have moved. */
    CHECK_EQ(lseek(fd, 4000, SEEK_SET), 4000);
    read_burst(fd, 4000, MANY, 2);
    lock.l_whence = SEEK_CUR;
    lock.l_start = 7;
    lock.l_len = 1;
    CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
    CHECK_EQ(ask(TRY_LOCK, 4607), 1);
    CHECK_EQ(ask(TRY_LOCK, 4606), 0);
    int other = open("data", O_RDONLY);
    read_burst(other, 0, MANY, 3);
    CHECK_EQ(ask(TRY_LOCK, 12), 1);
    close(other);
    CHECK_EQ(ask(TRY_LOCK, 12), 0);
    close(fd);
}

static void whole_files(int access)
{
    int fd = open("data", access);
    read_burst(fd, 0, MANY, 3);
    CHECK_EQ(ask(TRY_FLOCK, 0), 0);
    CHECK_EQ(flock(fd, LOCK_SH), 0);
    pread_burst(fd, 10000, MANY, 3);
    CHECK_EQ(ask(TRY_FLOCK, 0), 1);
    CHECK_EQ(flock(fd, LOCK_UN), 0);
    CHECK_EQ(ask(TRY_FLOCK, 0), 0);
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    CHECK_EQ(fcntl(fd, F_OFD_SETLK, &lock), 0);
    pread_burst(fd, 10000, MANY, 3);
    CHECK_EQ(ask(TRY_OFD, 5), 1);
    int other = dup(fd);
    close(fd);
    CHECK_EQ(ask(TRY_OFD, 5), 1);
    pread_burst(other, 10000, MANY, 3);
    close(other);
    CHECK_EQ(ask(TRY_OFD, 5), 0);
}

/* The program asks for leases itself (fcntl(2)); it sees its own only. */
static void leases(void)
{
    on_signal(SIGUSR1, on_break, 0);
    int fd = open("data", O_RDONLY);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
    pread_burst(fd, 10000, MANY, 3);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
    CHECK_EQ(fcntl(fd, F_SETSIG, SIGUSR1), 0);
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
    pread_burst(fd, 10000, MANY, 3);
    CHECK_EQ(fcntl(fd, F_GETSIG), SIGUSR1);
    REREAD();
    CHECK_EQ(breaks, 0);
    CHECK_EQ(ask(OPEN_TO_WRITE, 0), EWOULDBLOCK);
    while (breaks == 0)
        pread_burst(fd, 10000, 1, 3);
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    CHECK_EQ(ask(OPEN_TO_WRITE, 0), 0);
    pread_burst(fd, 10000, MANY, 3);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
    /* Nobody but the program may be told of another opening. */
    CHECK_EQ(ask(OPEN_TO_WRITE, 0), 0);
    REREAD();
    CHECK_EQ(breaks, 1);
    CHECK_EQ(fcntl(fd, F_GETOWN), fcntl(open("other", O_RDWR | O_CREAT, 0644), F_GETOWN));
    close(fd);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    make_file("data", 10000);
    on_signal(SIGIO, on_strange, 0);
    record_locks(O_RDONLY);
    record_locks(O_RDWR);
    whole_files(O_RDONLY);
    whole_files(O_RDWR);
    leases();
    /* An opening that must not wait (O_NONBLOCK) may be told to come again, and then succeeds. */
    for (int access = O_RDONLY; access <= O_RDWR; access += O_RDWR) {
        int fd = open("data", access);
        for (int i = 0; i < 20; i++) {
            pread_burst(fd, 10000, MANY, 3);
            long result, begin = now_ns(CLOCK_MONOTONIC);
            while ((result = ask(OPEN_TO_WRITE, 0)) == EWOULDBLOCK && now_ns(CLOCK_MONOTONIC) - begin < 1000000000)
                ;
            CHECK_EQ(result, 0);
        }
        close(fd);
    }
    REREAD();
    CHECK_EQ(strange, 0);
    return done_with_partner();
}
