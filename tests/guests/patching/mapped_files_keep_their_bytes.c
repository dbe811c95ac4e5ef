// build: -O1 -static -no-pie
// A program without a loader reads the files that it maps executable, as emulators and instrumentation tools do: it finds every
// byte as it is in the file. If it executes them, it does what the file says.
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* mov $110, %eax; syscall; ret: three times, and calls of other shapes. */
static const unsigned char code[] = {
    0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3, /* getppid */
    0x31, 0xc0, 0xb0, 110, 0x0f, 0x05, 0xc3, 0xcc, /* by al */
    0xb8, 110, 0, 0, 0, 0xeb, 0, 0x0f, 0x05, 0xc3, /* behind a jump */
};

static void same_as_file(int file)
{
    struct stat status;
    CHECK_EQ(fstat(file, &status), 0);
    size_t size = (size_t)status.st_size;
    unsigned char *mapped = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    CHECK(mapped != MAP_FAILED);
    unsigned char *bytes = malloc(size);
    CHECK_EQ(pread(file, bytes, size, 0), size);
    CHECK_EQ(memcmp(mapped, bytes, size), 0);
    munmap(mapped, size);
    free(bytes);
}

int main(void)
{
    int own = open("/proc/self/exe", O_RDONLY), shell = open("/bin/sh", O_RDONLY);
    same_as_file(own);
    same_as_file(shell);
    int file = open("code", O_CREAT | O_TRUNC | O_RDWR, 0700);
    CHECK_EQ(write(file, code, sizeof code), sizeof code);
    same_as_file(file);
    unsigned char *mapped = mmap(NULL, sizeof code, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    CHECK(mapped != MAP_FAILED);
    static const int starts[] = {0, 8, 16};
    for (int round = 0; round < 100; round++)
        for (int i = 0; i < 3; i++)
            CHECK_EQ(((long (*)(void))(void *)(mapped + starts[i]))(), getppid());
    CHECK_EQ(memcmp(mapped, code, sizeof code), 0);
    unlink("code");
    return done();
}
