// build: -O1 -pthread
// One thread rewrites an immediate while others execute: each sees only values that were written, in order,
// and after a handshake the newest.
#include "generated.h"
#include <pthread.h>
#include <sched.h>

static unsigned char *code;
static volatile int stop, wanted, seen[3];

static void *execute(void *argument)
{
    long id = (long)argument;
    int last = 0;
    while (!stop) {
        int expected = __atomic_load_n(&wanted, __ATOMIC_ACQUIRE);
        unsigned a = 0, b, c = 0, d;
        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)); /* serialises, as the manual asks */
        int value = call(code);
        CHECK(value >= expected);
        CHECK(value >= last);
        last = value;
        seen[id] = value;
    }
    return NULL;
}

int main(void)
{
    code = pages(1, RWX);
    put(code + 3, 0); /* the immediate at +4 is aligned: its store is atomic */
    pthread_t threads[3];
    code += 3;
    for (long i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, execute, (void *)i);
    for (int i = 1; i <= 1000; i++) {
        __atomic_store_n((int *)(code + 1), i, __ATOMIC_SEQ_CST);
        __atomic_store_n(&wanted, i, __ATOMIC_SEQ_CST);
        if (i % 100 == 0)
            for (int t = 0; t < 3; t++)
                while (seen[t] < i)
                    sched_yield();
    }
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return done();
}
