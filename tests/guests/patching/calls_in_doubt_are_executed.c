// build: -O1 -pthread -ldl
// links: in_doubt.so parts/in_doubt.S
// Calls that the scan cannot tell from data, executed by several threads at once, in the middle of signals, in a child, after their
// page was written and given back; and data that looks like a call, next to code.
#include "../code/generated.h"
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

typedef long (*of_long)(long);
static of_long plain, data, across, in_doubt, second, by_jump, after;
static long pid, parent;
static pthread_barrier_t barrier;

static void once(long i)
{
    CHECK_EQ(plain(i), i + 1);
    CHECK_EQ(data(i), i + 2);
    CHECK_EQ(after(i), i + 3);
    CHECK_EQ(across(i), 0x1122334455667788);
    CHECK_EQ(in_doubt(i), pid);
    CHECK_EQ(by_jump(i), pid);
}

static void *loops(void *argument)
{
    (void)argument;
    pthread_barrier_wait(&barrier);
    for (long i = 0; i < 3000; i++) {
        once(i);
        if (i >= 1000)
            CHECK_EQ(second(i), parent);
    }
    return NULL;
}

static volatile sig_atomic_t ticks;
static void tick(int signal)
{
    (void)signal;
    ticks++;
    CHECK_EQ(in_doubt(0), pid);
}

static void threads(int count)
{
    pthread_t ids[4];
    pthread_barrier_init(&barrier, NULL, count);
    for (int i = 0; i < count; i++)
        CHECK_EQ(pthread_create(&ids[i], NULL, loops, NULL), 0);
    for (int i = 0; i < count; i++)
        CHECK_EQ(pthread_join(ids[i], NULL), 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    char path[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv[0], sizeof directory - 1);
    dirname(directory);
    snprintf(path, sizeof path, "%s/in_doubt.so", directory);
    pid = getpid(), parent = getppid();
    for (int round = 0; round < 3; round++) {
        void *library = dlopen(path, RTLD_NOW);
        CHECK(library != NULL);
        plain = (of_long)dlsym(library, "plain_page"), data = (of_long)dlsym(library, "data_page");
        across = (of_long)dlsym(library, "across"), in_doubt = (of_long)dlsym(library, "call_in_doubt");
        second = (of_long)dlsym(library, "second_in_doubt"), after = (of_long)dlsym(library, "after_all");
        by_jump = (of_long)dlsym(library, "reached_by_a_jump");
        if (round == 1) {
            // A child is the first to come to them.
            pid_t child = fork();
            if (child == 0) {
                pid = getpid();
                once(5);
                _exit(done());
            }
            int status;
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 0);
        }
        threads(round + 2);
        unsigned char *page = (unsigned char *)((uintptr_t)in_doubt & -4096);
        CHECK_EQ(mprotect(page, 4096, RW), 0);
        CHECK_EQ(((unsigned char *)(uintptr_t)in_doubt)[5], 0x0f);
        CHECK_EQ(((unsigned char *)(uintptr_t)in_doubt)[6], 0x05);
        CHECK_EQ(mprotect(page, 4096, RX), 0);
        once(9);
        threads(2);
        CHECK_EQ(dlclose(library), 0);
    }
    void *library = dlopen(path, RTLD_NOW);
    in_doubt = (of_long)dlsym(library, "call_in_doubt"), data = (of_long)dlsym(library, "data_page");
    CHECK_EQ((intptr_t)signal(SIGALRM, tick), (intptr_t)SIG_DFL);
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    while (ticks < 200) {
        CHECK_EQ(data(1), 3);
        CHECK_EQ(in_doubt(1), pid);
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    return done();
}
