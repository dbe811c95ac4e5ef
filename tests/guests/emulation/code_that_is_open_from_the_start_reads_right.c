// build[stack]: -O1 -z execstack
// build[segment]: -O1 -DIN_SEGMENT
// Code that the program puts where it may write and execute from the start, its stack or a segment, makes calls that nobody has
// seen.
#include "unseen.h"

#ifdef IN_SEGMENT
/* The rest of the line that the compiler writes becomes a comment. */
static unsigned char room[64] __attribute__((section(".open,\"awx\",@progbits#")));
#endif

int main(void)
{
#ifndef IN_SEGMENT
    volatile unsigned char room[64];
#endif
    numbers("numbers");
    int file = open("numbers", O_RDONLY), expected = 0;
    memcpy((void *)room, stub, sizeof stub);
    call unseen = (call)(uintptr_t)room;
    while (expected < BURST)
        CHECK_EQ(next(file), expected++);
    alternate(unseen, file, expected);
    with_pipe(unseen);
    close(file);
    unlink("numbers");
    return done();
}
