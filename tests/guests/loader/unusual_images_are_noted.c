// build: -O1
// native: /many more program headers than the runtime reads
// native: /disorder segments out of order
// native: /long_path a longer path of an interpreter than the runtime reads
// Images that the kernel runs and the runtime does not are left to it: many program headers, segments out of order, a
// long path of an interpreter.
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BASE 0x10000000ul
#define CODE 0x1000
#define DATA 0x2000
#define SIZE 0x3000
#define STATUS 3

/* exit_group(STATUS) */
static const unsigned char code[] = {0xb8, 231, 0, 0, 0, 0xbf, STATUS, 0, 0, 0, 0x0f, 0x05};

static Elf64_Phdr segment(uint32_t flags, size_t at)
{
    return (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = flags, .p_offset = at, .p_vaddr = BASE + at, .p_paddr = BASE + at,
                        .p_filesz = 0x100, .p_memsz = 0x100, .p_align = 0x1000};
}

static void write_image(const char *name, const Elf64_Phdr *headers, size_t count, const char *interpreter)
{
    static unsigned char image[1 << 17];
    memset(image, 0, sizeof image);
    size_t table = interpreter != NULL ? SIZE + 0x2000 : SIZE;
    *(Elf64_Ehdr *)image = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC, .e_machine = EM_X86_64,
        .e_version = EV_CURRENT, .e_entry = BASE + CODE, .e_phoff = table, .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = (uint16_t)count};
    memcpy(image + CODE, code, sizeof code);
    memcpy(image + table, headers, count * sizeof *headers);
    if (interpreter != NULL)
        strcpy((char *)image + SIZE, interpreter);
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
    size_t length = table + count * sizeof *headers;
    CHECK_EQ(write(file, image, length), length);
    close(file);
}

static void run(char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *next[] = {path, NULL};
        execv(path, next);
        _exit(errno);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == STATUS)
        printf("%s: ran\n", path);
    else
        printf("%s: %s\n", path, strerror(WEXITSTATUS(status)));
}

int main(void)
{
    static Elf64_Phdr headers[1200];
    const Elf64_Phdr text = segment(PF_R | PF_X, CODE), data = segment(PF_R | PF_W, DATA);
    headers[0] = text, headers[1] = data;
    write_image("ordinary", headers, 2, NULL);
    run("./ordinary");
    write_image("many", headers, 100, NULL);
    run("./many");
    write_image("too_many", headers, 1200, NULL);
    run("./too_many");
    headers[0] = data, headers[1] = text;
    write_image("disorder", headers, 2, NULL);
    run("./disorder");

    /* The image of the interpreter is the ordinary one at another place. */
    char path[5000] = {0};
    Elf64_Phdr other = text;
    other.p_vaddr += 0x100000;
    headers[0] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = SIZE};
    headers[1] = other;
    for (int i = 0; i < 1000; i += 2)
        memcpy(path + i, "./", 2);
    strcpy(path + 1000, "ordinary");
    headers[0].p_filesz = strlen(path) + 1;
    write_image("long_path", headers, 2, path);
    run("./long_path");
    for (int i = 0; i < 4100; i += 2)
        memcpy(path + i, "./", 2);
    strcpy(path + 4100, "ordinary");
    headers[0].p_filesz = strlen(path) + 1;
    write_image("longer_path", headers, 2, path);
    run("./longer_path");
    headers[0].p_filesz = strlen(strcpy(path, "./ordinary")) + 1;
    write_image("short_path", headers, 2, path);
    run("./short_path");
    return done();
}
