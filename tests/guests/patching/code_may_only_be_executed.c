// build: -O1
// calls: equal
// Code in memory that may be executed and not read holds a call: it is made, and counted.
#include "../code/generated.h"

int main(void)
{
    static const unsigned char code_bytes[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
    for (int i = 0; i < 50; i++) {
        unsigned char *code = pages(1, RW);
        memcpy(code, code_bytes, sizeof code_bytes);
        CHECK_EQ(mprotect(code, 4096, PROT_EXEC), 0);
        CHECK_EQ(call(code), getpid());
        CHECK_EQ(munmap(code, 4096), 0);
    }
    return done();
}
