// build: -O1
// Across execve: descriptors without close-on-exec, masks, pending and ignored signals, umask, directory,
// pid, nice value and alarms stay; handlers, alternate stack, mappings and names go. execveat by descriptor.
#include "check.h"
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

extern char **environ;

static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }

int main(int argc, char **argv)
{
    sigset_t set;
    if (argc == 1) {
        char pid[16], *next[] = {argv[0], pid, "1", NULL};
        snprintf(pid, sizeof pid, "%d", getpid());
        CHECK_EQ(dup2(1, 20), 20);
        CHECK_EQ(dup3(1, 21, O_CLOEXEC), 21);
        umask(031);
        CHECK_EQ(chdir("/usr"), 0);
        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(SIGHUP);
        signal(SIGUSR1, SIG_IGN);
        on_signal(SIGUSR2, handler, 0);
        stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
        sigaltstack(&stack, NULL);
        setpriority(PRIO_PROCESS, 0, 3);
        struct itimerval timer = {{0, 0}, {1000, 0}};
        setitimer(ITIMER_REAL, &timer, NULL);
        prctl(PR_SET_NAME, "renamed");
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execve(argv[0], next, environ);
        return 1;
    }
    CHECK_EQ(getpid(), atoi(argv[1]));
    CHECK(fcntl(20, F_GETFD) >= 0);
    CHECK_EQ(fcntl(21, F_GETFD), -1);
    mode_t mask = umask(0);
    CHECK_EQ(mask, 031);
    umask(mask);
    char directory[100];
    CHECK_EQ(strcmp(getcwd(directory, sizeof directory), "/usr"), 0);
    sigprocmask(SIG_SETMASK, NULL, &set);
    CHECK(sigismember(&set, SIGHUP));
    sigpending(&set);
    CHECK(sigismember(&set, SIGHUP));
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    CHECK(action.sa_handler == SIG_IGN);
    sigaction(SIGUSR2, NULL, &action);
    CHECK(action.sa_handler == SIG_DFL);
    stack_t stack;
    sigaltstack(NULL, &stack);
    CHECK_EQ(stack.ss_flags, SS_DISABLE);
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), 3);
    struct itimerval timer;
    getitimer(ITIMER_REAL, &timer);
    CHECK(timer.it_value.tv_sec > 0);
    char name[17] = {0};
    prctl(PR_GET_NAME, name);
    CHECK(strcmp(name, "renamed") != 0);
    printf("%s %s\n", argv[2], name);
    fflush(stdout);
    if (argv[2][0] == '3')
        return done();
    char *next[] = {argv[0], argv[1], argv[2][0] == '1' ? "2" : "3", NULL};
    if (argv[2][0] == '1') {
        int file = open(argv[0], O_RDONLY | O_CLOEXEC);
        syscall(SYS_execveat, file, "", next, environ, AT_EMPTY_PATH);
    } else {
        char *slash = strrchr(argv[0], '/');
        *slash = 0;
        int directory = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *slash = '/';
        syscall(SYS_execveat, directory, slash + 1, next, environ, 0);
    }
    return 1;
}
