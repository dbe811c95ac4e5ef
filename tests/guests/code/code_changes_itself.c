// build: -O1 -I.
// Stores into code that ran, code that runs next and the instruction right after the store take effect.
#include "generated.h"

int main(void)
{
    unsigned char *code = pages(4, RWX);
    for (int i = 0; i < 3000; i++) {
        put(code, i);
        CHECK_EQ(call(code), i);
        put(code + 4090, i * 2); /* across a page boundary */
        CHECK_EQ(call(code + 4090), i * 2);
    }
    /* movb $n, next+1(%rip); next: mov $0, %al …: the store changes the very next instruction. */
    static const unsigned char ahead[] = {0xc6, 0x05, 0x01, 0, 0, 0, 0, /* movb $0, 1(%rip) */
                                          0xb8, 0,    0,    0, 0,       /* mov $0, %eax */
                                          0xc3};
    memcpy(code + 100, ahead, sizeof ahead);
    for (int i = 0; i < 200; i++) {
        code[106] = (unsigned char)i;
        code[108] = 0xff;
        CHECK_EQ(call(code + 100), i);
    }
    /* A loop that counts its own immediate up: mov $0, %eax; incl -4(%rip)… */
    static const unsigned char counting[] = {
        0xb9, 100, 0, 0, 0,                  /* mov $100, %ecx */
        0xb8, 0, 0, 0, 0,                    /* 5: mov $0, %eax */
        0xff, 0x05, 0xf6, 0xff, 0xff, 0xff,  /* incl -10(%rip): the immediate at 6 */
        0xff, 0xc9,                          /* dec %ecx */
        0x75, 0xf1,                          /* jnz 5 */
        0xc3};
    memcpy(code + 200, counting, sizeof counting);
    CHECK_EQ(call(code + 200), 99);
    CHECK_EQ(call(code + 200), 199);
    /* rep movsb, itself on the page, writes code that then runs. What it writes right after itself is
     * seen late by CPUs with fast strings, so that is left out. */
    static const unsigned char copying[] = {0xf3, 0xa4, 0xc3};
    unsigned char fresh[6];
    memcpy(code + 300, copying, sizeof copying);
    for (int i = 0; i < 100; i++) {
        put(fresh, 1000 + i);
        long count = 6;
        unsigned char *from = fresh, *to = code + 310;
        __asm__ volatile("call *%3" : "+S"(from), "+D"(to), "+c"(count) : "r"(code + 300) : "memory");
        CHECK_EQ(call(code + 310), 1000 + i);
    }
    /* An atomic exchange and a vector store are stores too. */
    put(code + 512, 1);
    CHECK_EQ(call(code + 512), 1);
    unsigned char block[16];
    put(block, 77);
    __asm__ volatile("movdqu (%0), %%xmm0\nmovdqu %%xmm0, (%1)" : : "r"(block), "r"(code + 512) : "xmm0", "memory");
    CHECK_EQ(call(code + 512), 77);
    int value = 88;
    __asm__ volatile("xchgl %0, (%1)" : "+r"(value) : "r"(code + 513) : "memory");
    CHECK_EQ(call(code + 512), 88);
    CHECK_EQ(value, 77);
    /* Data beside code on the same page changes without harm. */
    for (int i = 0; i < 20000; i++) {
        *(volatile int *)(code + 1024) = i;
        CHECK_EQ(call(code + 512), 88);
    }
    return done();
}
