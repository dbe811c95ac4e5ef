// build: -O1
// The program's own mappings of a file show what bursts write, and bursts read what the program stores; private mappings,
// truncation under a mapping and copies by the kernel behave as natively.
#include "files.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

static sigjmp_buf back;

static void on_bus(int signal, siginfo_t *info, void *context)
{
    (void)context;
    CHECK_EQ(signal, SIGBUS);
    printf("SIGBUS, code %d\n", info->si_code);
    siglongjmp(back, 1);
}

int main(void)
{
    make_file("data", 12288);
    on_signal(SIGBUS, on_bus, SA_NODEFER);
    int fd = open("data", O_RDWR);
    write_burst(fd, 0, MANY, 10);
    volatile unsigned char *shared = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    volatile unsigned char *copy = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && copy != MAP_FAILED);
    for (int i = 0; i < MANY; i++) {
        unsigned char byte = (unsigned char)i;
        CHECK_EQ(pwrite(fd, &byte, 1, 5000 + i), 1);
        CHECK_EQ(shared[5000 + i], byte);
        CHECK_EQ(copy[5000 + i], byte);
        shared[6000 + i] = byte;
        CHECK_EQ(pread(fd, &byte, 1, 6000 + i), 1);
        CHECK_EQ(byte, (unsigned char)i);
    }
    copy[0] = (unsigned char)~byte_at(0);
    unsigned char byte;
    CHECK_EQ(pread(fd, &byte, 1, 0), 1);
    CHECK_EQ(byte, byte_at(0));
    CHECK_EQ(pwrite(fd, "n", 1, 0), 1);
    CHECK_EQ(copy[0], (unsigned char)~byte_at(0));
    CHECK_EQ(shared[0], 'n');
    touch_byte(fd, 0);
    /* The buffer of a read or write is a mapping of the same file. */
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(read(fd, (void *)(shared + 8192 + i), 2), 2);
        CHECK_EQ(shared[8192 + i], byte_at(2 * i));
    }
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pwrite(fd, (void *)(shared + i), 3, 9000 + i * 3), 3);
    CHECK_EQ(shared[9000 + 299 * 3], byte_at(299));
    /* Copies that the kernel makes. */
    int other = open("other", O_RDWR | O_CREAT | O_TRUNC, 0644);
    for (int i = 0; i < 20; i++) {
        unsigned char value = (unsigned char)(i + 100);
        for (int k = 0; k < 20; k++)
            CHECK_EQ(pwrite(fd, &value, 1, 100), 1);
        loff_t from = 100, to = i;
        CHECK_EQ(copy_file_range(fd, &from, other, &to, 1, 0), 1);
        off_t at = 100;
        CHECK_EQ(lseek(other, 50 + i, SEEK_SET), 50 + i);
        CHECK_EQ(sendfile(other, fd, &at, 1), 1);
        CHECK_EQ(pread(other, &byte, 1, i), 1);
        CHECK_EQ(byte, value);
        CHECK_EQ(pread(other, &byte, 1, 50 + i), 1);
        CHECK_EQ(byte, value);
        /* Without an offset they move that of the descriptor. */
        long before = offset_of(fd);
        CHECK_EQ(sendfile(other, fd, NULL, 10), 10);
        CHECK_EQ(offset_of(fd), before + 10);
    }
    /* A truncated file: the mapping faults, reads end, and nothing else happens. */
    pread_burst(fd, 4096, 0, 1);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pread(fd, &byte, 1, 8192 + i), 1);
    CHECK_EQ(ftruncate(fd, 4096), 0);
    CHECK_EQ(pread(fd, &byte, 1, 8192), 0);
    if (sigsetjmp(back, 1) == 0)
        CHECK_EQ(shared[8192], 0);
    CHECK_EQ(RAW4(SYS_pread64, fd, shared + 8192, 10, 0), -EFAULT);
    CHECK_EQ(RAW4(SYS_pwrite64, fd, shared + 8192, 10, 0), -EFAULT);
    CHECK_EQ(ftruncate(fd, 12288), 0);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(pread(fd, &byte, 1, 8192 + i), 1);
        CHECK_EQ(byte, 0);
        CHECK_EQ(shared[8192 + i], 0);
    }
    munmap((void *)shared, 12288);
    munmap((void *)copy, 12288);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pread(fd, &byte, 1, 8192 + i), 1);
    close(fd);
    close(other);
    return done();
}
