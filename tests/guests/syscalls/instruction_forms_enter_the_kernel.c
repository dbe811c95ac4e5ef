// build: -O1
// `int 0x80` reaches the 32-bit table from 64-bit code and keeps r8–r11 as the kernel does.
#include "check.h"

int main(void)
{
    long result;
    register long r8 __asm__("r8") = 0x1111111122222222;
    register long r12 __asm__("r12") = 0x3333333344444444;
    long rcx = 0x5555555566666666, rdi = 0x7777777788888888;
    __asm__ volatile("int $0x80" : "=a"(result), "+c"(rcx), "+r"(r12), "+D"(rdi), "+r"(r8) : "a"(20) : "memory", "r9", "r10", "r11");
    CHECK_EQ(result, getpid());
    CHECK_EQ(rcx, 0x5555555566666666);
    CHECK_EQ(r12, 0x3333333344444444);
    CHECK_EQ(rdi, 0x7777777788888888);
    printf("r8 %lx\n", r8);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(9999) : "memory", "r8", "r9", "r10", "r11");
    CHECK_EQ(result, -ENOSYS);
    /* i386 write(1, "int 80\n", 7) needs a pointer below 4 GiB. */
    char *low = (char *)RAW6(SYS_mmap, 0x10000000, 4096, 3, 0x22, -1, 0);
    CHECK_EQ(low, 0x10000000);
    memcpy(low, "int 80\n", 7);
    fflush(stdout);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(4), "b"(1L), "c"(low), "d"(7L) : "memory", "r8", "r9", "r10", "r11");
    CHECK_EQ(result, 7);
    return done();
}
