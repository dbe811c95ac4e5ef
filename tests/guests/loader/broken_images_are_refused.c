// build: -O1
// execve of what is no program gives the kernel's own errors and leaves the caller running.
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

extern char **environ;

static void try_image(const char *name, const void *bytes, size_t length, mode_t mode)
{
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(file, bytes, length), length);
    fchmod(file, mode);
    close(file);
    char *argv[] = {(char *)name, NULL};
    errno = 0;
    CHECK_EQ(execve(name, argv, environ), -1);
    printf("%s: %s\n", name, strerror(errno));
}

int main(int argc, char **argv)
{
    (void)argc;
    static unsigned char image[1 << 20], changed[1 << 20];
    int file = open(argv[0], O_RDONLY);
    ssize_t length = read(file, image, sizeof image);
    CHECK(length > 4096);
    close(file);
#define CHANGED(statement)                                                                         \
    memcpy(changed, image, (size_t)length);                                                        \
    {                                                                                              \
        Elf64_Ehdr *header = (Elf64_Ehdr *)changed;                                                \
        Elf64_Phdr *program = (Elf64_Phdr *)(changed + header->e_phoff);                           \
        (void)program;                                                                             \
        statement;                                                                                 \
    }
    try_image("truncated_magic", image, 3, 0755);
    try_image("truncated_header", image, 40, 0755);
    try_image("truncated_program_headers", image, 100, 0755);
    CHANGED(header->e_machine = EM_AARCH64);
    try_image("other_machine", changed, (size_t)length, 0755);
    CHANGED(header->e_type = ET_REL);
    try_image("object_file", changed, (size_t)length, 0755);
    CHANGED(header->e_phentsize = 12);
    try_image("wrong_entry_size", changed, (size_t)length, 0755);
    CHANGED(header->e_phnum = 0);
    try_image("no_program_headers", changed, (size_t)length, 0755);
    CHANGED(for (int i = 0; i < header->e_phnum; i++) if (program[i].p_type == PT_INTERP)
                strcpy((char *)changed + program[i].p_offset, "/no/such/ld.so"));
    try_image("missing_interpreter", changed, (size_t)length, 0755);
    CHANGED(for (int i = 0; i < header->e_phnum; i++) if (program[i].p_type == PT_INTERP)
                program[i].p_filesz = 1);
    try_image("empty_interpreter_name", changed, (size_t)length, 0755);
    CHANGED(for (int i = 0; i < header->e_phnum; i++) if (program[i].p_type == PT_INTERP)
                strcpy((char *)changed + program[i].p_offset, "/etc/passwd"));
    try_image("interpreter_is_text", changed, (size_t)length, 0755);
    try_image("no_permission", image, (size_t)length, 0644);
    char *none[] = {"x", NULL};
    CHECK_EQ(execve("/", none, environ), -1);
    CHECK_EQ(errno, EACCES);
    CHECK_EQ(execve("", none, environ), -1);
    CHECK_EQ(errno, ENOENT);
    CHECK_EQ(RAW3(SYS_execve, 8, none, environ), -EFAULT);
    CHECK_EQ(RAW3(SYS_execve, argv[0], 8, environ), -EFAULT);
    CHECK_EQ(RAW3(SYS_execve, argv[0], none, 8), -EFAULT);
    return done();
}
