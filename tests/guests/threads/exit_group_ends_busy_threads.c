// build: -O2 -pthread
// exit_group while eight threads spin, block and fault ends all at once; so does a fatal signal.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

static volatile int running;

static void again(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }

static void *spin(void *argument)
{
    __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
    long id = (long)argument;
    volatile unsigned long x = 1;
    for (;;) {
        if (id == 7)
            pause();
        else if (id == 6)
            getppid();
        else
            x = x * 3 + 1;
    }
    return NULL;
}

int main(void)
{
    for (int round = 0; round < 30; round++) {
        pid_t child = fork();
        if (child == 0) {
            on_signal(SIGUSR1, again, 0);
            for (long i = 0; i < 8; i++) {
                pthread_t thread;
                CHECK_EQ(pthread_create(&thread, NULL, spin, (void *)i), 0);
            }
            while (running < 8)
                sched_yield();
            if (round % 3 == 0)
                _exit(round);
            if (round % 3 == 1)
                raise(SIGKILL);
            __asm__ volatile("ud2");
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        if (round % 3 == 0)
            CHECK_EQ(WEXITSTATUS(status), round);
        else
            CHECK_EQ(WTERMSIG(status), round % 3 == 1 ? SIGKILL : SIGILL);
    }
    return done();
}
