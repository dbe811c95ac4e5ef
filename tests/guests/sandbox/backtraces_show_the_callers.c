// build: -O1 -rdynamic -fno-optimize-sibling-calls
// differs: 0x[0-9a-f]+|\+0x[0-9a-f]+ => ADDRESS
// backtrace() names the program's own functions through 50 frames, through a signal frame and in threads.
#include "check.h"
#include <execinfo.h>
#include <pthread.h>

static void *frames[200];
static int count;

__attribute__((noinline)) void show(const char *where)
{
    count = backtrace(frames, 200);
    char **names = backtrace_symbols(frames, count);
    int levels = 0;
    printf("%s:", where);
    for (int i = 0; i < count; i++) {
        char *name = strchr(names[i], '('), *end = name ? strpbrk(name, "+)") : NULL;
        if (!name || end == name + 1)
            continue;
        *end = 0;
        if (strcmp(name, "(level") == 0)
            levels++;
        else if (strstr(names[i], "backtraces_show"))
            printf(" %s", name + 1);
    }
    printf(", %d levels\n", levels);
    fflush(stdout);
    free(names);
}

void handler(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    show(signal == SIGSEGV ? "from a fault" : "from a signal");
    if (signal == SIGSEGV)
        _exit(done());
}

__attribute__((noinline)) void level(int n, int what)
{
    if (n > 0)
        level(n - 1, what);
    else if (what == 0)
        show("plain");
    else if (what == 1)
        raise(SIGUSR1);
    else
        *(volatile int *)8 = 1;
    __asm__ volatile("");
}

void *in_thread(void *unused)
{
    level(20, 0);
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGSEGV, handler, 0);
    level(50, 0);
    level(10, 1);
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    level(30, 2);
}
