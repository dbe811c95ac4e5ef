/* One kind of system call in a loop; prints nanoseconds of the process's CPU time per operation.
 *
 *     calls NAME MILLISECONDS FOLDER
 *
 * The loop goes on for so long, counted from its first call: there is no warm-up, so that whatever a call costs
 * once is in the figure, and so is the final close. Files stand in FOLDER. Calls are made as programs make them, through
 * libc, but where the row is about one system call instruction.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FILE_LEN (2u << 20)
#define LARGE_LEN (64u << 20)
#define OUTPUT_LEN (64u << 20)
#define SMALL_FILES 500
#define SMALL_LEN (16u << 10)
#define STEP_LEN (128u << 10)

static char buffer[STEP_LEN];
static size_t len;     /* bytes of one read or write */
static size_t at;      /* offset in the file that is gone through again and again */
static int from = -1, to = -1;

static void check(int holds, const char *what)
{
    if (!holds) {
        perror(what);
        exit(1);
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Files that are read stay from run to run, and so in the page cache. */
static void make_file(const char *name, size_t bytes)
{
    struct stat status;
    if (stat(name, &status) == 0 && (size_t)status.st_size == bytes)
        return;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0, name);
    memset(buffer, 'x', sizeof buffer);
    for (size_t left = bytes; left > 0;) {
        ssize_t done = write(fd, buffer, left < sizeof buffer ? left : sizeof buffer);
        check(done > 0, name);
        left -= (size_t)done;
    }
    check(close(fd) == 0, name);
}

static int open_made(const char *name, int flags)
{
    make_file(name, FILE_LEN);
    int fd = open(name, flags);
    check(fd >= 0, name);
    return fd;
}

static void open_nothing(void) {}
static void open_read(void) { from = open_made("calls.in", O_RDONLY); }
static void open_rdwr(void) { from = to = open_made("calls.inout", O_RDWR); }
static void open_copy(void) { open_read(); to = open_made("calls.inout", O_RDWR); }
static void open_null(void) { check((to = open("/dev/null", O_WRONLY)) >= 0, "/dev/null"); }
static void open_zero(void) { check((from = open("/dev/zero", O_RDONLY)) >= 0, "/dev/zero"); }
static void open_eventfd(void) { check((from = to = eventfd(0, 0)) >= 0, "eventfd"); }

static void open_pipe(void)
{
    int ends[2];
    check(pipe(ends) == 0, "pipe");
    from = ends[0], to = ends[1];
}

static void open_new(int flags)
{
    to = open("calls.out", flags | O_CREAT | O_TRUNC, 0600);
    check(to >= 0, "calls.out");
}

static void open_output(void) { open_new(O_WRONLY); }
static void open_append(void) { open_new(O_WRONLY | O_APPEND); }
static void open_extend(void) { open_new(O_RDWR); }

static void note_signal(int signal) { (void)signal; }

static void open_handler(void)
{
    struct sigaction action = { .sa_handler = note_signal };
    check(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
}

static void small_name(char *name, unsigned index) { sprintf(name, "once.%u", index % SMALL_FILES); }

static void open_small(void)
{
    char name[32];
    for (unsigned i = 0; i < SMALL_FILES; i++)
        small_name(name, i), make_file(name, SMALL_LEN);
}

static void open_large(void) { make_file("once.large", LARGE_LEN); }

/* The number stands right before the instruction. */
#define CALL(number, a, b, c, d) \
    ({ \
        long result; \
        register long r10 __asm__("r10") = (long)(d); \
        __asm__ volatile("mov %1, %%eax\n\tsyscall" \
                         : "=&a"(result) \
                         : "i"(number), "D"(a), "S"(b), "d"(c), "r"(r10) \
                         : "rcx", "r11", "memory"); \
        result; \
    })

static uint64_t run_getpid(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        __asm__ volatile("mov %0, %%eax\n\tsyscall" : : "i"(SYS_getpid) : "rax", "rcx", "r11", "memory");
    return count;
}

/* libc would ask the vDSO. */
static uint64_t run_clock(uint64_t count)
{
    struct timespec now;
    for (uint64_t i = 0; i < count; i++)
        check(CALL(SYS_clock_gettime, CLOCK_MONOTONIC, &now, 0, 0) == 0, "clock_gettime");
    return count;
}

static uint64_t run_sigprocmask(uint64_t count)
{
    uint64_t set = 1u << (SIGUSR1 - 1);
    for (uint64_t i = 0; i < count; i += 2) {
        check(CALL(SYS_rt_sigprocmask, SIG_BLOCK, &set, 0, 8) == 0, "block");
        check(CALL(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, 0, 8) == 0, "unblock");
    }
    return (count + 1) / 2 * 2;
}

static uint64_t run_sigprocmask_query(uint64_t count)
{
    uint64_t old;
    for (uint64_t i = 0; i < count; i++)
        check(CALL(SYS_rt_sigprocmask, SIG_BLOCK, 0, &old, 8) == 0, "query");
    return count;
}

static uint64_t run_mix(uint64_t count)
{
    for (uint64_t i = 0; i < count; i += 5) {
        int copy = dup(to);
        check(copy >= 0 && close(copy) == 0, "dup");
        getuid();
        umask(022);
        getpid();
    }
    return (count + 4) / 5 * 5;
}

static void read_one(void) { check(read(from, buffer, len) == (ssize_t)len, "read"); }
static void write_one(void) { check(write(to, buffer, len) == (ssize_t)len, "write"); }

static int is_end(void)
{
    at += len;
    if (at < FILE_LEN)
        return 0;
    at = 0;
    return 1;
}

static void rewind_fd(int fd) { check(lseek(fd, 0, SEEK_SET) == 0, "lseek"); }

static uint64_t run_read(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        read_one();
        if (is_end())
            rewind_fd(from);
    }
    return count;
}

static uint64_t run_pread(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        check(pread(from, buffer, len, (off_t)at) == (ssize_t)len, "pread");
        is_end();
    }
    return count;
}

