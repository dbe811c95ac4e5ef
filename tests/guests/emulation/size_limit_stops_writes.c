// build: -O1
// RLIMIT_FSIZE counts for every write, in place or not, before and after bursts: a write is cut at the limit, one beyond it gives
// EFBIG and SIGXFSZ.
#include "files.h"
#include <sys/resource.h>
#include <sys/wait.h>

static volatile int signals;

static void count(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    signals++;
}

static void show(const char *what, long result)
{
    int error = errno;
    REREAD();
    printf("%s = %ld %s, %d signals\n", what, result, result < 0 ? strerror(error) : "", signals);
}

static unsigned char bytes[4096];

static void table(int fd)
{
    show("pwrite in place below", pwrite(fd, bytes, 10, 100));
    show("pwrite up to the limit", pwrite(fd, bytes, 10, 4990));
    show("pwrite over the limit", pwrite(fd, bytes, 10, 4995));
    show("pwrite at the limit, in place", pwrite(fd, bytes, 10, 5000));
    show("pwrite beyond, in place", pwrite(fd, bytes, 10, 6000));
    show("pwrite beyond the end", pwrite(fd, bytes, 10, 20000));
    show("pwrite of nothing beyond", pwrite(fd, bytes, 0, 6000));
    show("seek", lseek(fd, 4998, SEEK_SET));
    show("write over the limit", write(fd, bytes, 5));
    show("offset", offset_of(fd));
    show("write at the limit", write(fd, bytes, 5));
    show("offset", offset_of(fd));
    show("truncate to more", ftruncate(fd, 9000));
    show("truncate to beyond the end", ftruncate(fd, 30000));
    show("size", size_of(fd));
}

int main(void)
{
    make_file("data", 8000);
    on_signal(SIGXFSZ, count, 0);
    int fd = open("data", O_RDWR);
    write_burst(fd, 0, MANY, 20);
    struct rlimit limit = {5000, RLIM_INFINITY};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    table(fd);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    write_burst(fd, 0, MANY, 10);
    puts("after a burst below the limit");
    table(fd);
    /* A burst that runs into the limit stops there. */
    CHECK_EQ(lseek(fd, 2000, SEEK_SET), 2000);
    long wrote, total = 0;
    while ((wrote = write(fd, bytes, 7)) > 0)
        total += wrote;
    show("burst into the limit", total);
    CHECK_EQ(total, 3000);
    /* Reads know no limit. */
    CHECK_EQ(lseek(fd, 5100, SEEK_SET), 5100);
    CHECK_EQ(read(fd, bytes, 4), 4);
    /* Pipes neither. */
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    limit.rlim_cur = 0;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int before = signals;
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(write(ends[1], bytes, 100), 100);
        CHECK_EQ(read(ends[0], bytes, 100), 100);
    }
    CHECK_EQ(signals, before);
    /* Without a handler the signal ends the process. */
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_DFL);
        (void)!pwrite(fd, bytes, 1, 10);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    signal(SIGXFSZ, SIG_IGN);
    show("ignored", pwrite(fd, bytes, 1, 10));
    limit.rlim_cur = RLIM_INFINITY;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    show("without a limit", pwrite(fd, bytes, 1, 10));
    return done();
}
