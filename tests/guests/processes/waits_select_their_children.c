// build: -O1
// wait4 and waitid by pid, group, any and pidfd, with WNOHANG, WNOWAIT and rusage; pidfd_send_signal.
#include "check.h"
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static pid_t start(int code, int own_group)
{
    pid_t child = fork();
    if (child == 0) {
        if (own_group)
            setpgid(0, 0);
        if (code < 0)
            for (;;)
                pause();
        _exit(code);
    }
    if (own_group)
        setpgid(child, child);
    return child;
}

int main(void)
{
    int status;
    siginfo_t info;
    /* Whoever starts the test in the background has it ignored. */
    CHECK(signal(SIGINT, SIG_DFL) != SIG_ERR);
    pid_t sleeper = start(-1, 1), quick = start(3, 0);
    CHECK_EQ(waitpid(sleeper, &status, WNOHANG), 0);
    CHECK_EQ(waitid(P_PID, (id_t)quick, &info, WEXITED | WNOWAIT), 0);
    CHECK_EQ(info.si_status, 3);
    CHECK_EQ(waitid(P_ALL, 0, &info, WEXITED), 0);
    CHECK_EQ(info.si_pid, quick);
    CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
    CHECK_EQ(waitpid(0, &status, WNOHANG), -1);
    CHECK_EQ(errno, ECHILD);
    int pidfd = (int)syscall(SYS_pidfd_open, sleeper, 0);
    CHECK(pidfd >= 0);
    struct pollfd wanted = {.fd = pidfd, .events = POLLIN};
    CHECK_EQ(poll(&wanted, 1, 0), 0);
    memset(&info, 0, sizeof info);
    CHECK_EQ(waitid(P_PGID, (id_t)sleeper, &info, WEXITED | WNOHANG), 0);
    CHECK_EQ(info.si_pid, 0);
    CHECK_EQ(syscall(SYS_pidfd_send_signal, pidfd, SIGINT, NULL, 0), 0);
    CHECK_EQ(poll(&wanted, 1, -1), 1);
    CHECK_EQ(waitid(P_PGID, (id_t)sleeper, &info, WEXITED), 0);
    CHECK_EQ(info.si_code, CLD_KILLED);
    CHECK_EQ(info.si_status, SIGINT);
    CHECK_EQ(syscall(SYS_pidfd_send_signal, pidfd, SIGINT, NULL, 0), -1);
    CHECK_EQ(errno, ESRCH);
    struct rusage usage;
    pid_t worker = fork();
    if (worker == 0) {
        while (clock() < CLOCKS_PER_SEC / 20)
            ;
        _exit(200);
    }
    CHECK_EQ(wait4(worker, &status, 0, &usage), worker);
    CHECK_EQ(WEXITSTATUS(status), 200);
    CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec >= 40000);
    CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
    CHECK_EQ(wait(NULL), -1);
    /* Children of an orphan go to a subreaper. */
    CHECK_EQ(RAW3(SYS_prctl, 36, 1, 0), 0);
    pid_t middle = fork();
    if (middle == 0) {
        if (fork() == 0)
            _exit(77);
        _exit(0);
    }
    int seen = 0;
    while (wait(&status) > 0)
        seen += WEXITSTATUS(status);
    CHECK_EQ(seen, 77);
    return done();
}
