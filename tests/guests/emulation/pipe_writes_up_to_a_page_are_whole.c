// build: -O1 -pthread
// Records up to PIPE_BUF bytes are never torn: four writers, first threads of one process, then processes, fill a pipe whose
// reader takes whole records. The pipe was used alone before.
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>

#define WRITERS 4
#define RECORDS 400

static int ends[2];
static int size;

static void *writes(void *number)
{
    unsigned char record[PIPE_BUF];
    for (int i = 0; i < RECORDS; i++) {
        memset(record, (int)(long)number, (size_t)size);
        record[0] = (unsigned char)(i & 0xff);
        CHECK_EQ(write(ends[1], record, (size_t)size), size);
    }
    return NULL;
}

static void read_all(void)
{
    unsigned char record[PIPE_BUF];
    int next[WRITERS] = {0};
    for (int i = 0; i < WRITERS * RECORDS; i++) {
        for (int have = 0; have < size;) {
            long got = read(ends[0], record + have, (size_t)(size - have));
            CHECK(got > 0);
            have += (int)got;
        }
        int writer = record[1];
        CHECK(writer < WRITERS);
        CHECK_EQ(record[0], next[writer]++ & 0xff);
        for (int k = 1; k < size; k++)
            CHECK_EQ(record[k], writer);
    }
}

static void use_alone(void)
{
    unsigned char record[PIPE_BUF];
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(write(ends[1], record, 100), 100);
        CHECK_EQ(read(ends[0], record, sizeof record), 100);
    }
}

int main(void)
{
    static const int sizes[] = {2, 100, 1000, 3000, 4095, 4096};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size = sizes[i];
        use_alone();
        pthread_t threads[WRITERS];
        for (long k = 0; k < WRITERS; k++)
            CHECK_EQ(pthread_create(&threads[k], NULL, writes, (void *)k), 0);
        read_all();
        for (int k = 0; k < WRITERS; k++)
            pthread_join(threads[k], NULL);
        close(ends[0]);
        close(ends[1]);
        use_alone();
        for (long k = 0; k < WRITERS; k++) {
            if (fork() == 0) {
                writes((void *)k);
                _exit(0);
            }
        }
        read_all();
        for (int k = 0; k < WRITERS; k++) {
            int status;
            CHECK(wait(&status) > 0);
            CHECK_EQ(status, 0);
        }
        close(ends[0]);
        close(ends[1]);
        printf("records of %d are whole\n", size);
    }
    return done();
}
