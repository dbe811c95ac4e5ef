// build: -O1
// calls: equal
// Numbers that no kernel has answer ENOSYS; only the low half of rax counts.
#include "check.h"

int main(void)
{
    static const long numbers[] = {5000, 0x7fffffff, 0xffffffff, -1, 600, 4096, -39};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        CHECK_EQ(RAW3(numbers[i], 1, 2, 3), -ENOSYS);
    CHECK_EQ(RAW0(0x700000000 | SYS_getpid), getpid());
    CHECK_EQ(RAW0(0xffffffff00000000 | SYS_getppid), getppid());
    /* Retired calls have numbers and no code. */
    static const long retired[] = {134, 156, 174, 177, 178, 180, 181, 182, 183, 184, 185, 205, 211, 214, 215, 236};
    for (size_t i = 0; i < sizeof retired / sizeof retired[0]; i++)
        printf("%ld: %ld\n", retired[i], RAW3(retired[i], 0, 0, 0));
    return done();
}
