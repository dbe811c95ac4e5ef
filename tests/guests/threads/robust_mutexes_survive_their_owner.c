// build: -O1 -pthread
// The kernel walks the robust list when a thread, a process or an exec ends a mutex's owner.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

static pthread_mutex_t *mutex;

static void *die_holding(void *unused)
{
    (void)unused;
    CHECK_EQ(pthread_mutex_lock(mutex), 0);
    return NULL;
}

static void recover(const char *what)
{
    int result = pthread_mutex_lock(mutex);
    printf("%s: %s\n", what, strerror(result));
    CHECK_EQ(result, EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(mutex), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 0;
    mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    for (int inherit = 0; inherit < 2; inherit++) {
        if (inherit)
            pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
        CHECK_EQ(pthread_mutex_init(mutex, &attributes), 0);
        pthread_t thread;
        pthread_create(&thread, NULL, die_holding, NULL);
        pthread_join(thread, NULL);
        recover("thread ended");
        for (int how = 0; how < 3; how++) {
            fflush(stdout);
            pid_t child = fork();
            if (child == 0) {
                pthread_mutex_lock(mutex);
                if (how == 0)
                    _exit(0);
                if (how == 1)
                    kill(getpid(), SIGKILL);
                char *again[] = {argv[0], "again", NULL};
                execv(argv[0], again);
                _exit(1);
            }
            int status;
            CHECK_EQ(waitpid(child, &status, 0), child);
            recover(how == 0 ? "process exited" : how == 1 ? "process killed" : "process executed another");
        }
        /* A waiter is woken by the owner's death. */
        int pipes[2];
        CHECK_EQ(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            char byte;
            pthread_mutex_lock(mutex);
            CHECK_EQ(write(pipes[1], "x", 1), 1);
            raise(SIGSTOP);
            CHECK_EQ(read(pipes[0], &byte, 1), 0);
            _exit(0);
        }
        char byte;
        CHECK_EQ(read(pipes[0], &byte, 1), 1);
        pid_t killer = fork();
        if (killer == 0) {
            kill(child, SIGKILL);
            _exit(0);
        }
        recover("owner killed while another waits");
        waitpid(child, NULL, 0);
        waitpid(killer, NULL, 0);
        close(pipes[0]), close(pipes[1]);
    }
    return done();
}
