// build: -O1
// run: one two  three
// env: EMPTY=
// env: LAST=value with spaces
// Strings of argv, then of envp, then the file name lie one after the other at the top of the stack.
#include "check.h"
#include <fcntl.h>
#include <sys/auxv.h>

extern char **environ;

static void same_as_file(const char *path, const char *from, const char *to)
{
    char text[65536];
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    ssize_t length = read(file, text, sizeof text);
    close(file);
    CHECK_EQ(length, to - from);
    CHECK_EQ(memcmp(text, from, (size_t)length), 0);
}

int main(int argc, char **argv)
{
    CHECK_EQ(argc, 4);
    char *next = argv[0];
    for (int i = 0; i < argc; i++) {
        CHECK_EQ(argv[i], next);
        next += strlen(next) + 1;
        if (i > 0)
            printf("argv %s\n", argv[i]);
    }
    CHECK_EQ(argv[argc], 0);
    CHECK_EQ(environ, argv + argc + 1);
    same_as_file("/proc/self/cmdline", argv[0], next);
    char *variables = next;
    for (char **entry = environ; *entry; entry++) {
        CHECK_EQ(*entry, next);
        next += strlen(next) + 1;
        if (strncmp(*entry, "HOME=", 5) != 0)
            printf("envp %s\n", *entry);
    }
    same_as_file("/proc/self/environ", variables, next);
    CHECK_EQ(getauxval(AT_EXECFN), next);
    next += strlen(next) + 1;
    /* The kernel leaves eight zero bytes at the very top, and the top is a page end. */
    CHECK_EQ((unsigned long)(next + 8) % 4096, 0);
    CHECK_EQ(*(long *)next, 0);
    return done();
}
