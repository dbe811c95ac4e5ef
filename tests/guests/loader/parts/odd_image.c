/* An image whose headers the test changes: it says where it finds its headers, and what is in the rest of its segments. */
#include <elf.h>
#include <sys/syscall.h>

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
static volatile char blank[20000];
static volatile long filled = 5;

static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static void say(const char *what, unsigned long value)
{
    char line[64], digits[16];
    int len = 0, count = 0;
    while (*what)
        line[len++] = *what++;
    do
        digits[count++] = "0123456789abcdef"[value & 15];
    while (value >>= 4);
    while (count)
        line[len++] = digits[--count];
    line[len++] = '\n';
    call(SYS_write, 1, (long)line, len);
}

__attribute__((used, noreturn)) static void start(unsigned long *stack)
{
    unsigned long *at = stack + 1, sum = 0;
    while (*at++)
        ;
    while (*at++)
        ;
    for (Elf64_auxv_t *aux = (Elf64_auxv_t *)at; aux->a_type != AT_NULL; aux++)
        if (aux->a_type == AT_PHDR)
            say("headers at ", aux->a_un.a_val - (aux->a_un.a_val >= (unsigned long)__ehdr_start) * (unsigned long)__ehdr_start);
    for (unsigned long i = 4096; i < sizeof blank; i++)
        sum += (unsigned long)blank[i]++;
    say("blank ", sum);
    say("filled ", (unsigned long)filled);
    call(SYS_exit_group, 7, 0, 0);
    __builtin_unreachable();
}

__asm__(".globl _start\n_start: xor %ebp, %ebp\nmov %rsp, %rdi\nand $-16, %rsp\ncall start\nhlt\n");
