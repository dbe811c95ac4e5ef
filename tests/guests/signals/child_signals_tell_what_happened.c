// build: -O1
// SIGCHLD carries pid, status and code for exit, kill, stop and continue; waitid tells the same.
#include "check.h"
#include <sys/wait.h>

static siginfo_t seen;
static volatile int count;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    seen = *info;
    count++;
}

static sigset_t blocked, open_mask;

static void expect(pid_t child, int code, int status, int options)
{
    while (count == 0)
        sigsuspend(&open_mask);
    count = 0;
    CHECK_EQ(seen.si_pid, child);
    CHECK_EQ(seen.si_code, code);
    CHECK_EQ(seen.si_status, status);
    CHECK_EQ(seen.si_uid, getuid());
    siginfo_t info;
    memset(&info, 0, sizeof info);
    CHECK_EQ(waitid(P_PID, (id_t)child, &info, options | WNOHANG), 0);
    CHECK_EQ(info.si_pid, child);
    CHECK_EQ(info.si_signo, SIGCHLD);
    CHECK_EQ(info.si_code, code);
    CHECK_EQ(info.si_status, status);
}

int main(void)
{
    on_signal(SIGCHLD, handler, 0);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &open_mask);
    pid_t child = fork();
    if (child == 0)
        _exit(77);
    expect(child, CLD_EXITED, 77, WEXITED);
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGSTOP);
    expect(child, CLD_STOPPED, SIGSTOP, WSTOPPED);
    kill(child, SIGCONT);
    expect(child, CLD_CONTINUED, SIGCONT, WCONTINUED);
    kill(child, SIGTERM);
    expect(child, CLD_KILLED, SIGTERM, WEXITED);
    CHECK_EQ(waitpid(child, NULL, 0), -1);
    CHECK_EQ(errno, ECHILD);
    /* SA_NOCLDSTOP: no signal for a stop; SA_NOCLDWAIT: no zombie. */
    on_signal(SIGCHLD, handler, SA_NOCLDSTOP);
    child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(5);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(count, 0);
    kill(child, SIGCONT);
    expect(child, CLD_EXITED, 5, WEXITED);
    on_signal(SIGCHLD, handler, SA_NOCLDWAIT);
    child = fork();
    if (child == 0)
        _exit(0);
    CHECK_EQ(waitpid(child, &status, 0), -1);
    CHECK_EQ(errno, ECHILD);
    return done();
}
