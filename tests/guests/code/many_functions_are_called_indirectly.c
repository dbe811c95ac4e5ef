// build: -O2 -I.
// limit: 60
// 10,000 generated functions called through pointers in changing order, twice over with new code, and a
// site with one, few and many targets.
#include "generated.h"

enum { COUNT = 10000, SIZE = 32 };

int main(void)
{
    unsigned char *code = pages(COUNT * SIZE / 4096 + 1, RWX);
    uint64_t seed = 12345, sum = 0;
    for (int generation = 0; generation < 3; generation++) {
        CHECK_EQ(mprotect(code, COUNT * SIZE, RW), 0);
        for (int i = 0; i < COUNT; i++)
            put(code + i * SIZE, i * 3 + generation);
        CHECK_EQ(mprotect(code, COUNT * SIZE, RX), 0);
        for (int i = 0; i < COUNT; i++)
            CHECK_EQ(call(code + i * SIZE), i * 3 + generation);
        for (int i = 0; i < 300000; i++) {
            unsigned which = next_random(&seed) % COUNT;
            int value = call(code + which * SIZE);
            CHECK_EQ(value, which * 3 + (unsigned)generation);
            sum = sum * 31 + (uint64_t)value;
        }
        for (int targets = 1; targets <= 64; targets *= 4)
            for (int i = 0; i < 100000; i++)
                sum += (uint64_t)call(code + (i % targets) * SIZE);
    }
    printf("%lx\n", sum);
    return done();
}
