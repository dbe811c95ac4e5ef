/* Calls that the kernel makes and that an interposer can only take note of, in a loop, in one thread and in several;
 * prints nanoseconds of CPU time per operation.
 *
 *     noted NAME THREADS MILLISECONDS FOLDER
 *
 * With one thread the process has no other. With several all begin together, each with descriptors and memory of its own;
 * what they print is the CPU time of all of them over the operations of all of them, so that waiting costs nothing but
 * what the waiting itself takes of a CPU. Each thread runs so long by its own CPU time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define MAPPED (16 * PAGE)
#define HIGH_FD 300
#define MOST_THREADS 16
#define BATCH 64

static int file = -1; /* 64 KiB, open for reading */

/* What a thread works with. */
struct own {
    int fd;
    char *memory; /* MAPPED bytes, private and writable */
};

static void check(int holds, const char *what)
{
    if (!holds) {
        perror(what);
        exit(1);
    }
}

static void open_close(struct own *own)
{
    (void)own;
    int fd = open("noted.in", O_RDONLY | O_CLOEXEC);
    check(fd >= 0 && close(fd) == 0, "open, close");
}

static void dup_close(struct own *own)
{
    int fd = dup(own->fd);
    check(fd >= 0 && close(fd) == 0, "dup, close");
}

static void dupfd_close(struct own *own)
{
    int fd = fcntl(own->fd, F_DUPFD_CLOEXEC, 0);
    check(fd >= 0 && close(fd) == 0, "F_DUPFD_CLOEXEC, close");
}

static void dupfd_close_high(struct own *own)
{
    int fd = fcntl(own->fd, F_DUPFD, HIGH_FD);
    check(fd >= HIGH_FD && close(fd) == 0, "F_DUPFD, close");
}

static void close_bad(struct own *own) { (void)own, check(close(-1) == -1, "close"); }
static void getfl(struct own *own) { check(fcntl(own->fd, F_GETFL) >= 0, "F_GETFL"); }
static void setfd(struct own *own) { check(fcntl(own->fd, F_SETFD, FD_CLOEXEC) == 0, "F_SETFD"); }

static void map_anonymous(struct own *own)
{
    (void)own;
    void *at = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(at != MAP_FAILED && munmap(at, MAPPED) == 0, "mmap, munmap");
}

static void map_file(int flags)
{
    void *at = mmap(NULL, MAPPED, PROT_READ, flags, file, 0);
    check(at != MAP_FAILED && munmap(at, MAPPED) == 0, "mmap, munmap");
}

static void map_file_private(struct own *own) { (void)own, map_file(MAP_PRIVATE); }
static void map_file_shared(struct own *own) { (void)own, map_file(MAP_SHARED); }

static void map_fixed(struct own *own)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    void *at = mmap(own->memory, MAPPED, PROT_READ | PROT_WRITE, flags, -1, 0);
    check(at == own->memory, "MAP_FIXED");
}

static void protect(struct own *own)
{
    int ok = mprotect(own->memory, PAGE, PROT_READ) == 0 && mprotect(own->memory, PAGE, PROT_READ | PROT_WRITE) == 0;
    check(ok, "mprotect");
}

static void advise(struct own *own) { check(madvise(own->memory, PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED"); }

static void remap(struct own *own)
{
    int ok = mremap(own->memory, MAPPED, MAPPED / 2, 0) == own->memory
          && mremap(own->memory, MAPPED / 2, MAPPED, MREMAP_MAYMOVE) != MAP_FAILED;
    check(ok, "mremap");
}

/* Not by libc, which may answer it itself. */
static void move_break(struct own *own)
{
    (void)own;
    check(syscall(SYS_brk, 0) > 0, "brk");
}

static void change_mask(struct own *own)
{
    (void)own;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    check(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 && pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0, "sigmask");
}

static const struct row {
    const char *name;
    void (*run)(struct own *own);
} table[] = {
    { "open-close", open_close },
    { "dup-close", dup_close },
    { "dupfd-close", dupfd_close },
    { "dupfd-close-high", dupfd_close_high },
    { "close-bad", close_bad },
    { "fcntl-getfl", getfl },
    { "fcntl-setfd", setfd },
    { "mmap-munmap", map_anonymous },
    { "mmap-munmap-file", map_file_private },
    { "mmap-munmap-shared", map_file_shared },
    { "mmap-fixed", map_fixed },
    { "mprotect-rw", protect },
    { "madvise-dontneed", advise },
    { "mremap-shrink-grow", remap },
    { "brk", move_break },
    { "sigmask-block-unblock", change_mask },
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const struct row *row;
static uint64_t budget_ns;
static pthread_barrier_t ready;

struct result {
    uint64_t ns, operations;
};

static void measure(struct result *result)
{
    struct own own = { .fd = dup(file) };
    own.memory = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(own.fd >= 0 && own.memory != MAP_FAILED, "memory");
    uint64_t start = now_ns();
    /* The clock is seldom read: that is a call too. */
    for (uint64_t batch = BATCH; result->ns < budget_ns; batch *= 2) {
        for (uint64_t i = 0; i < batch; i++)
            row->run(&own);
        result->operations += batch;
        result->ns = now_ns() - start;
    }
    close(own.fd);
}

static void *thread(void *result)
{
    pthread_barrier_wait(&ready);
    measure(result);
    return NULL;
}

static void make_file(void)
{
    static char bytes[MAPPED];
    int fd = open("noted.in", O_WRONLY | O_CREAT, 0600);
    check(fd >= 0 && write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && close(fd) == 0, "noted.in");
    check((file = open("noted.in", O_RDONLY)) >= 0, "noted.in");
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return fprintf(stderr, "usage: noted NAME THREADS MILLISECONDS FOLDER\n"), 2;
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(argv[1], table[i].name))
            row = &table[i];
    unsigned count = (unsigned)atoi(argv[2]);
    check(row && count >= 1 && count <= MOST_THREADS, "row and number of threads");
    budget_ns = strtoull(argv[3], NULL, 10) * 1000000u / count;
    check(chdir(argv[4]) == 0, argv[4]);
    make_file();

    struct result results[MOST_THREADS] = { { 0, 0 } };
    if (count == 1) {
        measure(&results[0]);
    } else {
        pthread_t threads[MOST_THREADS];
        pthread_barrier_init(&ready, NULL, count);
        for (unsigned i = 0; i < count; i++)
            check(pthread_create(&threads[i], NULL, thread, &results[i]) == 0, "pthread_create");
        for (unsigned i = 0; i < count; i++)
            pthread_join(threads[i], NULL);
    }
    uint64_t ns = 0, operations = 0;
    for (unsigned i = 0; i < count; i++)
        ns += results[i].ns, operations += results[i].operations;
    printf("%.4f\n", (double)ns / (double)operations);
    return 0;
}
