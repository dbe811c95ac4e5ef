#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void begin(void)
{
    static const char text[] = "preloaded\n";
    if (write(1, text, sizeof text - 1) < 0)
        _exit(1);
}

pid_t getpid(void)
{
    return ((pid_t(*)(void))dlsym(RTLD_NEXT, "getpid"))();
}
