// build: -O1
// calls: equal
// Code with calls is made, run, and made anew at the same addresses, the way just-in-time compilers do it: by protection, by new
// mappings, by thrown away pages, moved. While it may be written it shows what was written.
#include "../code/generated.h"

static long pid, parent;

static unsigned put_bytes(unsigned char *at, const void *bytes, unsigned length)
{
    memcpy(at, bytes, length);
    return length;
}
#define BYTES(...) (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__})

/* nops, mov $number, %eax; syscall; add $plus, %eax; ret */
static unsigned put_shape(unsigned char *at, int nops, int number, signed char plus)
{
    memset(at, 0x90, (size_t)nops);
    unsigned n = (unsigned)nops;
    n += put_bytes(at + n, BYTES(0xb8));
    n += put_bytes(at + n, &number, 4);
    n += put_bytes(at + n, BYTES(0x0f, 0x05, 0x83, 0xc0));
    n += put_bytes(at + n, &plus, 1);
    n += put_bytes(at + n, BYTES(0xc3));
    return n;
}

static void expect(unsigned char *code, int nops, int number, int plus)
{
    long value = (number == SYS_getpid ? pid : parent) + plus;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(call(code), value);
        CHECK_EQ(call(code + nops), value);
    }
}

static void by_protection(void)
{
    unsigned char *code = pages(2, RW), copy[64];
    for (int i = 0; i < 600; i++) {
        int nops = i * 7 % 13, number = i % 3 ? SYS_getpid : SYS_getppid, plus = i % 100;
        unsigned length = put_shape(code, nops, number, (signed char)plus);
        memcpy(copy, code, length);
        CHECK_EQ(mprotect(code, 8192, RX), 0);
        expect(code, nops, number, plus);
        CHECK_EQ(mprotect(code, 8192, i % 2 ? RW : PROT_READ), 0);
        if (i % 2 == 0)
            CHECK_EQ(mprotect(code, 8192, RW), 0);
        CHECK_EQ(memcmp(copy, code, length), 0);
        if (i % 5 == 0)
            memset(code, 0xcc, 64);
    }
    /* One byte is changed: the call's number. */
    for (int i = 0; i < 300; i++) {
        put_shape(code, 3, SYS_getpid, 0);
        int number = i % 2 ? SYS_getpid : SYS_getppid;
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        expect(code, 3, SYS_getpid, 0);
        CHECK_EQ(mprotect(code, 4096, RW), 0);
        code[4] = (unsigned char)number;
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        expect(code, 3, number, 0);
        CHECK_EQ(mprotect(code, 4096, RW), 0);
    }
    CHECK_EQ(munmap(code, 8192), 0);
}

/* The protection is taken away and given back without a change. */
static void by_nothing(void)
{
    unsigned char *code = pages(1, RW);
    put_shape(code, 2, SYS_getpid, 1);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        expect(code, 2, SYS_getpid, 1);
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        expect(code, 2, SYS_getpid, 1);
        CHECK_EQ(mprotect(code, 4096, i % 2 ? PROT_NONE : PROT_READ), 0);
    }
    CHECK_EQ(munmap(code, 4096), 0);
}

static void by_mapping(void)
{
    unsigned char *code = pages(4, RW), *place = code + 4096;
    for (int i = 0; i < 300; i++) {
        if (i % 2)
            CHECK_EQ(munmap(place, 4096), 0);
        CHECK_EQ(mmap(place, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), place);
        CHECK_EQ(place[5], 0);
        put_shape(place, i % 5, SYS_getpid, (signed char)(i % 50));
        CHECK_EQ(mprotect(place, 4096, RX), 0);
        expect(place, i % 5, SYS_getpid, i % 50);
    }
    CHECK_EQ(munmap(code, 16384), 0);
}

/* Thrown away, the pages read as zero. */
static void by_advice(void)
{
    unsigned char *code = pages(2, RW);
    for (int i = 0; i < 100; i++) {
        unsigned length = put_shape(code, i % 4, SYS_getpid, 1);
        CHECK_EQ(mprotect(code, 8192, RX), 0);
        expect(code, i % 4, SYS_getpid, 1);
        if (i % 2) {
            CHECK_EQ(madvise(code, 8192, MADV_DONTNEED), 0);
            CHECK_EQ(mprotect(code, 8192, RW), 0);
        } else {
            CHECK_EQ(mprotect(code, 8192, RW), 0);
            CHECK_EQ(madvise(code, 8192, MADV_DONTNEED), 0);
        }
        for (unsigned k = 0; k < length; k++)
            CHECK_EQ(code[k], 0);
    }
    CHECK_EQ(munmap(code, 8192), 0);
}

static void by_moving(void)
{
    for (int i = 0; i < 50; i++) {
        unsigned char *code = pages(1, RW), *elsewhere = pages(1, PROT_NONE);
        put_shape(code, i % 4, SYS_getpid, 1);
        CHECK_EQ(mprotect(code, 4096, RX), 0);
        expect(code, i % 4, SYS_getpid, 1);
        CHECK_EQ(mremap(code, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere), elsewhere);
        expect(elsewhere, i % 4, SYS_getpid, 1);
        CHECK_EQ(mprotect(elsewhere, 4096, RW), 0);
        CHECK_EQ(elsewhere[i % 4], 0xb8);
        CHECK_EQ(elsewhere[i % 4 + 1], SYS_getpid);
        CHECK_EQ(munmap(elsewhere, 4096), 0);
    }
}

/* Pieces of one range change, the others go on. */
static void by_pieces(void)
{
    enum { COUNT = 16 };
    unsigned char *code = pages(COUNT, RW);
    for (int k = 0; k < COUNT; k++)
        put_shape(code + 4096 * k, k, SYS_getpid, (signed char)k);
    CHECK_EQ(mprotect(code, COUNT * 4096, RX), 0);
    uint64_t seed = 99;
    signed char plus[COUNT];
    for (int k = 0; k < COUNT; k++)
        plus[k] = (signed char)k;
    for (int i = 0; i < 500; i++) {
        int from = (int)(next_random(&seed) % COUNT), count = 1 + (int)(next_random(&seed) % 3);
        if (from + count > COUNT)
            count = COUNT - from;
        CHECK_EQ(mprotect(code + 4096 * from, (size_t)count * 4096, RW), 0);
        for (int k = from; k < from + count; k++) {
            CHECK_EQ(code[4096 * k + k], 0xb8);
            plus[k] = (signed char)(next_random(&seed) % 100);
            put_shape(code + 4096 * k, k, SYS_getpid, plus[k]);
        }
        CHECK_EQ(mprotect(code + 4096 * from, (size_t)count * 4096, RX), 0);
        for (int k = 0; k < COUNT; k++)
            CHECK_EQ(call(code + 4096 * k), pid + plus[k]);
    }
    CHECK_EQ(munmap(code, COUNT * 4096), 0);
}

int main(void)
{
    pid = getpid(), parent = getppid();
    by_protection();
    by_nothing();
    by_mapping();
    by_pieces();
    by_advice();
    by_moving();
    return done();
}
