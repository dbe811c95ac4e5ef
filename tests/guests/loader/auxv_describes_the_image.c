// build[pie]: -O1 -pie -fPIE
// build[fixed]: -O1 -no-pie -fno-pie
// build[static]: -O1 -static
// build[static_pie]: -O1 -static-pie -fPIE
// calls: equal
// The auxiliary vector is what the kernel gives: types in order, values that fit the image.
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>

extern char **environ;
extern char _start[];

int main(int argc, char **argv)
{
    (void)argc;
    char **end = environ;
    while (*end)
        end++;
    Elf64_auxv_t *vector = (Elf64_auxv_t *)(end + 1);
    printf("types");
    size_t count = 0;
    for (Elf64_auxv_t *entry = vector; ; entry++) {
        printf(" %lu", (unsigned long)entry->a_type);
        count++;
        if (entry->a_type == AT_NULL)
            break;
    }
    printf("\n");

    int exe = open("/proc/self/exe", O_RDONLY);
    CHECK(exe >= 0);
    Elf64_Ehdr header;
    CHECK_EQ(read(exe, &header, sizeof header), sizeof header);
    Elf64_Phdr program[64];
    size_t bytes = header.e_phnum * sizeof program[0];
    CHECK_EQ(pread(exe, program, bytes, (off_t)header.e_phoff), bytes);
    close(exe);
    CHECK_EQ(getauxval(AT_PHNUM), header.e_phnum);
    CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    CHECK_EQ(memcmp((void *)getauxval(AT_PHDR), program, bytes), 0);
    CHECK_EQ(getauxval(AT_ENTRY), _start);

    unsigned long bias = getauxval(AT_ENTRY) - header.e_entry;
    CHECK_EQ(header.e_type == ET_EXEC, bias == 0);
    unsigned long base = getauxval(AT_BASE);
    int dynamic = 0;
    for (int i = 0; i < header.e_phnum; i++)
        dynamic |= program[i].p_type == PT_INTERP;
    CHECK_EQ(base != 0, dynamic);
    if (base)
        CHECK_EQ(memcmp((void *)base, ELFMAG, SELFMAG), 0);

    unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);
    int bits = 0;
    for (int i = 0; i < 16; i++)
        bits |= random[i];
    CHECK(bits != 0);
    CHECK_EQ(memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, SELFMAG), 0);
    CHECK_EQ(strcmp((char *)getauxval(AT_EXECFN), argv[0]), 0);
    CHECK_EQ(strcmp((char *)getauxval(AT_PLATFORM), "x86_64"), 0);
    CHECK_EQ(getauxval(AT_PAGESZ), 4096);
    CHECK_EQ(getauxval(AT_CLKTCK), 100);
    CHECK_EQ(getauxval(AT_UID), getuid());
    CHECK_EQ(getauxval(AT_EUID), geteuid());
    CHECK_EQ(getauxval(AT_GID), getgid());
    CHECK_EQ(getauxval(AT_EGID), getegid());
    CHECK_EQ(getauxval(AT_SECURE), 0);
    unsigned eax = 1, ebx, ecx = 0, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    /* glibc answers getauxval(AT_HWCAP) from its own table. */
    for (size_t i = 0; i < count; i++)
        CHECK(vector[i].a_type != AT_HWCAP || vector[i].a_un.a_val == edx);

    Elf64_auxv_t seen[64];
    int file = open("/proc/self/auxv", O_RDONLY);
    CHECK_EQ(read(file, seen, sizeof seen), count * sizeof seen[0]);
    CHECK_EQ(memcmp(seen, vector, count * sizeof seen[0]), 0);
    close(file);
    return done();
}
