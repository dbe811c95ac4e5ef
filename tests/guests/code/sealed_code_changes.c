// build: -O1
// Sealed memory (mseal) that may be written and executed: its code changes like any other, whether it ran before or
// not, by stores, by itself and by the kernel. Sealed text is neither moved nor written, and its calls work.
#include "generated.h"
#include <sys/wait.h>

#define SYS_MSEAL 462

static int seal(void *start, size_t length) { return (int)syscall(SYS_MSEAL, start, length, 0); }

static void changes(unsigned char *code)
{
    unsigned char text[6];
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    for (int value = 0; value < 300; value++) {
        put(code, value);
        CHECK_EQ(call(code), value);
        put(text, value + 1000);
        CHECK_EQ(write(ends[1], text, 6), 6);
        CHECK_EQ(read(ends[0], code, 6), 6);
        CHECK_EQ(call(code), value + 1000);
    }
    /* movb $42, 1(%rip) changes the next instruction; mov $1, %eax; ret */
    static const unsigned char own[] = {0xc6, 0x05, 0x01, 0, 0, 0, 42, 0xb8, 1, 0, 0, 0, 0xc3};
    memcpy(code, own, sizeof own);
    CHECK_EQ(call(code), 42);
    code[8] = 1;
    CHECK_EQ(call(code), 42);
    CHECK_EQ(close(ends[0]) | close(ends[1]), 0);
}

static void refused(unsigned char *code, size_t length)
{
    CHECK_EQ(mprotect(code, length, PROT_READ), -1);
    CHECK_EQ(errno, EPERM);
    CHECK_EQ(munmap(code, length), -1);
    CHECK_EQ(errno, EPERM);
    CHECK(mremap(code, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, code + (64 << 20)) == MAP_FAILED);
    CHECK_EQ(errno, EPERM);
}

/* A page of text of its own, with calls of both kinds. */
__asm__(".pushsection .text.sealed, \"ax\"\n.balign 4096\n.globl sealed_text, sealed_end\nsealed_text:\n"
        "mov $39, %eax\nsyscall\nret\n.skip 64, 0x90\n1: mov %edi, %eax\nsyscall\nret\n.balign 4096\nsealed_end:\n.popsection");
extern char sealed_text[], sealed_end[];

static void text_stays(void)
{
    long (*get_pid)(void) = (long (*)(void))(uintptr_t)sealed_text;
    pid_t own = getpid();
    CHECK_EQ(get_pid(), own);
    CHECK_EQ(seal(sealed_text, (size_t)(sealed_end - sealed_text)), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(get_pid(), own);
        refused((unsigned char *)sealed_text, (size_t)(sealed_end - sealed_text));
    }
    /* Its contents are a file's, so they may be thrown away or not; they are the same then. */
    madvise(sealed_text, (size_t)(sealed_end - sealed_text), MADV_DONTNEED);
    CHECK_EQ(get_pid(), own);
    pid_t child = fork();
    int status;
    if (child == 0)
        _exit(get_pid() == getpid() ? 3 : 4);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 3);
}

int main(void)
{
    unsigned char *ran = pages(2, RWX), *fresh = pages(2, RWX), *both = pages(2, RWX);
    if (seal(ran, 0) == -1 && errno == ENOSYS)
        return done();
    put(ran, 5);
    CHECK_EQ(call(ran), 5);
    CHECK_EQ(seal(ran, 8192), 0);
    CHECK_EQ(call(ran), 5);
    changes(ran);
    CHECK_EQ(seal(fresh, 8192), 0);
    changes(fresh);
    /* From a page that is not sealed into one that is. */
    put(both + 4094, 6);
    CHECK_EQ(call(both + 4094), 6);
    CHECK_EQ(seal(both + 4096, 4096), 0);
    for (int value = 0; value < 300; value++) {
        put(both + 4094, value << 16 | value);
        CHECK_EQ(call(both + 4094), value << 16 | value);
    }
    refused(ran, 8192);
    changes(ran);
    text_stays();
    return done();
}
