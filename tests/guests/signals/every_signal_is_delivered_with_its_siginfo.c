// build: -O1
// kill, sigqueue, tgkill and raise of every catchable signal: number, code, sender and value arrive.
#include "check.h"

static siginfo_t seen;
static volatile int count;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    CHECK_EQ(signal, info->si_signo);
    seen = *info;
    count++;
}

static void expect(int signal, int code)
{
    REREAD();
    CHECK_EQ(count, 1);
    count = 0;
    CHECK_EQ(seen.si_signo, signal);
    CHECK_EQ(seen.si_code, code);
    CHECK_EQ(seen.si_pid, getpid());
    CHECK_EQ(seen.si_uid, getuid());
    CHECK_EQ(seen.si_errno, 0);
}

int main(void)
{
    int tested = 0;
    for (int signal = 1; signal < 65; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33)
            continue;
        on_signal(signal, handler, 0);
        CHECK_EQ(kill(getpid(), signal), 0);
        expect(signal, SI_USER);
        CHECK_EQ(raw(SYS_tgkill, getpid(), getpid(), signal, 0, 0, 0), 0);
        expect(signal, SI_TKILL);
        CHECK_EQ(raw(SYS_tkill, getpid(), signal, 0, 0, 0, 0), 0);
        expect(signal, SI_TKILL);
        union sigval value = {.sival_ptr = (void *)(0x123456789abc0000 + (unsigned long)signal)};
        CHECK_EQ(sigqueue(getpid(), signal, value), 0);
        expect(signal, SI_QUEUE);
        CHECK_EQ(seen.si_value.sival_ptr, value.sival_ptr);
        siginfo_t own;
        memset(&own, 0, sizeof own);
        own.si_pid = 0x11111111;
        own.si_signo = signal;
        own.si_code = -77;
        CHECK_EQ(raw(SYS_rt_tgsigqueueinfo, getpid(), getpid(), signal, (long)&own, 0, 0), 0);
        REREAD();
        CHECK_EQ(count, 1);
        count = 0;
        CHECK_EQ(seen.si_code, -77);
        CHECK_EQ(seen.si_pid, 0x11111111);
        tested++;
    }
    printf("%d signals\n", tested);
    return done();
}
