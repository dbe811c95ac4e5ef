// build: -O1
// options: --no-follow
// A name that was absent many times is there as soon as another process has mounted something over a directory of its path, or has
// unmounted it; rights to execute go with a mount that forbids it. Where no mounts may be made nothing is mounted.
#include "names.h"
#include "partner.h"
#include <sched.h>
#include <sys/mount.h>

enum { MOUNT = 1, UNMOUNT, FORBID, ALLOW };

static long answer(int question, long argument)
{
    (void)argument;
    switch (question) {
    case MOUNT: return mount("full", "d/empty", NULL, MS_BIND, NULL);
    case UNMOUNT: return umount2("d/empty", MNT_DETACH);
    case FORBID: return mount(NULL, "d/empty", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL);
    default: return mount(NULL, "d/empty", NULL, MS_REMOUNT | MS_BIND, NULL);
    }
}

static void write_line(const char *path, const char *text)
{
    int file = open(path, O_WRONLY);
    CHECK(file >= 0);
    CHECK_EQ(write(file, text, strlen(text)), (long)strlen(text));
    close(file);
}

int main(int argc, char **argv)
{
    /* Both are in a namespace of their own: the partner begins in it. */
    if (argc == 1) {
        char map[64];
        int is_root = geteuid() == 0;
        snprintf(map, sizeof map, "0 %d 1", (int)getuid());
        if (unshare(is_root ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0)
            return done();
        if (!is_root)
            write_line("/proc/self/uid_map", map);
        CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    }
    start_partner(argc, argv);
    CHECK_EQ(mkdir("d", 0755) | mkdir("d/empty", 0755) | mkdir("full", 0755), 0);
    make_empty("full/x");
    CHECK_EQ(chmod("full/x", 0755), 0);
    for (int i = 0; i < 20; i++) {
        look_often("d/empty/x", -ENOENT);
        CHECK_EQ(ask(MOUNT, 0), 0);
        look_once("d/empty/x", 0);
        for (int n = 0; n < OFTEN; n++)
            CHECK_EQ(may("d/empty/x", X_OK), 0);
        CHECK_EQ(ask(FORBID, 0), 0);
        CHECK_EQ(may("d/empty/x", X_OK), -EACCES);
        CHECK_EQ(ask(ALLOW, 0), 0);
        for (int n = 0; n < OFTEN; n++)
            CHECK_EQ(may("d/empty/x", X_OK), 0);
        CHECK_EQ(ask(UNMOUNT, 0), 0);
        look_once("d/empty/x", -ENOENT);
        /* Its own mounts. */
        look_often("d/empty/x", -ENOENT);
        CHECK_EQ(mount("full", "d/empty", NULL, MS_BIND, NULL), 0);
        look_once("d/empty/x", 0);
        look_often("d/empty/y", -ENOENT);
        make_empty("full/y");
        look_once("d/empty/y", 0);
        CHECK_EQ(unlink("full/y"), 0);
        CHECK_EQ(umount2("d/empty", 0), 0);
        look_once("d/empty/x", -ENOENT);
    }
    return done_with_partner();
}
