/* A call that bt-run has not seen, and the program's other reads and writes, in turns. */
#ifndef UNSEEN_H
#define UNSEEN_H
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { BURST = 3000 };

/* long stub(long number, long a, long b, long c): mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; syscall; ret */
static const unsigned char stub[] = {0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3};
typedef long (*call)(long, long, long, long);

static __attribute__((unused)) void numbers(const char *path)
{
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    for (int i = 0; i < 3 * BURST; i++)
        CHECK_EQ(dprintf(file, "%07d\n", i), 8);
    CHECK_EQ(close(file), 0);
}

static __attribute__((unused)) int next(int file)
{
    char text[16] = "";
    CHECK_EQ(read(file, text, 8), 8);
    return atoi(text);
}

static __attribute__((unused)) void alternate(call unseen, int file, int expected)
{
    char text[16] = "";
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(unseen(SYS_read, file, (long)text, 8), 8);
        CHECK_EQ(atoi(text), expected++);
        CHECK_EQ(next(file), expected++);
    }
}

static __attribute__((unused)) void with_pipe(call unseen)
{
    int ends[2];
    char byte = 'x';
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < BURST; i++) {
        CHECK_EQ(write(ends[1], &byte, 1), 1);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
    }
    CHECK_EQ(write(ends[1], "1", 1), 1);
    CHECK_EQ(unseen(SYS_write, ends[1], (long)"2", 1), 1);
    CHECK_EQ(unseen(SYS_read, ends[0], (long)&byte, 1), 1);
    CHECK_EQ(byte, '1');
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(byte, '2');
}
#endif
