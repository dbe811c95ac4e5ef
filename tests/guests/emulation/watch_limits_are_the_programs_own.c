// build: -O1
// In a user namespace that may have three inotify instances a program has three, whatever the runtime watches for it; and reads go on
// right, before and after.
#include "files.h"
#include <linux/aio_abi.h>
#include <sched.h>
#include <sys/inotify.h>

static void write_line(const char *path, const char *text)
{
    int file = open(path, O_WRONLY);
    CHECK(file >= 0);
    CHECK_EQ(write(file, text, strlen(text)), (long)strlen(text));
    close(file);
}

int main(void)
{
    char map[64];
    snprintf(map, sizeof map, "0 %d 1", (int)getuid());
    CHECK_EQ(unshare(CLONE_NEWUSER), 0);
    write_line("/proc/self/uid_map", map);
    write_line("/proc/sys/user/max_inotify_instances", "3");
    make_file("data", 20000);
    int file = open("data", O_RDWR);
    pread_burst(file, 20000, 3 * MANY, 3);
    int instances[3];
    for (int i = 0; i < 3; i++) {
        instances[i] = inotify_init1(IN_CLOEXEC);
        CHECK(instances[i] >= 0);
    }
    CHECK_EQ(inotify_init1(IN_CLOEXEC), -1);
    CHECK_EQ(errno, EMFILE);
    pread_burst(file, 20000, 3 * MANY, 3);
    CHECK_EQ(ftruncate(file, 10), 0);
    char bytes[16];
    CHECK_EQ(pread(file, bytes, 16, 0), 10);
    close(instances[0]);
    make_file("data", 20000);
    pread_burst(file, 20000, 3 * MANY, 3);
    aio_context_t context = 0;
    CHECK_EQ(syscall(SYS_io_setup, 4, &context), 0);
    CHECK_EQ(syscall(SYS_io_destroy, context), 0);
    unlink("data");
    return done();
}
