// build: -O1
// Memory files are read and written in small pieces and sealed then: a seal is granted as natively, no hidden mapping or
// writer is in its way, and counts from that moment on.
#include "files.h"
#include <linux/memfd.h>
#include <sys/mman.h>

static int make(void)
{
    int fd = (int)syscall(SYS_memfd_create, "sealed", MFD_ALLOW_SEALING);
    unsigned char bytes[10000];
    for (int i = 0; i < 10000; i++)
        bytes[i] = byte_at(i);
    CHECK_EQ(write(fd, bytes, sizeof bytes), sizeof bytes);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    write_burst(fd, 0, MANY, 5);
    pread_burst(fd, 10000, MANY, 5);
    for (int i = 0; i < MANY; i++)
        touch_byte(fd, i);
    return fd;
}

static void show(const char *what, long result)
{
    printf("  %s = %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

static void use(int fd)
{
    show("write in place", pwrite(fd, "x", 1, 5000));
    show("write over the end", pwrite(fd, "xyz", 3, 9999));
    show("write after the end", pwrite(fd, "x", 1, 12000));
    show("grow", ftruncate(fd, 15000));
    show("shrink", ftruncate(fd, 9000));
    show("size", size_of(fd));
    show("seals", fcntl(fd, F_GET_SEALS));
    unsigned char byte;
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pread(fd, &byte, 1, i), 1);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    show("writable mapping", page == MAP_FAILED ? -1 : 0);
    if (page != MAP_FAILED)
        munmap(page, 4096);
}

int main(void)
{
    static const unsigned seals[] = {F_SEAL_WRITE, F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_GROW | F_SEAL_SHRINK,
                                     F_SEAL_FUTURE_WRITE, F_SEAL_SEAL, F_SEAL_SEAL | F_SEAL_WRITE};
    for (unsigned i = 0; i < sizeof seals / sizeof *seals; i++) {
        int fd = make();
        printf("seals %#x\n", seals[i]);
        show("seal", fcntl(fd, F_ADD_SEALS, seals[i]));
        use(fd);
        show("seal again", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
        use(fd);
        close(fd);
    }
    /* The program's own writable mapping is in the way, as natively; without it not any more. */
    int fd = make();
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(page != MAP_FAILED);
    pread_burst(fd, 10000, MANY, 5);
    show("seal under a mapping", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    munmap(page, 4096);
    show("seal without it", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    close(fd);
    return done();
}
