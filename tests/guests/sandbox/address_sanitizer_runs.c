// build: -O1 -fsanitize=address -fno-omit-frame-pointer
// exit: 1
// env: ASAN_OPTIONS=detect_leaks=0:symbolize=0
// stderr: any
// The sanitizer's shadow, interceptors and report work; the heap overflow ends the program with its code.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *run(void *argument)
{
    char *text = malloc(100);
    memset(text, (int)(long)argument, 100);
    long sum = 0;
    for (int i = 0; i < 100; i++)
        sum += text[i];
    free(text);
    return (void *)sum;
}

int main(int argc, char **argv)
{
    (void)argv;
    pthread_t threads[4];
    long sum = 0;
    for (long i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run, (void *)i);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    for (int i = 0; i < 20000; i++) {
        volatile char *text = malloc((size_t)(i % 777) + 1);
        text[i % 777] = (char)i;
        free((void *)text);
    }
    printf("%ld\n", sum);
    fflush(stdout);
    volatile char *small = malloc(10);
    small[9 + argc] = 1;
    puts("the overflow was not seen");
    return 0;
}
