// build: -O1
// calls: equal
// Two pages become executable one after the other, in both orders, and a call with the load of its number lies across them.
#include "../code/generated.h"

static long (*as_function(void *where))(void) { return (long (*)(void))(uintptr_t)where; }

/* mov $number, %eax; syscall; ret, the call ending `beyond` bytes after the second page's start. */
static unsigned char *put_call(unsigned char *second, int number, int beyond)
{
    unsigned char code[] = {0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3}, *at = second + beyond - 7;
    memcpy(code + 1, &number, 4);
    memcpy(at, code, 8);
    return at;
}

int main(void)
{
    long pid = getpid();
    for (int beyond = 0; beyond < 7; beyond++)
        for (int order = 0; order < 2; order++) {
            unsigned char *code = pages(2, RW), *second = code + 4096;
            unsigned char *at = put_call(second, SYS_getpid, beyond);
            CHECK_EQ(mprotect(order ? second : code, 4096, RX), 0);
            CHECK_EQ(mprotect(order ? code : second, 4096, RX), 0);
            for (int i = 0; i < 20; i++)
                CHECK_EQ(as_function(at)(), pid);
            CHECK_EQ(munmap(code, 8192), 0);
        }
    return done();
}
