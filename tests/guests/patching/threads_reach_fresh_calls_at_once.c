// build: -O1 -pthread -ldl
// links: raw_calls.so parts/raw_calls.c
// run: raw_calls.so
// limit: 60
// A hundred threads wait for a library and run through its calls at once, while children are forked, vforked and cloned with the
// same memory, and one of them runs another program.
#include "check.h"
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { THREADS = 100, ROUNDS = 12, FUNCTIONS = 512 };
static char *volatile many;
static long (*volatile own_parent)(void);
static long (*volatile own_call)(long, long, long, long);
static long pid, parent;
static pthread_barrier_t start, end;

static void run_all(long pid_here)
{
    for (int n = 0; n < FUNCTIONS; n++)
        CHECK_EQ(((long (*)(void))(uintptr_t)(many + 16 * n))(), pid_here);
}

static void *work(void *argument)
{
    long id = (long)argument;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&start);
        for (int n = 0; n < FUNCTIONS; n++)
            CHECK_EQ(((long (*)(void))(uintptr_t)(many + 16 * ((n + id * 5) % FUNCTIONS)))(), pid);
        CHECK_EQ(own_parent(), parent);
        if (id % 25 == 1) {
            pid_t child = fork();
            if (child == 0) {
                run_all(RAW0(SYS_gettid));
                CHECK_EQ(own_parent(), pid);
                _exit(7);
            }
            int status;
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 7 << 8);
        }
        pthread_barrier_wait(&end);
    }
    return NULL;
}

static int shares(void *argument)
{
    (void)argument;
    run_all(RAW0(SYS_gettid));
    CHECK_EQ(own_parent(), pid);
    CHECK_EQ(own_call(SYS_getppid, 0, 0, 0), pid);
    return 9;
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        puts("program");
        return 5;
    }
    char path[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv[0], sizeof directory - 1);
    dirname(directory);
    snprintf(path, sizeof path, "%s/%s", directory, argv[1]);
    pid = getpid(), parent = getppid();
    CHECK_EQ(pthread_barrier_init(&start, NULL, THREADS + 1), 0);
    CHECK_EQ(pthread_barrier_init(&end, NULL, THREADS + 1), 0);
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    for (long i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], &attributes, work, (void *)i), 0);
    char *stack = mmap(NULL, 256 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    for (int round = 0; round < ROUNDS; round++) {
        void *library = dlopen(path, RTLD_NOW);
        CHECK(library != NULL);
        many = dlsym(library, "own_many");
        own_parent = (long (*)(void))dlsym(library, "own_parent");
        own_call = (long (*)(long, long, long, long))dlsym(library, "own_call");
        pthread_barrier_wait(&start);
        int status;
        pid_t child;
        if (round % 3 == 0) {
            child = clone(shares, stack + (256 << 10), CLONE_VM | SIGCHLD, NULL);
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 9 << 8);
        } else if (round % 3 == 1) {
            child = clone(shares, stack + (256 << 10), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 9 << 8);
        } else {
            fflush(stdout);
            child = vfork();
            if (child == 0) {
                execl(argv[0], argv[0], NULL);
                _exit(127);
            }
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 5 << 8);
        }
        run_all(pid);
        pthread_barrier_wait(&end);
        CHECK_EQ(dlclose(library), 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    return done();
}
