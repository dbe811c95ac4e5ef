// build: -O1 -fno-optimize-sibling-calls
// Recursion of 100,000 levels, mutual and through pointers; longjmp across many frames; setjmp in loops;
// nested functions on the stack; alloca; variadic calls.
#include "check.h"
#include <alloca.h>
#include <setjmp.h>
#include <stdarg.h>

static jmp_buf back;

__attribute__((noinline)) static int even(int n);
__attribute__((noinline)) static int odd(int n) { return n == 0 ? 0 : even(n - 1); }
__attribute__((noinline)) static int even(int n) { return n == 0 ? 1 : odd(n - 1); }

__attribute__((noinline)) static long descend(long n, long (*self)(long, void *), void *pointer)
{
    volatile char room[16];
    room[n % 16] = (char)n;
    return n == 0 ? 0 : self(n - 1, pointer) + room[n % 16] - (char)n + 1;
}

static long through(long n, void *pointer) { return descend(n, (long (*)(long, void *))pointer, pointer); }

__attribute__((noinline)) static void jump_from(int depth, int value)
{
    volatile char room[100];
    room[0] = 1;
    if (depth == 0)
        longjmp(back, value);
    jump_from(depth - 1, value);
    room[1] = room[0];
}

static int sum(int count, ...)
{
    va_list list;
    int total = 0;
    va_start(list, count);
    for (int i = 0; i < count; i++)
        total += i % 2 ? va_arg(list, int) : (int)va_arg(list, double);
    va_end(list);
    return total;
}

static int apply(int (*f)(int), int n) { return f(n) + f(n + 1); }

int main(void)
{
    CHECK_EQ(even(60000), 1);
    CHECK_EQ(even(60001), 0);
    CHECK_EQ(through(50000, (void *)(uintptr_t)through), 50000);
    volatile int rounds = 0, total = 0;
    int got = setjmp(back);
    total = total + got;
    rounds = rounds + 1;
    if (rounds <= 5000)
        jump_from(rounds % 300, rounds % 7 + 1);
    printf("%d rounds, %d\n", rounds, total);
    /* Nested functions make trampolines on an executable stack. */
    int base = 0;
    int nested(int x) { return x + base; }
    long nested_sum = 0;
    for (base = 0; base < 2000; base++)
        nested_sum += apply(nested, base);
    printf("%ld\n", nested_sum);
    size_t bytes = 0;
    for (int i = 1; i < 200; i++) {
        char *area = alloca((size_t)i);
        memset(area, i, (size_t)i);
        bytes += (size_t)area[i - 1];
    }
    printf("%zu %d\n", bytes, sum(6, 1.5, 2, 3.5, 4, 5.5, 6));
    return done();
}
