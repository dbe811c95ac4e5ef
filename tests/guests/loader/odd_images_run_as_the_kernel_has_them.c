// build: -O1
// links: odd_image parts/odd_image.c -O1 -nostdlib -static -fno-pie -no-pie -fno-stack-protector
// stderr: any
// Images with headers that linkers do not make, and scripts with an empty argument: what runs sees what the kernel makes
// of it, and what cannot be loaded ends by the kernel's signal.
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static unsigned char image[1 << 17];
static size_t length;
static char original[4096];

static Elf64_Ehdr *header(void)
{
    return (Elf64_Ehdr *)image;
}

static Elf64_Phdr *entry(int index)
{
    return (Elf64_Phdr *)(image + header()->e_phoff) + index;
}

/* The entry with this type and these flags. */
static Elf64_Phdr *segment(unsigned type, unsigned flags)
{
    for (int i = 0; i < header()->e_phnum; i++)
        if (entry(i)->p_type == type && (flags == 0 || entry(i)->p_flags == flags))
            return entry(i);
    CHECK(!"there is such a segment");
    return NULL;
}

static void read_original(void)
{
    int file = open(original, O_RDONLY);
    ssize_t got = read(file, image, sizeof image);
    CHECK(got > 0 && (size_t)got < sizeof image);
    length = (size_t)got;
    close(file);
}

static void execute(const char *what, rlim_t data)
{
    int file = open("odd", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755), status;
    CHECK_EQ(write(file, image, length), length);
    close(file);
    printf("%s\n", what);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {data, data};
        if (data)
            setrlimit(RLIMIT_DATA, &limit);
        execl("./odd", "odd", "word", NULL);
        _exit(errno);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    printf("status %x\n", status);
    read_original();
}

int main(int argc, char **argv)
{
    (void)argc;
    snprintf(original, sizeof original, "%s/odd_image", dirname(argv[0]));
    read_original();
    execute("as it was", 0);
    Elf64_Phdr *stack = segment(PT_GNU_STACK, 0);
    stack->p_type = PT_PHDR, stack->p_vaddr = 0x1234;
    execute("a header about the headers that lies", 0);
    segment(PT_LOAD, PF_R)->p_type = PT_NULL;
    execute("headers in no segment", 0);
    segment(PT_LOAD, PF_R | PF_W)->p_flags = PF_R | PF_X;
    execute("a segment without write access, with more memory than file", 0);
    segment(PT_LOAD, PF_R | PF_W)->p_align = 1ul << 52;
    execute("a wide alignment", 0);
    segment(PT_LOAD, PF_R | PF_W)->p_memsz += 1ul << 32;
    execute("more memory than the limit allows", 1 << 28);
    length = segment(PT_LOAD, PF_R | PF_W)->p_offset;
    execute("a segment beyond the file's end", 0);
    segment(PT_LOAD, PF_R | PF_W)->p_vaddr += 1ul << 50;
    execute("a segment at no address", 0);
    const char script[] = "#!/bin/echo \0hidden\n";
    memcpy(image, script, sizeof script), length = sizeof script;
    execute("an empty argument", 0);
    return done();
}
