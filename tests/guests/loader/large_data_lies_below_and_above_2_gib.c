// build: -O1 -no-pie -mcmodel=medium
// build[close]: -O1 -no-pie -mcmodel=medium -DGIB=1
// build[close.static]: -O1 -no-pie -static -mcmodel=medium -DGIB=1
// A program linked to low addresses with data from there to beyond 2 GiB, or nearly: all of it is there, and its heap
// after it.
#include "check.h"
#include <sys/mman.h>

#ifndef GIB
#define GIB 3
#endif
#define SIZE (((size_t)GIB << 30) + ((size_t)800 << 20))

static char area[SIZE];

int main(int count, char **arguments)
{
    (void)arguments;
    for (size_t at = (size_t)count; at < SIZE; at += (size_t)64 << 20) {
        CHECK_EQ(area[at], 0);
        area[at] = (char)(at >> 26);
    }
    for (size_t at = (size_t)count; at < SIZE; at += (size_t)64 << 20)
        CHECK_EQ(area[at], (char)(at >> 26));
    area[SIZE - 1] = 1;
    char *heap = sbrk(1 << 20);
    CHECK(heap >= area + SIZE);
    memset(heap, 7, 1 << 20);
    char *more = malloc((size_t)100 << 20);
    CHECK(more != NULL);
    more[(100 << 20) - 1] = 1;
    CHECK_EQ(RAW0(SYS_getpid), getpid());
    return done();
}
