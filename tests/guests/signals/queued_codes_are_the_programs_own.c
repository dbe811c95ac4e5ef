// build: -O1
// A program may queue signals to itself with any negative si_code: they all arrive as they were sent, with the codes that
// bt-run uses for itself as well.
#include "check.h"

static const int codes[] = {-0x6274, -0x6275, -1, -6, -60, -0x40000000};
static const int numbers[] = {SIGUSR1, SIGSEGV, SIGBUS, SIGFPE, SIGSYS, SIGCHLD};

static volatile int runs, code, value;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    runs++;
    code = info->si_code;
    value = info->si_value.sival_int;
}

static void queue(int signal, int with_code, int with_value, int to_thread)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = with_code;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = with_value;
    if (to_thread)
        CHECK_EQ(RAW4(SYS_rt_tgsigqueueinfo, getpid(), gettid(), signal, &info), 0);
    else
        CHECK_EQ(RAW3(SYS_rt_sigqueueinfo, getpid(), signal, &info), 0);
}

int main(void)
{
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int signal = numbers[i];
        on_signal(signal, handler, 0);
        for (unsigned n = 0; n < sizeof codes / sizeof *codes; n++)
            for (int to_thread = 0; to_thread < 2; to_thread++) {
                int number = (int)n + 10;
                runs = 0;
                queue(signal, codes[n], number, to_thread);
                REREAD();
                CHECK_EQ(runs, 1);
                CHECK_EQ(code, codes[n]);
                CHECK_EQ(value, number);

                /* And after a time in which it was blocked. */
                sigset_t set, pending;
                sigemptyset(&set);
                sigaddset(&set, signal);
                sigprocmask(SIG_BLOCK, &set, NULL);
                queue(signal, codes[n], number + 20, to_thread);
                sigpending(&pending);
                CHECK(sigismember(&pending, signal));
                CHECK_EQ(runs, 1);
                sigprocmask(SIG_UNBLOCK, &set, NULL);
                REREAD();
                CHECK_EQ(runs, 2);
                CHECK_EQ(code, codes[n]);
                CHECK_EQ(value, number + 20);
            }
    }
    return done();
}
