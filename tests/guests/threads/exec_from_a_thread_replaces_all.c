// build: -O1 -pthread
// execve from a thread that is not the leader: the others end, the pid stays, the new image is alone.
#include "check.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>

static char **arguments;
extern char **environ;

static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }

static void *spin(void *unused)
{
    (void)unused;
    for (;;)
        __asm__ volatile("");
    return NULL;
}

static void *execute(void *unused)
{
    (void)unused;
    CHECK(RAW0(SYS_gettid) != getpid());
    char pid[16], *next[] = {arguments[0], "bad", NULL};
    /* A failed execve leaves every thread running. */
    CHECK_EQ(execve("/no/such/program", next, environ), -1);
    CHECK_EQ(execve("/etc/passwd", next, environ), -1);
    snprintf(pid, sizeof pid, "%d", getpid());
    next[1] = pid;
    execve(arguments[0], next, environ);
    return NULL;
}

int main(int argc, char **argv)
{
    arguments = argv;
    if (argc > 1) {
        CHECK_EQ(getpid(), atoi(argv[1]));
        CHECK_EQ(RAW0(SYS_gettid), getpid());
        int threads = 0;
        DIR *directory = opendir("/proc/self/task");
        for (struct dirent *entry; (entry = readdir(directory));)
            threads += entry->d_name[0] != '.';
        CHECK_EQ(threads, 1);
        sigset_t mask;
        sigprocmask(SIG_SETMASK, NULL, &mask);
        CHECK(sigismember(&mask, SIGUSR2) && !sigismember(&mask, SIGUSR1));
        struct sigaction action;
        sigaction(SIGUSR1, NULL, &action);
        CHECK(action.sa_handler == SIG_DFL);
        sigaction(SIGHUP, NULL, &action);
        CHECK(action.sa_handler == SIG_IGN);
        sigset_t pending;
        sigpending(&pending);
        CHECK(sigismember(&pending, SIGUSR2));
        return done();
    }
    signal(SIGHUP, SIG_IGN);
    on_signal(SIGUSR1, handler, 0);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    kill(getpid(), SIGUSR2);
    pthread_t thread;
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&thread, NULL, spin, NULL), 0);
    CHECK_EQ(pthread_create(&thread, NULL, execute, NULL), 0);
    for (;;)
        pause();
}
