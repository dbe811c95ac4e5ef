// build: -O2 -pthread
// Mutexes, conditions, barriers, rwlocks, semaphores and atomics under contention.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

enum { THREADS = 4, ROUNDS = 3000 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t full, space;
static long counter, turns, guarded[2], spun, produced, consumed, exclusive;

static void *run(void *argument)
{
    long id = (long)argument;
    for (int i = 0; i < ROUNDS; i++) {
        __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
        long old = __atomic_load_n(&exclusive, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&exclusive, &old, old + id, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            ;
        pthread_mutex_lock(&mutex);
        while (turns % THREADS != id)
            pthread_cond_wait(&turn_changed, &mutex);
        turns++;
        pthread_cond_broadcast(&turn_changed);
        pthread_mutex_unlock(&mutex);
        if (i % 4 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            guarded[0]++;
            guarded[1]++;
        } else {
            pthread_rwlock_rdlock(&rwlock);
            CHECK_EQ(guarded[0], guarded[1]);
        }
        pthread_rwlock_unlock(&rwlock);
        pthread_spin_lock(&spin);
        spun++;
        pthread_spin_unlock(&spin);
        if (id % 2) {
            sem_wait(&space);
            __atomic_fetch_add(&produced, i, __ATOMIC_RELAXED);
            sem_post(&full);
        } else {
            sem_wait(&full);
            __atomic_fetch_add(&consumed, i, __ATOMIC_RELAXED);
            sem_post(&space);
        }
        if (i % 100 == 0)
            pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    pthread_spin_init(&spin, 0);
    sem_init(&full, 0, 0);
    sem_init(&space, 0, 3);
    for (long i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, run, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%ld %ld %ld %ld %ld %ld %ld\n", counter, exclusive, turns, guarded[0], spun, produced, consumed);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    pthread_mutex_lock(&mutex);
    CHECK_EQ(pthread_cond_timedwait(&turn_changed, &mutex, &soon), ETIMEDOUT);
    CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
    return done();
}
