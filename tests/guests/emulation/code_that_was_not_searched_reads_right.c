// build: -O1
// Code that a program writes where it may execute as well, or through another mapping, makes calls that nobody has seen: it and
// the program's other reads find each other's offset and bytes.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { BURST = 3000 };

/* long stub(long number, long a, long b, long c): mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; syscall; ret */
static const unsigned char stub[] = {0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3};
typedef long (*call)(long, long, long, long);

static void numbers(const char *path)
{
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    for (int i = 0; i < 3 * BURST; i++)
        CHECK_EQ(dprintf(file, "%07d\n", i), 8);
    CHECK_EQ(close(file), 0);
}

static int next(int file)
{
    char text[16] = "";
    CHECK_EQ(read(file, text, 8), 8);
    return atoi(text);
}

static void alternate(call unseen, int file, int expected)
{
    char text[16] = "";
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(unseen(SYS_read, file, (long)text, 8), 8);
        CHECK_EQ(atoi(text), expected++);
        CHECK_EQ(next(file), expected++);
    }
}

static void with_pipe(call unseen)
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

/* Mapped so from the beginning; made so later; written through another mapping. */
static call make(int way)
{
    unsigned char *code = NULL;
    if (way == 0) {
        code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memcpy(code, stub, sizeof stub);
    } else if (way == 1) {
        code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK_EQ(mprotect(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
        memcpy(code, stub, sizeof stub);
    } else {
        int memory = (int)syscall(SYS_memfd_create, "code", 0);
        CHECK_EQ(ftruncate(memory, 4096), 0);
        code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, memory, 0);
        unsigned char *alias = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        memcpy(alias, stub, sizeof stub);
        close(memory);
    }
    CHECK(code != MAP_FAILED);
    return (call)(void *)code;
}

static void check(int way, int first)
{
    int file = open("numbers", O_RDONLY), expected = 0;
    call unseen = first ? make(way) : NULL;
    while (expected < BURST)
        CHECK_EQ(next(file), expected++);
    if (!first)
        unseen = make(way);
    alternate(unseen, file, expected);
    with_pipe(unseen);
    close(file);
}

int main(void)
{
    numbers("numbers");
    for (int way = 0; way < 3; way++)
        for (int first = 0; first < 2; first++) {
            fflush(stdout);
            pid_t child = fork();
            if (child == 0) {
                check(way, first);
                _exit(0);
            }
            int status;
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 0);
        }
    unlink("numbers");
    return done();
}
