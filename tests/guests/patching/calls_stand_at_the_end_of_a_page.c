// build: -O1
// calls: equal
// A call that is the last thing before memory that is not mapped, one whose two bytes lie on two pages, and patches that would
// have to cross from one mapping into the next, each by every distance from the end: in memory and in a program's text.
#include "../code/generated.h"
#include "enter.h"

/* In text: the call's two bytes on two pages, with its number right before it, and far before it. */
__asm__(".text\n.p2align 12\n.skip 4090, 0x90\n");
FUNCTION(straddling, "mov $39, %eax\nsyscall\nret")
__asm__(".p2align 12\n.skip 4088, 0x90\n");
FUNCTION(straddling_bare, "mov $39, %eax\njmp 1f\n1: syscall\nret")
__asm__(".p2align 12\n.skip 4086, 0x90\n");
FUNCTION(before_the_edge, "mov $39, %eax\nnop\nnop\nnop\nsyscall\nmov %eax, %edx\nmov %edx, %eax\nret\n")
long straddling(void), straddling_bare(void), before_the_edge(void);

static long (*as_function(void *where))(void) { return (long (*)(void))(uintptr_t)where; }

/* mov $number, %eax; syscall; ret, the call ending `beyond` bytes after the second page's start. */
static unsigned char *put_call(unsigned char *second, int number, int beyond, int with_return)
{
    unsigned char code[] = {0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3}, *at = second + beyond - 7;
    memcpy(code + 1, &number, 4);
    memcpy(at, code, with_return ? 8 : 7);
    return at;
}

int main(void)
{
    long pid = getpid();
    int pipes[2];
    CHECK_EQ(pipe(pipes), 0);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(straddling(), pid);
        CHECK_EQ(straddling_bare(), pid);
        CHECK_EQ(before_the_edge(), pid);
    }
    for (int beyond = -1; beyond < 7; beyond++) {
        unsigned char *code = pages(3, RW), *second = code + 4096;
        unsigned char *at = put_call(second, SYS_getpid, beyond, 1);
        if (beyond < 0)
            CHECK_EQ(munmap(second, 4096), 0);
        CHECK_EQ(mprotect(code, beyond < 0 ? 4096 : 8192, RX), 0);
        for (int i = 0; i < 20; i++)
            CHECK_EQ(as_function(at)(), pid);
        CHECK_EQ(munmap(code, 12288), 0);
    }
    /* exit_group as a child's last instruction: after it nothing is mapped. */
    for (int i = 0; i < 3; i++) {
        unsigned char *code = pages(2, RW), *second = code + 4096;
        unsigned char *at = put_call(second, SYS_exit_group, 0, 0);
        CHECK_EQ(munmap(second, 4096), 0);
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        pid_t child = fork();
        if (child == 0)
            ((void (*)(int))(uintptr_t)at)(40 + i);
        int status;
        CHECK_EQ(RAW4(SYS_wait4, child, &status, 0, NULL), child);
        CHECK_EQ(status, (40 + i) << 8);
        CHECK_EQ(munmap(code, 4096), 0);
    }
    return done();
}
