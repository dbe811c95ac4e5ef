// build: -O1
// `rep movsb` that copies code over itself: what comes after it is the new code. One that turns itself into something
// else goes through with it, unless it is interrupted, which happens anywhere.
#include "generated.h"

#define SIZE (4 * 4096)

typedef long (*copier)(void *to, const void *from, size_t length);

static unsigned char *code, *source;

/* Fills the area with nops, puts `text` at `offset`, and makes a copy as the source. */
static copier prepare(int offset, const unsigned char *text, size_t length)
{
    memset(code, 0x90, SIZE);
    memcpy(code + offset, text, length);
    memcpy(source, code, SIZE);
    return (copier)(uintptr_t)(code + offset);
}

static void same_instruction(int offset, int value)
{
    /* mov %rdx, %rcx; rep movsb; mov $1, %eax; ret */
    static const unsigned char text[] = {0x48, 0x89, 0xd1, 0xf3, 0xa4, 0xb8, 1, 0, 0, 0, 0xc3};
    copier copy = prepare(offset, text, sizeof text);
    memcpy(source + offset + 6, &value, 4);
    CHECK_EQ(copy(code, source, SIZE), value);
    CHECK_EQ(copy(code, source, SIZE), value);
}

/* How far after its own first byte the copy ended that turned itself into nops; 0 if it did not end early. */
static long other_instruction(int offset)
{
    /* mov %rdx, %rcx; rep movsb; mov %rcx, %rax; ret */
    static const unsigned char text[] = {0x48, 0x89, 0xd1, 0xf3, 0xa4, 0x48, 0x89, 0xc8, 0xc3};
    copier copy = prepare(offset, text, sizeof text);
    source[offset + 3] = source[offset + 4] = 0x90;
    long left = copy(code, source, SIZE);
    return left == 0 ? 0 : SIZE - left - (offset + 3);
}

int main(void)
{
    int at_once = 0;
    code = pages(4, RWX);
    source = pages(4, RW);
    for (int offset = 0; offset < 8192; offset += 409)
        for (int round = 0; round < 10; round++)
            same_instruction(offset, offset * 1000 + round);
    for (int round = 0; round < 600; round++) {
        long reached = other_instruction(4070 + round % 30);
        at_once += reached != 0 && reached < 20;
    }
    CHECK(at_once < 3);
    return done();
}
