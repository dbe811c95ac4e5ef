// build: -O1 -fsanitize=thread
// exit: 66
// env: TSAN_OPTIONS=symbolize=0
// stderr: any
// limit: 60
// The sanitizer maps its shadow, re-executes itself if need be, and reports the one race; locked code is clean.
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int locked, raced;

static void *run(void *unused)
{
    (void)unused;
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&mutex);
        locked++;
        pthread_mutex_unlock(&mutex);
        raced++;
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, run, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    printf("%d\n", locked);
    return 0;
}
