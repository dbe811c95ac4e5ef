// build: -O1
// calls: equal
// A template of code that stands in a table between functions, the load of a number and a call: it reads as it was assembled,
// and works where it is copied to.
#include "../code/generated.h"
#include "enter.h"

FUNCTION(before, "mov %edi, %eax\nret")
#define TEMPLATE ".byte 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06\n"
__asm__(".text\ntemplate:\n" TEMPLATE ".section .rodata\ntemplate_copy:\n" TEMPLATE ".text\n");
FUNCTION(after, "mov %edi, %eax\nret")
extern const unsigned char template[], template_copy[];

int main(void)
{
    for (int i = 0; i < 8; i++)
        CHECK_EQ(template[i], template_copy[i]);
    unsigned char *code = pages(1, RW);
    memcpy(code, template, 8);
    CHECK_EQ(mprotect(code, 4096, RX), 0);
    CHECK_EQ(call(code), getpid());
    return done();
}
