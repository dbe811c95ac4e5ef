// build: -O1 -pthread
// fork in a thread while others run: the child has that thread only, its TLS, and can make threads itself.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

static __thread int local;
static volatile int stop;

static void *spin(void *unused)
{
    (void)unused;
    while (!stop)
        __asm__ volatile("");
    return NULL;
}

static void *nothing(void *value) { return value; }

static void *forks(void *unused)
{
    (void)unused;
    local = 42;
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) {
            CHECK_EQ(local, 42);
            CHECK_EQ(RAW0(SYS_gettid), getpid());
            pthread_t thread;
            void *result;
            CHECK_EQ(pthread_create(&thread, NULL, nothing, (void *)5), 0);
            CHECK_EQ(pthread_join(thread, &result), 0);
            CHECK_EQ(result, 5);
            _exit(i);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(WEXITSTATUS(status), i);
    }
    return NULL;
}

int main(void)
{
    pthread_t spinner, workers[3];
    pthread_create(&spinner, NULL, spin, NULL);
    for (int i = 0; i < 3; i++)
        pthread_create(&workers[i], NULL, forks, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(workers[i], NULL);
    stop = 1;
    pthread_join(spinner, NULL);
    return done();
}
