// build: -O1
// Pages that may be written and executed at once: calls are written there, run, changed under way, thousands of times, and
// signal handlers are set and left through them.
#include "../code/generated.h"

static volatile int handled;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    handled++;
}

int main(void)
{
    unsigned char *code = pages(2, RWX);
    long pid = getpid(), parent = getppid();
    static const unsigned char numbered[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
    static const unsigned char given[] = {0x89, 0xf8, 0x89, 0xf7, 0x89, 0xd6, 0x0f, 0x05, 0xc3};
    for (int i = 0; i < 3000; i++) {
        unsigned char *at = code + i % 100 * 16;
        memcpy(at, numbered, sizeof numbered);
        CHECK_EQ(call(at), pid);
        at[1] = SYS_getppid;
        CHECK_EQ(call(at), parent);
        /* mov %edi, %eax; mov %esi, %edi; mov %edx, %esi; syscall; ret */
        memcpy(at, given, sizeof given);
        int (*any)(int, long, long) = (int (*)(int, long, long))(uintptr_t)at;
        CHECK_EQ(any(SYS_getppid, 0, 0), parent);
        CHECK_EQ(any(SYS_close, -1, 0), -EBADF);
        if (i % 100 == 0) {
            on_signal(SIGUSR1, handler, 0);
            int before = handled;
            any(SYS_tkill, pid, SIGUSR1);
            REREAD();
            CHECK_EQ(handled, before + 1);
        }
    }
    /* The protection goes back and forth. */
    for (int i = 0; i < 200; i++) {
        memcpy(code, numbered, sizeof numbered);
        CHECK_EQ(call(code), pid);
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        CHECK_EQ(call(code), pid);
        CHECK_EQ(mprotect(code, 4096, i % 2 ? RW : RWX), 0);
        CHECK_EQ(memcmp(code, numbered, sizeof numbered), 0);
        code[1] = SYS_getppid;
        CHECK_EQ(mprotect(code, 4096, RWX), 0);
        CHECK_EQ(call(code), parent);
        CHECK_EQ(code[1], SYS_getppid);
    }
    return done();
}
