// build: -O1 -I.
// rip-relative operands of every form, near the limits of ±2 GiB, and absolute 64-bit addresses.
#include "generated.h"

static unsigned char *near(unsigned char *code, long offset)
{
    unsigned char *wanted = (unsigned char *)(((uintptr_t)code + (uintptr_t)offset) & ~0xfffUL);
    unsigned char *got = mmap(wanted, 8192, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return got == wanted ? got : NULL;
}

/* Writes an instruction with a rip-relative operand, `tail` bytes of immediate after it, and a ret. */
static void emit(unsigned char *at, const char *bytes, int length, unsigned char *target, const char *tail, int tail_length)
{
    memcpy(at, bytes, (size_t)length);
    int displacement = (int)(target - (at + length + 4 + tail_length));
    CHECK_EQ(at + length + 4 + tail_length + displacement, target);
    memcpy(at + length, &displacement, 4);
    memcpy(at + length + 4, tail, (size_t)tail_length);
    at[length + 4 + tail_length] = 0xc3;
}

static void every_form(unsigned char *code, unsigned char *data)
{
    volatile uint64_t *cell = (uint64_t *)data;
    *cell = 0x1122334455667788;
    emit(code, "\x8b\x05", 2, data, "", 0); /* mov rip, %eax */
    CHECK_EQ(call(code), 0x55667788);
    emit(code, "\x0f\xb6\x05", 3, data, "", 0); /* movzbl */
    CHECK_EQ(call(code), 0x88);
    emit(code, "\xc7\x05", 2, data, "\x01\x02\x03\x04", 4); /* movl $, rip */
    call(code);
    CHECK_EQ(*cell, 0x1122334404030201);
    emit(code, "\x80\x05", 2, data, "\x7f", 1); /* addb $127 */
    call(code);
    CHECK_EQ(*cell & 0xff, 0x80);
    emit(code, "\x66\x81\x35", 3, data, "\xff\xff", 2); /* xorw $, a 16-bit immediate after it */
    call(code);
    emit(code, "\xf0\x48\xff\x05", 4, data, "", 0); /* lock incq */
    uint64_t before = *cell;
    call(code);
    CHECK_EQ(*cell, before + 1);
    emit(code, "\x48\x8d\x05", 3, data, "", 0); /* lea: 64 bits through a pointer */
    CHECK_EQ(((uint64_t(*)(void))(uintptr_t)code)(), data);
    /* call and jmp through memory */
    unsigned char *target = code + 256;
    put(target, 4242);
    *cell = (uint64_t)target;
    emit(code, "\xff\x25", 2, data, "", 0); /* jmp *rip */
    CHECK_EQ(call(code), 4242);
    emit(code, "\xff\x15", 2, data, "", 0); /* call *rip; ret */
    CHECK_EQ(call(code), 4242);
    emit(code, "\xff\x35", 2, data, "\x58", 1); /* push rip; pop %rax: the operand ends before the pop */
    int displacement = (int)(data - (code + 6));
    memcpy(code + 2, &displacement, 4);
    CHECK_EQ(((uint64_t(*)(void))(uintptr_t)code)(), target);
    cell[0] = 3, cell[1] = 4;
    emit(code, "\xf3\x0f\x6f\x05", 4, data, "\x66\x0f\x7e\xc0", 4); /* movdqu rip, %xmm0; movd %xmm0, %eax */
    displacement = (int)(data - (code + 8));
    memcpy(code + 4, &displacement, 4);
    CHECK_EQ(call(code), 3);
    emit(code, "\x0f\xa3\x05", 3, data, "\x19\xc0", 2); /* bt %eax, rip; sbb %eax, %eax */
    displacement = (int)(data - (code + 7));
    memcpy(code + 3, &displacement, 4);
    long result;
    __asm__ volatile("xor %%eax, %%eax\ncall *%1" : "=a"(result) : "r"(code) : "memory", "cc");
    CHECK_EQ((int)result, -1);
}

int main(void)
{
    static const long offsets[] = {4096, -8192, 0x40000000, -0x40000000, 0x7fff0000, -0x7fff0000};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        /* Far from everything, so that both sides are free. */
        unsigned char *code = mmap((void *)(0x100000000000 + 0x1000000000 * (long)i), 4096, RWX,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        CHECK(code != MAP_FAILED);
        unsigned char *data = near(code, offsets[i]);
        /* Something may lie there already: only the farthest distances may be refused. */
        CHECK(data != NULL || offsets[i] > 0x70000000 || offsets[i] < -0x70000000);
        if (data)
            for (int round = 0; round < 10; round++)
                every_form(code, data + 16);
    }
    /* movabs loads and stores. */
    unsigned char *code = pages(1, RWX);
    static uint64_t cell = 0x0123456789abcdef;
    uint64_t *address = &cell;
    code[0] = 0x48, code[1] = 0xa1;
    memcpy(code + 2, &address, 8);
    code[10] = 0xc3;
    CHECK_EQ(((uint64_t(*)(void))(uintptr_t)code)(), 0x0123456789abcdef);
    return done();
}
