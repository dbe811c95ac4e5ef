/* Files that are read and written in small pieces by several threads; prints nanoseconds of CPU time per operation.
 *
 *     pieces NAME MILLISECONDS FOLDER
 *
 * A row says what a thread does, in pieces of how many bytes, in how many threads, and whose the description is: `own`, each thread has a
 * file and a description of its own; `one`, all have one description; `child`, a child process, which sleeps, has it too. Files of 2 MB are
 * open O_RDWR, and are gone through from the beginning to the end, again and again. What is printed is the CPU time of all threads over the
 * operations of all threads, after each has made 150,000 that do not count: a process watches files after 100,000.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_LEN 2048000
#define MOST_THREADS 16
#define WARM_UP 150000
#define BATCH 1000

enum whose { OWN, ONE, CHILD };
enum what { WRITE, READ, COPY, PREAD, PWRITE };

static const struct row {
    const char *name;
    enum what what;
    long len;
    int threads;
    enum whose whose;
} table[] = {
    { "write-256-2-threads", WRITE, 256, 2, OWN },
    { "write-1024-2-threads", WRITE, 1024, 2, OWN },
    { "write-4096-2-threads", WRITE, 4096, 2, OWN },
    { "read-256-2-threads", READ, 256, 2, OWN },
    { "read-1024-2-threads", READ, 1024, 2, OWN },
    { "read-4096-2-threads", READ, 4096, 2, OWN },
    { "copy-256-2-threads", COPY, 256, 2, OWN },
    { "copy-1024-2-threads", COPY, 1024, 2, OWN },
    { "copy-4096-2-threads", COPY, 4096, 2, OWN },
    { "pread-512-8-threads", PREAD, 512, 8, ONE },
    { "pread-512-shared", PREAD, 512, 1, CHILD },
    { "pwrite-512-2-threads", PWRITE, 512, 2, OWN },
};

static const struct row *row;
static uint64_t duration_ns;
static int one = -1;
static pthread_barrier_t turn;
static uint64_t taken_ns[MOST_THREADS], operations[MOST_THREADS];

static void check(int holds, const char *what)
{
    if (!holds) {
        perror(what);
        exit(1);
    }
}

static uint64_t thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int open_full(const char *name, long number)
{
    static const char bytes[FILE_LEN];
    char path[64];
    snprintf(path, sizeof path, "pieces.%s.%ld", name, number);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0 && write(fd, bytes, FILE_LEN) == FILE_LEN, path);
    check(lseek(fd, 0, SEEK_SET) == 0, "lseek");
    return fd;
}

/* Makes `count` operations; `*at` is how far the file has been gone through. */
static void go(int from, int to, long *at, long count)
{
    char buffer[4096] = "x";
    long len = row->len;
    for (long i = 0; i < count; i++, *at += len) {
        if (*at + len > FILE_LEN) {
            *at = 0;
            if (row->what < PREAD)
                check(lseek(from, 0, SEEK_SET) == 0 && lseek(to, 0, SEEK_SET) == 0, "lseek");
        }
        switch (row->what) {
        case COPY: check(read(from, buffer, (size_t)len) == len, "read"); /* fall through */
        case WRITE: check(write(to, buffer, (size_t)len) == len, "write"); break;
        case READ: check(read(from, buffer, (size_t)len) == len, "read"); break;
        case PREAD: check(pread(from, buffer, (size_t)len, *at) == len, "pread"); break;
        case PWRITE: check(pwrite(to, buffer, (size_t)len, *at) == len, "pwrite"); break;
        }
    }
}

static void *run(void *number)
{
    long self = (long)number, at = 0;
    int from = row->whose == OWN ? open_full("from", self) : one, to = row->what == COPY ? open_full("to", self) : from;
    go(from, to, &at, WARM_UP);
    pthread_barrier_wait(&turn);
    uint64_t begin = thread_ns();
    do {
        go(from, to, &at, BATCH);
        operations[self] += BATCH;
        taken_ns[self] = thread_ns() - begin;
    } while (taken_ns[self] < duration_ns);
    /* Nobody ends while others are measured: an end is a call. */
    pthread_barrier_wait(&turn);
    return NULL;
}

int main(int argc, char **argv)
{
    check(argc == 4 && chdir(argv[3]) == 0, "pieces NAME MILLISECONDS FOLDER");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, argv[1]) == 0)
            row = &table[i];
    check(row != NULL, "no such row");
    duration_ns = strtoull(argv[2], NULL, 10) * 1000000u;
    pid_t child = 0;
    if (row->whose != OWN)
        one = open_full("one", 0);
    if (row->whose == CHILD && (child = fork()) == 0) {
        pause();
        _exit(0);
    }
    check(pthread_barrier_init(&turn, NULL, (unsigned)row->threads) == 0, "barrier");
    if (row->threads == 1) {
        run(0);
    } else {
        pthread_t threads[MOST_THREADS];
        for (long i = 0; i < row->threads; i++)
            check(pthread_create(&threads[i], NULL, run, (void *)i) == 0, "thread");
        for (int i = 0; i < row->threads; i++)
            pthread_join(threads[i], NULL);
    }
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    double all_ns = 0, all = 0;
    for (int i = 0; i < row->threads; i++)
        all_ns += (double)taken_ns[i], all += (double)operations[i];
    printf("%.2f\n", all_ns / all);
    return 0;
}
