// build: -O1
// calls: equal
// Memory is reserved without access, as compilers at run time do; parts are made writable, filled with calls, and the whole made executable at
// once, empty parts and all. What was filled, emptied and filled again is found as well.
#include "../code/generated.h"

#define RESERVED (64L << 20)

static long (*as_function(void *where))(void) { return (long (*)(void))(uintptr_t)where; }

/* mov $number, %eax; syscall; ret */
static void put_call(unsigned char *at, int number)
{
    unsigned char code[] = {0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3};
    memcpy(code + 1, &number, 4);
    memcpy(at, code, 8);
}

static unsigned char *reserve(unsigned char *at, long length)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0);
    unsigned char *memory = mmap(at, (size_t)length, PROT_NONE, flags, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static void fill(unsigned char *page, int number)
{
    CHECK_EQ(mprotect(page, 4096, RW), 0);
    put_call(page, number);
    put_call(page + 4000, number);
}

static void run(unsigned char *page, long wanted)
{
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(as_function(page)(), wanted);
        CHECK_EQ(as_function(page + 4000)(), wanted);
    }
}

int main(void)
{
    long pid = getpid(), parent = getppid();
    unsigned char *memory = reserve(NULL, RESERVED);
    unsigned char *first = memory + 4096, *second = memory + RESERVED / 2, *third = memory + RESERVED - 4096;
    fill(first, SYS_getpid);
    fill(second, SYS_getppid);
    CHECK_EQ(mprotect(memory, RESERVED, RX), 0);
    run(first, pid);
    run(second, parent);
    /* Made writable once more, by the whole. */
    CHECK_EQ(mprotect(memory, RESERVED, RW), 0);
    put_call(first, SYS_getppid);
    put_call(first + 4000, SYS_getppid);
    put_call(third, SYS_getpid);
    put_call(third + 4000, SYS_getpid);
    CHECK_EQ(mprotect(memory, RESERVED, RX), 0);
    run(first, parent);
    run(second, parent);
    run(third, pid);
    /* Filled, closed, opened. */
    CHECK_EQ(mprotect(memory, RESERVED, PROT_NONE), 0);
    CHECK_EQ(mprotect(memory, RESERVED, RX), 0);
    run(third, pid);
    /* Reserved anew over what was there, and filled at another place. */
    reserve(memory, RESERVED);
    fill(memory, SYS_getpid);
    CHECK_EQ(mprotect(memory, RESERVED / 2, RX), 0);
    run(memory, pid);
    CHECK_EQ(first[0], 0);
    /* A hole in what is reserved makes the call fail half-way. */
    CHECK_EQ(munmap(memory + RESERVED / 2, 4096), 0);
    fill(memory + RESERVED / 2 + 4096, SYS_getppid);
    CHECK_EQ(mprotect(memory + RESERVED / 2 - 4096, 12288, RW), -1);
    put_call(memory + RESERVED / 2 - 4096, SYS_getpid);
    put_call(memory + RESERVED / 2 - 96, SYS_getpid);
    CHECK_EQ(mprotect(memory, RESERVED / 2, RX), 0);
    run(memory + RESERVED / 2 - 4096, pid);
    CHECK_EQ(mprotect(memory + RESERVED / 2 + 4096, RESERVED / 2 - 4096, RX), 0);
    run(memory + RESERVED / 2 + 4096, parent);
    /* Executable from the start: empty, writable, and filled while it is. */
    unsigned char *open = mmap(NULL, RESERVED, RX | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(open != MAP_FAILED);
    put_call(open, SYS_getpid);
    CHECK_EQ(mprotect(open, RESERVED, RX), 0);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(as_function(open)(), pid);
    return done();
}