static uint64_t run_write(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        write_one();
        if (is_end())
            rewind_fd(to);
    }
    return count;
}

static uint64_t run_copy(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        read_one();
        write_one();
        if (is_end())
            rewind_fd(from), rewind_fd(to);
    }
    return count;
}

/* Pipes and eventfds: what goes in comes out again. An eventfd takes any number but 0 and all ones. */
static uint64_t run_there_and_back(uint64_t count)
{
    uint64_t one = 1;
    memcpy(buffer, &one, sizeof one);
    for (uint64_t i = 0; i < count; i++) {
        write_one();
        read_one();
    }
    return count;
}

/* Devices and output have no end at which to begin anew. */
static uint64_t run_read_on(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        read_one();
    return count;
}

static uint64_t run_write_on(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        write_one();
    return count;
}

static void read_whole(const char *name)
{
    int fd = open(name, O_RDONLY);
    check(fd >= 0, name);
    ssize_t done;
    while ((done = read(fd, buffer, STEP_LEN)) > 0)
        ;
    check(done == 0 && close(fd) == 0, name);
}

static uint64_t run_once_small(uint64_t count)
{
    static unsigned next;
    char name[32];
    for (uint64_t i = 0; i < count; i++)
        small_name(name, next++), read_whole(name);
    return count;
}

static uint64_t run_once_large(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        read_whole("once.large");
    return count;
}

/* Four components from the root of the row's own files on; the last is not there. */
#define ABSENT "tree/one/two/absent"

static void open_tree(void)
{
    check(mkdir("tree", 0700) == 0 || access("tree", F_OK) == 0, "tree");
    check(mkdir("tree/one", 0700) == 0 || access("tree/one", F_OK) == 0, "tree/one");
    check(mkdir("tree/one/two", 0700) == 0 || access("tree/one/two", F_OK) == 0, "tree/one/two");
    make_file("tree/one/two/file", 4096);
}

static uint64_t run_access_absent(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        check(access(ABSENT, F_OK) != 0, "access");
    return count;
}

static uint64_t run_stat_absent(uint64_t count)
{
    struct stat status;
    for (uint64_t i = 0; i < count; i++)
        check(stat(ABSENT, &status) != 0, "stat");
    return count;
}

static uint64_t run_open_absent(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        check(open(ABSENT, O_RDONLY) < 0, "open");
    return count;
}

static uint64_t run_access_present(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        check(access("tree/one/two/file", R_OK) == 0, "access");
    return count;
}

