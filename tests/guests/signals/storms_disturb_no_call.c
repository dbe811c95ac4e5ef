// build: -O2 -pthread
// limit: 60
// Two threads send signals as fast as they can while two others do system calls of every kind with
// SA_RESTART: no byte is lost, no call fails, every result stays right.
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

static volatile int stop, finished;
static volatile long handled;
static pthread_t workers[2];
static int pipes[2][2];

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    int saved = errno;
    __atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
    RAW0(SYS_sched_yield);
    errno = saved;
}

static void *send(void *argument)
{
    long id = (long)argument;
    while (!stop)
        pthread_kill(workers[id], id ? SIGUSR1 : SIGUSR2);
    return NULL;
}

static void *work(void *argument)
{
    long id = (long)argument;
    uint64_t seed = (uint64_t)id + 1, sum = 0;
    char name[32], text[4096];
    snprintf(name, sizeof name, "file%ld", id);
    int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(file >= 0);
    while (handled < 500)
        sched_yield();
    for (int round = 0; round < 3000; round++) {
        size_t length = 1 + next_random(&seed) % sizeof text;
        memset(text, round, length);
        CHECK_EQ(pwrite(file, text, length, round), length);
        memset(text, 0, length);
        CHECK_EQ(pread(file, text, length, round), length);
        CHECK_EQ((unsigned char)text[length - 1], (unsigned char)round);
        /* A ring of two: each passes on what the other sent. */
        uint64_t token = seed;
        if (id == 0) {
            CHECK_EQ(write(pipes[0][1], &token, 8), 8);
            uint64_t back;
            CHECK_EQ(read(pipes[1][0], &back, 8), 8);
            CHECK_EQ(back, token + 1);
        } else {
            CHECK_EQ(read(pipes[0][0], &token, 8), 8);
            token++;
            CHECK_EQ(write(pipes[1][1], &token, 8), 8);
        }
        char *area = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(area != MAP_FAILED);
        area[round % 16384] = 1;
        CHECK_EQ(munmap(area, 16384), 0);
        struct stat info;
        CHECK_EQ(fstat(file, &info), 0);
        CHECK_EQ(getpid(), RAW0(SYS_getpid));
        for (int i = 0; i < 1000; i++)
            sum = sum * 31 + next_random(&seed);
    }
    close(file);
    __atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
    return (void *)sum;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    on_signal(SIGUSR2, handler, SA_RESTART);
    CHECK_EQ(pipe(pipes[0]), 0);
    CHECK_EQ(pipe(pipes[1]), 0);
    pthread_t senders[2];
    sigset_t set;
    for (long i = 0; i < 2; i++)
        pthread_create(&workers[i], NULL, work, (void *)i);
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (long i = 0; i < 2; i++)
        pthread_create(&senders[i], NULL, send, (void *)i);
    /* Joined after the senders: they must not signal a thread that is gone. */
    void *sums[2];
    while (finished < 2)
        sched_yield();
    stop = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(senders[i], NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], &sums[i]);
    printf("%lx %lx\n", (long)sums[0], (long)sums[1]);
    return done();
}
