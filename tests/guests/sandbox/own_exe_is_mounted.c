// build: -O1
// A container runtime binds its own program somewhere else: /proc/self/exe as source and as target of mounts.
#include "check.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define EXE "/proc/self/exe"

static struct stat now_of(const char *path)
{
    struct stat found;
    CHECK_EQ(stat(path, &found), 0);
    return found;
}

static void make_file(const char *name)
{
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
    CHECK(file >= 0);
    close(file);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        char map[64];
        int user = (int)geteuid();
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
            printf("no user namespace: %s\n", strerror(errno));
            return 0;
        }
        snprintf(map, sizeof map, "0 %d 1", user);
        int file = open("/proc/self/uid_map", O_WRONLY);
        CHECK_EQ(write(file, map, strlen(map)), strlen(map));
        close(file);
        /* Only a file of the namespace's own mounts is bound there. */
        char *next[] = {argv[0], "inside", NULL};
        execv(argv[0], next);
        return 1;
    }
    CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    struct stat program = now_of(EXE);
    make_file("bound");
    CHECK_EQ(mount(EXE, "bound", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(now_of("bound").st_ino, program.st_ino);
    CHECK_EQ(mount(NULL, "bound", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
    CHECK_EQ(umount2("bound", MNT_DETACH), 0);

    int tree = (int)RAW3(SYS_open_tree, AT_FDCWD, EXE, 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC);
    CHECK(tree >= 0);
    CHECK_EQ(raw(SYS_move_mount, tree, (long)"", AT_FDCWD, (long)"bound", 4 /* F_EMPTY_PATH */, 0), 0);
    CHECK_EQ(now_of("bound").st_ino, program.st_ino);
    CHECK_EQ(umount2("bound", MNT_DETACH), 0);

    /* The way of containers: a sealed copy over the own program. */
    make_file("over");
    ino_t over = now_of("over").st_ino;
    char path[4096] = {0};
    CHECK(readlink(EXE, path, sizeof path - 1) > 0);
    CHECK_EQ(mount("over", EXE, NULL, MS_BIND, NULL), 0);
    CHECK_EQ(now_of(path).st_ino, over);
    CHECK_EQ(now_of(EXE).st_ino, program.st_ino);
    CHECK_EQ(umount2(path, MNT_DETACH), 0);
    CHECK_EQ(now_of(path).st_ino, program.st_ino);
    return done();
}