/* A different file at each call: nothing is known of any. */
static uint64_t run_stat_files(uint64_t count)
{
    static unsigned next;
    struct stat status;
    char name[32];
    for (uint64_t i = 0; i < count; i++)
        small_name(name, next++), check(stat(name, &status) == 0, name);
    return count;
}

static const struct row {
    const char *name;
    void (*open)(void);
    uint64_t (*run)(uint64_t count);
    size_t len;
    uint64_t most; /* operations after which it ends in any case; 0 for no such limit */
} table[] = {
    { "getpid", open_nothing, run_getpid, 0, 0 },
    { "clock-gettime-raw", open_nothing, run_clock, 0, 0 },
    { "sigprocmask", open_handler, run_sigprocmask, 0, 0 },
    { "sigprocmask-query", open_handler, run_sigprocmask_query, 0, 0 },
    { "mix-5", open_pipe, run_mix, 0, 0 },
    { "read-1", open_read, run_read, 1, 0 },
    { "read-512", open_read, run_read, 512, 0 },
    { "read-4096", open_read, run_read, 4096, 0 },
    { "pread-1", open_read, run_pread, 1, 0 },
    { "pread-512", open_read, run_pread, 512, 0 },
    { "pread-4096", open_read, run_pread, 4096, 0 },
    { "pread-rdwr-512", open_rdwr, run_pread, 512, 0 },
    { "write-256", open_rdwr, run_write, 256, 0 },
    { "write-1024", open_rdwr, run_write, 1024, 0 },
    { "write-4096", open_rdwr, run_write, 4096, 0 },
    { "copy-256", open_copy, run_copy, 256, 0 },
    { "copy-1024", open_copy, run_copy, 1024, 0 },
    { "copy-4096", open_copy, run_copy, 4096, 0 },
    { "pipe-512", open_pipe, run_there_and_back, 512, 0 },
    { "eventfd", open_eventfd, run_there_and_back, 8, 0 },
    { "null-write-1", open_null, run_write_on, 1, 0 },
    { "zero-read-1", open_zero, run_read_on, 1, 0 },
    { "access-absent", open_tree, run_access_absent, 0, 0 },
    { "stat-absent", open_tree, run_stat_absent, 0, 0 },
    { "open-absent", open_tree, run_open_absent, 0, 0 },
    { "access-present", open_tree, run_access_present, 0, 0 },
    { "stat-files", open_small, run_stat_files, 0, 0 },
    { "output-100", open_output, run_write_on, 100, OUTPUT_LEN / 100 },
    { "output-4096", open_output, run_write_on, 4096, OUTPUT_LEN / 4096 },
    { "output-65536", open_output, run_write_on, 65536, OUTPUT_LEN / 65536 },
    { "append-100", open_append, run_write_on, 100, OUTPUT_LEN / 100 },
    { "extend-100", open_extend, run_write_on, 100, OUTPUT_LEN / 100 },
    { "read-once-small", open_small, run_once_small, 0, 0 },
    { "read-once-large", open_large, run_once_large, 0, 0 },
};

/* Batches double, so that even for the shortest calls the clock is read some dozen times only. */
static double measure(const struct row *row, uint64_t budget_ns)
{
    uint64_t done = 0, start = now_ns();
    for (uint64_t batch = 1; now_ns() - start < budget_ns && !(row->most && done >= row->most); batch *= 2) {
        uint64_t left = row->most - done;
        done += row->run(row->most && left < batch ? left : batch);
    }
    if (from >= 0)
        check(close(from) == 0, "close");
    if (to >= 0 && to != from)
        check(close(to) == 0, "close");
    return (double)(now_ns() - start) / (double)done;
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; argc == 4 && i < sizeof table / sizeof *table; i++)
        if (!strcmp(argv[1], table[i].name)) {
            check(chdir(argv[3]) == 0, argv[3]);
            len = table[i].len;
            table[i].open();
            printf("%.4f\n", measure(&table[i], strtoull(argv[2], NULL, 10) * 1000000u));
            unlink("calls.out");
            return 0;
        }
    fprintf(stderr, "usage: calls NAME MILLISECONDS FOLDER\n");
    return 2;
}
