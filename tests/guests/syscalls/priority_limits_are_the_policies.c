// build: -O1
// sched_get_priority_max and sched_get_priority_min of every policy, of numbers that are none, and with upper halves of the register
// that the kernel does not read.
#include "../check.h"
#include <sched.h>

int main(void)
{
    for (long policy = -2; policy <= 9; policy++)
        printf("%ld: %ld to %ld\n", policy, RAW1(SYS_sched_get_priority_min, policy), RAW1(SYS_sched_get_priority_max, policy));
    long odd = (long)(0xabcdef0100000000UL | SCHED_FIFO);
    printf("odd: %ld to %ld\n", RAW1(SYS_sched_get_priority_min, odd), RAW1(SYS_sched_get_priority_max, odd));
    CHECK_EQ(sched_get_priority_max(SCHED_RR), 99);
    return 0;
}
