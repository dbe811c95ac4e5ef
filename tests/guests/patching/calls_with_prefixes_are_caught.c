// build: -O1
// Prefixes before `syscall` change nothing (Intel SDM vol. 2, 2.1.1): such calls are caught like others, so they see where a file is
// after its reads were answered in the process.
#include "check.h"
#include <fcntl.h>

#define CALLER(name, prefix)                                                                      \
    long name(long number, long a, long b, long c);                                                \
    __asm__(".text\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"                     \
            "mov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\nmov %rcx, %rdx\n" prefix "syscall\n" \
            "ret\n.cfi_endproc\n.size " #name ", . - " #name "\n");
CALLER(plain, "")
CALLER(wide, ".byte 0x48\n")
CALLER(short_operand, ".byte 0x66\n")
CALLER(segment_and_wide, ".byte 0x2e, 0x48\n")

int main(int argc, char **argv)
{
    (void)argc;
    char bytes[16];
    int file = open(argv[0], O_RDONLY);
    CHECK(file >= 0);
    long at = 0;
    long (*const callers[])(long, long, long, long) = {wide, short_operand, segment_and_wide};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++, at += 16)
            CHECK_EQ(read(file, bytes, sizeof bytes), sizeof bytes);
        CHECK_EQ(callers[round](SYS_lseek, file, 0, SEEK_CUR), at);
        CHECK_EQ(callers[round](SYS_lseek, file, 8, SEEK_CUR), at + 8);
        CHECK_EQ(plain(SYS_lseek, file, 0, SEEK_CUR), at + 8);
        CHECK_EQ(callers[round](SYS_close, 1000, 0, 0), -EBADF);
        at += 8;
    }
    return done();
}
