// build: -O1 -pthread
// Threads that read and write one descriptor in small pieces never get the same place twice and leave none out; a thread may
// close, duplicate or replace what another uses.
#include "files.h"
#include <pthread.h>

#define THREADS 3
#define LENGTH 60000

static int fd;
static unsigned char taken[LENGTH / 4];
static volatile int stop;

static void *reads(void *unused)
{
    (void)unused;
    uint32_t place;
    while (read(fd, &place, 4) == 4) {
        CHECK(place < LENGTH / 4);
        CHECK_EQ(__atomic_fetch_add(&taken[place], 1, __ATOMIC_SEQ_CST), 0);
    }
    return NULL;
}

static void *writes(void *number)
{
    for (uint32_t i = 0; i < LENGTH / 4 / THREADS; i++) {
        uint32_t value = (uint32_t)(long)number << 24 | i;
        CHECK_EQ(write(fd, &value, 4), 4);
    }
    return NULL;
}

static void run(void *(*what)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, what, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void *swaps(void *unused)
{
    (void)unused;
    int a = open("ones", O_RDONLY), b = open("twos", O_RDONLY);
    for (int i = 0; !stop; i++) {
        CHECK_EQ(dup2(i % 2 ? a : b, 50), 50);
        CHECK_EQ(lseek(50, 0, SEEK_SET), 0);
    }
    close(a);
    close(b);
    return NULL;
}

int main(void)
{
    uint32_t places[LENGTH / 4];
    for (uint32_t i = 0; i < LENGTH / 4; i++)
        places[i] = i;
    fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK_EQ(write(fd, places, LENGTH), LENGTH);
    for (int access = O_RDONLY; access <= O_RDWR; access += O_RDWR) {
        for (int alone = 0; alone < 2; alone++) {
            fd = open("data", access);
            memset(taken, 0, sizeof taken);
            /* Used by one thread before the others come, or not. */
            for (int i = 0; alone && i < MANY; i++) {
                uint32_t place;
                CHECK_EQ(read(fd, &place, 4), 4);
                CHECK_EQ(taken[place]++, 0);
            }
            run(reads);
            for (int i = 0; i < LENGTH / 4; i++)
                CHECK_EQ(taken[i], 1);
            CHECK_EQ(offset_of(fd), LENGTH);
            close(fd);
        }
    }
    fd = open("data", O_RDWR);
    run(writes);
    CHECK_EQ(offset_of(fd), LENGTH);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    uint32_t next[THREADS] = {0};
    for (int i = 0; i < LENGTH / 4; i++) {
        uint32_t value;
        CHECK_EQ(read(fd, &value, 4), 4);
        CHECK(value >> 24 < THREADS);
        CHECK_EQ(value & 0xffffff, next[value >> 24]++);
    }
    close(fd);
    /* The number changes its file under a reader: it gets one or the other, never anything else. */
    for (int k = 0; k < 2; k++) {
        int file = open(k ? "twos" : "ones", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        unsigned char bytes[5000];
        memset(bytes, k + 1, sizeof bytes);
        CHECK_EQ(write(file, bytes, sizeof bytes), sizeof bytes);
        close(file);
    }
    fd = open("ones", O_RDONLY);
    CHECK_EQ(dup2(fd, 50), 50);
    pthread_t swapper;
    int counts[3] = {0};
    CHECK_EQ(pthread_create(&swapper, NULL, swaps, NULL), 0);
    long long begin = now_ns(CLOCK_MONOTONIC);
    while ((counts[1] < 1000 || counts[2] < 1000) && now_ns(CLOCK_MONOTONIC) - begin < 1000000000) {
        unsigned char bytes[3] = {0};
        long got = read(50, bytes, 3);
        CHECK(got >= 0);
        for (long i = 1; i < got; i++)
            CHECK_EQ(bytes[i], bytes[0]);
        CHECK(bytes[0] <= 2);
        counts[bytes[0]]++;
    }
    stop = 1;
    pthread_join(swapper, NULL);
    CHECK(counts[1] > 0 && counts[2] > 0);
    unlink("data");
    return done();
}
