// build: -O1
// A process that has as many mappings as it may have (vm.max_map_count) changes code that ran.
#include "generated.h"

#define PAGES 9

int main(void)
{
    unsigned char *code = pages(PAGES, RWX);
    for (int i = 0; i < PAGES; i++) {
        put(code + i * 4096, i);
        CHECK_EQ(call(code + i * 4096), i);
    }
    /* Neighbours with different protections are mappings of their own. */
    long count = 0;
    while (count < 300000 && mmap(NULL, 4096, count & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        count++;
    for (int round = 1; round < 4; round++)
        for (int i = PAGES / 2; i < PAGES + PAGES / 2; i++) {
            unsigned char *at = code + i % PAGES * 4096;
            put(at, i + round * 100);
            CHECK_EQ(call(at), i + round * 100);
        }
    return done();
}
