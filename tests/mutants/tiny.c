/* The program whose file is mutated. It needs no library, and says what the kernel told it and what it finds in memory,
   in words that do not depend on where it lies. */
#include <elf.h>
#include <stddef.h>
#include <sys/syscall.h>

static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static char text[2048];
static unsigned long len;

static void say(const char *word)
{
    while (*word && len < sizeof text - 1)
        text[len++] = *word++;
}

static void number(const char *what, unsigned long value)
{
    char digits[17], *at = digits + 16;
    *at = 0;
    do
        *--at = "0123456789abcdef"[value & 15];
    while (value >>= 4);
    say(what);
    say("=");
    say(at);
    say("\n");
}

__attribute__((section(".note.test"), used)) static const struct {
    Elf64_Nhdr head;
    char name[8];
    unsigned words[4];
} note = {{5, 16, 1}, "tests", {1, 2, 3, 4}};

static volatile char blank[20000];
static volatile unsigned long filled[600] = {1, 2, 3};
#ifdef RELOCATED
static const char *volatile pointers[] = {"one", "two\n"};
#endif
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/* Calls in several functions, so that there is something to be found in tables. */
__attribute__((noinline)) static void write_out(void)
{
    call(SYS_write, 1, (long)text, (long)len);
}

__attribute__((noinline)) static long ask_twice(void)
{
    return call(SYS_getppid, 0, 0, 0) - call(SYS_getppid, 0, 0, 0);
}

__attribute__((used, noreturn)) static void start(unsigned long *stack)
{
    unsigned long arguments = stack[0], base = (unsigned long)__ehdr_start, sum = 0;
    char **strings = (char **)(stack + 1);
    number("arguments", arguments);
    for (; *strings; strings++)
        say(*strings), say("\n");
    for (strings++; *strings; strings++)
        say(*strings), say("\n");
    for (Elf64_auxv_t *aux = (Elf64_auxv_t *)(strings + 1); aux->a_type != AT_NULL; aux++)
        switch (aux->a_type) {
        case AT_PHDR:
            number("headers", aux->a_un.a_val - base);
            break;
        case AT_ENTRY:
            number("entry", aux->a_un.a_val - base);
            break;
        case AT_PHNUM:
            number("count", aux->a_un.a_val);
            break;
        case AT_PHENT:
            number("size", aux->a_un.a_val);
            break;
        case AT_BASE:
            number("has interpreter", aux->a_un.a_val != 0);
            break;
        case AT_EXECFN:
            say((char *)aux->a_un.a_val);
            say("\n");
            break;
        default:
            break;
        }
    for (unsigned long i = 0; i < sizeof blank; i++)
        sum += (unsigned char)blank[i];
    number("blank", sum);
    for (unsigned long i = 0; i < sizeof filled / 8; i++)
        sum += filled[i];
    number("filled", sum);
#ifdef RELOCATED
    say(pointers[0]);
    say(pointers[1]);
#endif
    number("asked", (unsigned long)ask_twice());
    write_out();
    call(SYS_exit_group, 7, 0, 0);
    __builtin_unreachable();
}

__asm__(".globl _start\n.type _start, @function\n_start:\n.cfi_startproc\n.cfi_undefined rip\nxor %ebp, %ebp\n"
        "mov %rsp, %rdi\nand $-16, %rsp\ncall start\nhlt\n.cfi_endproc\n.size _start, . - _start\n");
