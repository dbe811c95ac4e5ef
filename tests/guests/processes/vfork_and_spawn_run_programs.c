// build: -O1
// vfork suspends the parent until exec or exit; posix_spawn applies its actions and attributes.
#include "check.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }

static int ended(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

static void spawn(char *program)
{
    pid_t child;
    on_signal(SIGUSR2, handler, 0);
    sigset_t set, all;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigfillset(&all);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &set);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "input", O_RDONLY, 0);
    posix_spawn_file_actions_addclose(&actions, 9);
    int file = open("input", O_WRONLY | O_CREAT, 0644);
    CHECK_EQ(write(file, "from a file", 11), 11);
    close(file);
    CHECK_EQ(dup2(1, 9), 9);
    char *next[] = {program, "spawned", "2", NULL};
    CHECK_EQ(posix_spawn(&child, program, &actions, &attributes, next, environ), 0);
    CHECK_EQ(WEXITSTATUS(ended(child)), 21);
    CHECK_EQ(posix_spawnp(&child, "no-such-program", NULL, NULL, next, environ), ENOENT);
    FILE *pipe = popen("echo popen; exit 4", "r");
    char line[100];
    CHECK(fgets(line, sizeof line, pipe) != NULL);
    CHECK_EQ(WEXITSTATUS(pclose(pipe)), 4);
    CHECK_EQ(WEXITSTATUS(system("exit 8")), 8);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        sigset_t mask;
        sigprocmask(SIG_SETMASK, NULL, &mask);
        struct sigaction action;
        sigaction(SIGUSR2, NULL, &action);
        char line[100] = {0};
        CHECK(read(0, line, sizeof line) > 0);
        CHECK(fcntl(9, F_GETFD) < 0);
        printf("%s: mask %d, handler %d, group %d, input %s\n", argv[1], sigismember(&mask, SIGUSR1),
               action.sa_handler == SIG_DFL, getpgrp() == getpid(), line);
        return 21;
    }
    if (argc > 1)
        return atoi(argv[1]);
    volatile int seen = 0;
    pid_t me = getpid();
    for (int i = 0; i < 100; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        char *next[] = {argv[0], number, NULL};
        pid_t child = vfork();
        if (child == 0) {
            seen = i + 1;
            if (RAW0(SYS_getpid) == me)
                _exit(100);
            if (i % 2)
                _exit(i);
            execve(argv[0], next, environ);
            _exit(101);
        }
        CHECK_EQ(seen, i + 1);
        CHECK_EQ(getpid(), me);
        CHECK_EQ(WEXITSTATUS(ended(child)), i);
    }
    /* A failed exec in a vfork child leaves the parent whole. */
    pid_t child = vfork();
    if (child == 0) {
        char *none[] = {"x", NULL};
        execve("/no/such", none, environ);
        _exit(errno);
    }
    CHECK_EQ(WEXITSTATUS(ended(child)), ENOENT);
    /* Killed while the parent waits in vfork. */
    child = vfork();
    if (child == 0) {
        RAW2(SYS_kill, RAW0(SYS_getpid), SIGKILL);
        _exit(1);
    }
    CHECK_EQ(WTERMSIG(ended(child)), SIGKILL);
    spawn(argv[0]);
    return done();
}
