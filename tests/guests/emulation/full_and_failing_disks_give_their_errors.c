// build: -O1
// options: --no-follow
// A file system without room and a disk that cannot be read any more, each met in the middle of a burst: every call gives the kernel's error,
// offsets and contents stay as they are natively. Needs the right to mount; without it both runs say so.
#include "files.h"
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define SHOW(call)                                                                                                                  \
    do {                                                                                                                            \
        errno = 0;                                                                                                                  \
        long result_ = (long)(call);                                                                                                \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : "");                                         \
    } while (0)

static void full(void)
{
    CHECK_EQ(mkdir("full", 0755), 0);
    CHECK_EQ(mount("none", "full", "tmpfs", 0, "size=256k"), 0);
    make_file("full/data", 64 * 1024);
    int fd = open("full/data", O_RDWR);
    CHECK(fd >= 0);
    write_burst(fd, 0, MANY * 2, 100);
    read_burst(fd, MANY * 200, 10, 100);
    /* Somebody else takes all the room. */
    int other = open("full/rest", O_WRONLY | O_CREAT, 0644);
    static char page[4096];
    while (write(other, page, sizeof page) > 0)
        ;
    CHECK_EQ(errno, ENOSPC);
    /* What is there already needs none. */
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    write_burst(fd, 0, MANY * 2, 100);
    CHECK_EQ(lseek(fd, -10, SEEK_END), 64 * 1024 - 10);
    SHOW(write(fd, page, 10));
    SHOW(write(fd, page, 1));
    SHOW(offset_of(fd));
    CHECK_EQ(lseek(fd, -10, SEEK_END), 64 * 1024 - 10);
    SHOW(write(fd, page, 4000));
    SHOW(offset_of(fd));
    SHOW(pwrite(fd, page, 4000, 64 * 1024 - 10));
    SHOW(pwrite(fd, page, 100, 1 << 20));
    SHOW(size_of(fd));
    /* A hole without room for it. */
    SHOW(ftruncate(fd, 128 * 1024));
    for (int k = 0; k < MANY; k++)
        CHECK_EQ(pwrite(fd, page, 100, k * 100), 100);
    SHOW(pwrite(fd, page, 100, 100 * 1024));
    unsigned char bytes[100];
    SHOW(pread(fd, bytes, sizeof bytes, 100 * 1024));
    close(fd);
    close(other);
    CHECK_EQ(umount("full"), 0);
}

/* Longer than what is read ahead. */
#define LENGTH (16L << 20)

/* Where the file's byte 0 lies on its device. */
static long place_of(int fd)
{
    struct {
        struct fiemap map;
        struct fiemap_extent extent;
    } ask = {.map = {.fm_length = ~0ULL, .fm_extent_count = 1}};
    CHECK_EQ(ioctl(fd, FS_IOC_FIEMAP, &ask), 0);
    CHECK_EQ(ask.map.fm_mapped_extents, 1);
    CHECK(ask.extent.fe_length >= LENGTH);
    return (long)ask.extent.fe_physical;
}

static int run(const char *command)
{
    fflush(stdout);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void failing(int flags)
{
    if (run("mkdir -p disk && truncate -s 32M image && mkfs.ext4 -q -F -b 4096 -O ^has_journal image 2>/dev/null && mount -o loop image disk 2>/dev/null")) {
        printf("no disk\n");
        return;
    }
    make_file("disk/data", LENGTH);
    int fd = open("disk/data", O_RDONLY);
    CHECK_EQ(fsync(fd), 0);
    long place = place_of(fd);
    close(fd);
    /* Mounted anew, nothing of it is in memory. */
    CHECK_EQ(run("umount disk && mount -o loop image disk"), 0);
    fd = open("disk/data", flags);
    CHECK(fd >= 0);
    CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), 0);
    read_burst(fd, 0, MANY * 3, 16);
    /* The second half of the file is gone from the disk, though not from what the file system knows. */
    CHECK_EQ(truncate("image", place + LENGTH / 2), 0);
    unsigned char bytes[5000];
    for (int k = 0; k < 3; k++) {
        SHOW(pread(fd, bytes, 16, LENGTH - 100000));
        SHOW(read(fd, bytes, 16));
        SHOW(offset_of(fd));
        CHECK_EQ(lseek(fd, LENGTH - 300000, SEEK_SET), LENGTH - 300000);
        SHOW(read(fd, bytes, 16));
        SHOW(offset_of(fd));
        SHOW(pread(fd, bytes, 5000, LENGTH - 10000));
        CHECK_EQ(lseek(fd, MANY * 16, SEEK_SET), MANY * 16);
        read_burst(fd, MANY * 16, MANY, 16);
    }
    if (flags == O_RDWR) {
        /* In memory, so it can be written; in the second half it cannot even be read first. */
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        write_burst(fd, 0, MANY, 16);
        SHOW(pwrite(fd, bytes, 16, LENGTH - 500000));
    }
    close(fd);
    CHECK_EQ(run("umount -l disk && rm image"), 0);
}

int main(void)
{
    /* In a mount namespace of its own: whatever becomes of the test, nothing stays mounted. */
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        printf("no mounts: %s\n", strerrorname_np(errno));
        return done();
    }
    full();
    failing(O_RDONLY);
    failing(O_RDWR);
    return done();
}
