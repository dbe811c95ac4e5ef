// build[fixed]: -O1 -no-pie
// build[pie]: -O1 -fPIE -pie
// calls: equal
// The program's own text is made writable: it reads as the file has it, is changed, and runs as changed.
#include "enter.h"
#include <fcntl.h>
#include <sys/mman.h>

#define PAGE_OF(name) __asm__(".text\n.p2align 12\n.globl " #name "\n" #name ":\n")
PAGE_OF(page);
FUNCTION(numbered, "mov $39, %eax\nsyscall\nret")
FUNCTION(zeroed, "xor %eax, %eax\nsyscall\ncmp $-4095, %rax\nsbb %edx, %edx\nret")
FUNCTION(bare, "jmp 1f\n1: syscall\nret")
FUNCTION(queried, "push %rbx\n.cfi_adjust_cfa_offset 8\nxor %eax, %eax\ncpuid\npop %rbx\n.cfi_adjust_cfa_offset -8\nret")
PAGE_OF(page_end);
extern unsigned char page[], page_end[];
long numbered(void), zeroed(int), queried(void);

static const unsigned char expected[] = {
    0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3,
    0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0x19, 0xd2, 0xc3,
    0xeb, 0x00, 0x0f, 0x05, 0xc3,
    0x53, 0x31, 0xc0, 0x0f, 0xa2, 0x5b, 0xc3};

int main(void)
{
    long pid = getpid(), parent = getppid(), leaves = queried();
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(numbered(), pid);
        CHECK_EQ(zeroed(-1), -EBADF);
        CHECK_EQ(queried(), leaves);
        CHECK_EQ(mprotect(page, (size_t)(page_end - page), PROT_READ | PROT_WRITE), 0);
        CHECK_EQ(memcmp(page, expected, sizeof expected), 0);
        page[1] = SYS_getppid;
        CHECK_EQ(mprotect(page, (size_t)(page_end - page), PROT_READ | PROT_EXEC), 0);
        CHECK_EQ(numbered(), parent);
        CHECK_EQ(queried(), leaves);
        CHECK_EQ(mprotect(page, (size_t)(page_end - page), PROT_READ | PROT_WRITE), 0);
        CHECK_EQ(page[1], SYS_getppid);
        page[1] = SYS_getpid;
        CHECK_EQ(memcmp(page, expected, sizeof expected), 0);
        CHECK_EQ(mprotect(page, (size_t)(page_end - page), PROT_READ | PROT_EXEC), 0);
    }
    /* A child changes its own copy. */
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) {
            CHECK_EQ(mprotect(page, (size_t)(page_end - page), PROT_READ | PROT_WRITE), 0);
            page[1] = SYS_getppid;
            CHECK_EQ(mprotect(page, (size_t)(page_end - page), PROT_READ | PROT_EXEC), 0);
            CHECK_EQ(numbered(), pid);
            _exit(0);
        }
        int status;
        CHECK_EQ(RAW4(SYS_wait4, child, &status, 0, NULL), child);
        CHECK_EQ(status, 0);
        CHECK_EQ(numbered(), pid);
    }
    return done();
}
