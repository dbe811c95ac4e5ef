// build: -O1 -pthread -ldl
// links: doubtful.so parts/doubtful.c
// calls: equal except rseq (refused under translate), futex (a join waits only for a thread that still runs)
// Of a library that cannot run in place some pages are taken away, written, and given back, by a thread that never ran in it: others
// run in all of its parts afterwards.
#include "../code/generated.h"
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>

static long (*one)(void), (*two)(void), (*four)(void);
static long pid, parent;

static void *others(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(one(), pid);
        CHECK_EQ(two(), parent);
        CHECK_EQ(four(), pid);
    }
    return NULL;
}

static void all(void)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, others, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    char path[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv[0], sizeof directory - 1);
    dirname(directory);
    snprintf(path, sizeof path, "%s/doubtful.so", directory);
    pid = getpid(), parent = getppid();
    for (int i = 0; i < 5; i++) {
        void *library = dlopen(path, RTLD_NOW);
        CHECK(library != NULL);
        unsigned char *first = dlsym(library, "page_one"), *second = dlsym(library, "page_two");
        one = (long (*)(void))(uintptr_t)first, two = (long (*)(void))(uintptr_t)second;
        four = (long (*)(void))dlsym(library, "page_four");
        CHECK_EQ(mprotect(second, 4096, RX), 0);
        all();
        CHECK_EQ(mprotect(second, 4096, RW), 0);
        CHECK_EQ(second[0], 0xb8);
        CHECK_EQ(second[1], SYS_getppid);
        CHECK_EQ(mprotect(second, 4096, RX), 0);
        all();
        CHECK_EQ(munmap(dlsym(library, "page_five"), 4096), 0);
        CHECK_EQ(mprotect(first, 8192, RX), 0);
        all();
        CHECK_EQ(dlclose(library), 0);
    }
    return done();
}
