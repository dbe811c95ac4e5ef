// build: -O1
// SIGSTOP, SIGTSTP and SIGCONT on a child that computes and on one that blocks; a handler for SIGCONT runs.
#include "check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

static volatile int *shared;

static void continued(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    shared[1]++;
}

int main(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int blocking = 0; blocking < 2; blocking++) {
        shared[0] = shared[1] = 0;
        int pipes[2];
        CHECK_EQ(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            char byte;
            /* A stop from the terminal counts only in a group that is not orphaned. */
            CHECK_EQ(setpgid(0, 0), 0);
            on_signal(SIGCONT, continued, SA_RESTART);
            shared[0] = 1;
            if (blocking)
                CHECK_EQ(read(pipes[0], &byte, 1), 1);
            else
                while (shared[2] == 0)
                    shared[0]++;
            _exit(shared[1]);
        }
        int status;
        while (shared[0] == 0)
            sched_yield();
        for (int round = 0; round < 20; round++) {
            kill(child, round % 2 ? SIGSTOP : SIGTSTP);
            CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
            CHECK(WIFSTOPPED(status));
            CHECK_EQ(WSTOPSIG(status), round % 2 ? SIGSTOP : SIGTSTP);
            int before = shared[0];
            sched_yield();
            CHECK_EQ(shared[0], before);
            kill(child, SIGCONT);
            CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
            CHECK(WIFCONTINUED(status));
            while (shared[1] == round)
                sched_yield();
        }
        shared[2] = 1;
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(WEXITSTATUS(status), 20);
        shared[2] = 0;
        close(pipes[0]), close(pipes[1]);
    }
    return done();
}
