// build: -O1
// Code that a program writes where it may execute as well, or through another mapping, makes calls that nobody has seen: it and
// the program's other reads find each other's offset and bytes.
#include "unseen.h"

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
