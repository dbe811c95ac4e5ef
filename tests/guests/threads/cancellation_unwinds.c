// build: -O1 -pthread -fexceptions
// pthread_cancel ends blocked and spinning threads and runs their cleanup handlers.
#include "check.h"
#include <pthread.h>
#include <sched.h>

static int cleaned;
static volatile int ready;

static void clean(void *unused)
{
    (void)unused;
    __atomic_fetch_add(&cleaned, 1, __ATOMIC_SEQ_CST);
}

static void *run(void *argument)
{
    long how = (long)argument;
    pthread_cleanup_push(clean, NULL);
    if (how == 1)
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    ready = 1;
    for (;;) {
        if (how == 0)
            pause();
        if (how == 2)
            pthread_testcancel();
    }
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    for (long round = 0; round < 60; round++) {
        pthread_t thread;
        void *result;
        ready = 0;
        CHECK_EQ(pthread_create(&thread, NULL, run, (void *)(round % 3)), 0);
        while (!ready)
            sched_yield();
        CHECK_EQ(pthread_cancel(thread), 0);
        CHECK_EQ(pthread_join(thread, &result), 0);
        CHECK(result == PTHREAD_CANCELED);
    }
    printf("%d cleaned\n", cleaned);
    return done();
}
