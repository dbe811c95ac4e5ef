// build: -O1 -pthread
// exit: 5
// pthread_exit in the main thread leaves the process running; the last thread's exit code is the process's.
#include "check.h"
#include <pthread.h>
#include <sched.h>

static pthread_t main_thread;

static void *run(void *unused)
{
    (void)unused;
    CHECK_EQ(pthread_join(main_thread, NULL), 0);
    char path[64], text[256] = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", getpid());
    FILE *file = fopen(path, "r");
    CHECK(fgets(text, sizeof text, file) != NULL);
    /* The leader is a zombie while others live. */
    CHECK(strstr(text, ") Z ") != NULL);
    puts("ok");
    exit(5);
}

int main(void)
{
    pthread_t thread;
    main_thread = pthread_self();
    CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
    pthread_exit(NULL);
}
