// build: -O1 -pthread
// limit: 60
// fork, vfork, execve, posix_spawn, pthread_create and wait under a 2 kHz timer: nothing is torn, children
// start clean, handlers run in the process they belong to.
#include "check.h"
#include <pthread.h>
#include <spawn.h>
#include <sys/time.h>
#include <sys/wait.h>

extern char **environ;
static volatile int ticks;
static pid_t owner;

static void tick(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    CHECK_EQ(RAW0(SYS_getpid), owner);
    ticks++;
}

static void *nothing(void *value) { return value; }

static int ended(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        CHECK_EQ(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return atoi(argv[1]);
    owner = getpid();
    on_signal(SIGALRM, tick, 0);
    struct itimerval every = {{0, 500}, {0, 500}};
    CHECK_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
    char *next[] = {argv[0], "17", NULL};
    for (int round = 0; round < 150 || ticks < 50; round++) {
        pid_t child = fork();
        if (child == 0) {
            /* A child inherits no timer: the tick it may still see was pending for the parent only. */
            struct itimerval mine;
            getitimer(ITIMER_REAL, &mine);
            _exit(mine.it_value.tv_usec == 0 ? round % 100 : 101);
        }
        CHECK(child > 0);
        CHECK_EQ(ended(child), round % 100);
        child = vfork();
        if (child == 0) {
            execve(argv[0], next, environ);
            _exit(1);
        }
        CHECK_EQ(ended(child), 17);
        CHECK_EQ(posix_spawn(&child, argv[0], NULL, NULL, next, environ), 0);
        CHECK_EQ(ended(child), 17);
        pthread_t thread;
        void *result;
        CHECK_EQ(pthread_create(&thread, NULL, nothing, &thread), 0);
        CHECK_EQ(pthread_join(thread, &result), 0);
        CHECK(result == &thread);
    }
    struct itimerval never = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    return done();
}
