// build: -O1 -pthread
// Threads open, duplicate and close descriptors at once, low and high ones, until no number is left: each leads to what
// the thread made it of, and every number below the limit can be had.
#include "../check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define THREADS 4
#define ROUNDS 3000
#define LIMIT 400

static const char *const paths[] = { "/", "/proc", "/dev/null", "/dev/zero" };

static void check_leads_to(int fd, const struct stat *expected)
{
    struct stat status;
    CHECK(fd >= 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_dev == expected->st_dev && status.st_ino == expected->st_ino);
}

static void *run(void *argument)
{
    long thread = (long)argument;
    uint64_t seed = (uint64_t)thread * 1000003 + 17;
    struct stat expected;
    CHECK_EQ(stat(paths[thread], &expected), 0);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = open(paths[thread], O_RDONLY | O_CLOEXEC);
        check_leads_to(fd, &expected);
        int copy;
        switch (next_random(&seed) % 4) {
        case 0: copy = dup(fd); break;
        case 1: copy = fcntl(fd, F_DUPFD_CLOEXEC, 0); break;
        case 2: copy = fcntl(fd, F_DUPFD, 300); break;
        default: copy = openat(fd, ".", O_PATH); if (copy < 0) copy = dup(fd); break;
        }
        check_leads_to(copy, &expected);
        if (next_random(&seed) % 2) {
            CHECK_EQ(close(fd), 0);
            check_leads_to(copy, &expected);
            CHECK_EQ(close(copy), 0);
        } else {
            CHECK_EQ(close(copy), 0);
            check_leads_to(fd, &expected);
            CHECK_EQ(close(fd), 0);
        }
        errno = 0;
        CHECK(close(-1) == -1 && errno == EBADF);
        CHECK(dup(-1) == -1 && errno == EBADF);
        CHECK(fcntl(-1, F_DUPFD, 0) == -1 && errno == EBADF);
        CHECK(fcntl(0, F_DUPFD, LIMIT) == -1 && errno == EINVAL);
    }
    return NULL;
}

static int free_below_limit(void)
{
    int count = 0;
    for (int fd = 0; fd < LIMIT; fd++)
        count += fcntl(fd, F_GETFD) < 0;
    return count;
}

static int made;

static void *take_all(void *argument)
{
    long way = (long)argument;
    for (;;) {
        int fd = way == 0 ? dup(0) : way == 1 ? fcntl(0, F_DUPFD_CLOEXEC, 0) : way == 2 ? open("/", O_RDONLY) : fcntl(0, F_DUPFD, 0);
        if (fd < 0)
            break;
        CHECK(fd < LIMIT);
        __atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
    }
    CHECK_EQ(errno, EMFILE);
    return NULL;
}

static void in_threads(void *(*function)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, function, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = LIMIT;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    in_threads(run);
    for (int round = 0; round < 2; round++) {
        int expected = free_below_limit();
        made = 0;
        in_threads(take_all);
        CHECK_EQ(made, expected);
        CHECK_EQ(free_below_limit(), 0);
        for (int fd = 3; fd < LIMIT; fd++)
            CHECK_EQ(close(fd), 0);
    }
    return done();
}
