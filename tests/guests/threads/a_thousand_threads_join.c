// build[dynamic]: -O1 -pthread
// build[static]: -O1 -pthread -static
// Threads come and go, eight at a time, with TLS, return values, cleanup and names of their own.
#include "check.h"
#include <pthread.h>
#include <sched.h>

static __thread long local = 7;
static __thread char big[10000];
static int cleaned;
static pthread_key_t key;

static void destroy(void *value) { __atomic_fetch_add(&cleaned, (int)(long)value, __ATOMIC_RELAXED); }

static void *run(void *argument)
{
    long id = (long)argument;
    CHECK_EQ(local, 7);
    CHECK_EQ(big[id % 10000], 0);
    local = id;
    memset(big, (int)id, sizeof big);
    pthread_setspecific(key, (void *)1);
    sched_yield();
    CHECK_EQ(local, id);
    CHECK_EQ(big[9999], (char)id);
    CHECK_EQ(RAW0(SYS_getpid), getpid());
    CHECK(RAW0(SYS_gettid) != getpid());
    if (id % 3 == 0)
        pthread_exit((void *)(id * 2));
    return (void *)(id * 2);
}

int main(void)
{
    CHECK_EQ(pthread_key_create(&key, destroy), 0);
    for (long round = 0; round < 125; round++) {
        pthread_t threads[8];
        for (long i = 0; i < 8; i++)
            CHECK_EQ(pthread_create(&threads[i], NULL, run, (void *)(round * 8 + i)), 0);
        for (long i = 0; i < 8; i++) {
            void *result;
            CHECK_EQ(pthread_join(threads[i], &result), 0);
            CHECK_EQ(result, (round * 8 + i) * 2);
        }
    }
    CHECK_EQ(local, 7);
    printf("%d cleaned\n", cleaned);
    return done();
}
