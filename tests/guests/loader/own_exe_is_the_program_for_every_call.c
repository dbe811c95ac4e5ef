// build: -O1
// Every call that takes a path and follows a link at its end finds the program at /proc/self/exe: attributes,
// times, rights, links, handles and watches are those of its file.
#include "check.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <utime.h>

#define EXE "/proc/self/exe"

static struct stat now_of(const char *path)
{
    struct stat found;
    CHECK_EQ(stat(path, &found), 0);
    return found;
}

static void looks(void)
{
    struct stat file = now_of("copy");
    struct statx more;
    CHECK_EQ(statx(AT_FDCWD, EXE, 0, STATX_INO, &more), 0);
    CHECK_EQ(more.stx_ino, file.st_ino);
    struct statfs own, exe;
    CHECK_EQ(statfs("copy", &own), 0);
    CHECK_EQ(statfs(EXE, &exe), 0);
    CHECK_EQ(memcmp(&own.f_fsid, &exe.f_fsid, sizeof own.f_fsid), 0);
    CHECK_EQ(chmod("copy", 0700), 0);
    CHECK_EQ(access(EXE, X_OK), 0);
    CHECK_EQ(RAW3(SYS_faccessat, AT_FDCWD, EXE, X_OK), 0);
    CHECK_EQ(RAW4(SYS_faccessat2, AT_FDCWD, EXE, X_OK, AT_EACCESS), 0);
    struct open_how how = {.flags = O_RDONLY};
    long opened = RAW4(SYS_openat2, AT_FDCWD, EXE, &how, sizeof how);
    CHECK(opened >= 0);
    struct stat found;
    CHECK_EQ(fstat((int)opened, &found), 0);
    CHECK_EQ(found.st_ino, file.st_ino);
    close((int)opened);
    how.resolve = RESOLVE_NO_MAGICLINKS;
    CHECK_EQ(RAW4(SYS_openat2, AT_FDCWD, EXE, &how, sizeof how), -ELOOP);
    CHECK_EQ(open(EXE, O_RDONLY | O_NOFOLLOW), -1);
    CHECK_EQ(errno, ELOOP);

    struct {
        struct file_handle head;
        unsigned char bytes[128];
    } by_name, by_link;
    int mount;
    by_name.head.handle_bytes = by_link.head.handle_bytes = sizeof by_name.bytes;
    int supported = name_to_handle_at(AT_FDCWD, "copy", &by_name.head, &mount, 0);
    CHECK_EQ(name_to_handle_at(AT_FDCWD, EXE, &by_link.head, &mount, AT_SYMLINK_FOLLOW), supported);
    if (supported == 0)
        CHECK_EQ(memcmp(&by_name, &by_link, sizeof(struct file_handle) + by_name.head.handle_bytes), 0);
}

static void changes_rights(void)
{
    CHECK_EQ(chmod(EXE, 0750), 0);
    CHECK_EQ(now_of("copy").st_mode & 07777, 0750);
    CHECK_EQ(RAW3(SYS_fchmodat, AT_FDCWD, EXE, 0710), 0);
    CHECK_EQ(now_of("copy").st_mode & 07777, 0710);
    long done = RAW4(452, AT_FDCWD, EXE, 0700, 0); /* fchmodat2 */
    CHECK(done == -ENOSYS || (now_of("copy").st_mode & 07777) == 0700);
    /* chown(2) of a program takes its set-id bits away. */
    CHECK_EQ(chmod("copy", 04755), 0);
    CHECK_EQ(chown(EXE, getuid(), (gid_t)-1), 0);
    CHECK_EQ(now_of("copy").st_mode & 07777, 0755);
    CHECK_EQ(chmod("copy", 04755), 0);
    CHECK_EQ(fchownat(AT_FDCWD, EXE, getuid(), (gid_t)-1, 0), 0);
    CHECK_EQ(now_of("copy").st_mode & 07777, 0755);
}

static void changes_times(void)
{
    struct utimbuf seconds = {1000, 2000};
    CHECK_EQ(RAW2(SYS_utime, EXE, &seconds), 0);
    CHECK_EQ(now_of("copy").st_mtime, 2000);
    struct timeval values[2] = {{3000, 0}, {4000, 0}};
    CHECK_EQ(RAW2(SYS_utimes, EXE, values), 0);
    CHECK_EQ(now_of("copy").st_mtime, 4000);
    values[1].tv_sec = 5000;
    CHECK_EQ(RAW3(SYS_futimesat, AT_FDCWD, EXE, values), 0);
    CHECK_EQ(now_of("copy").st_mtime, 5000);
    struct timespec times[2] = {{6000, 0}, {7000, 0}};
    CHECK_EQ(utimensat(AT_FDCWD, EXE, times, 0), 0);
    CHECK_EQ(now_of("copy").st_mtime, 7000);
    int file = open("copy", O_RDONLY);
    times[1].tv_sec = 8000;
    CHECK_EQ(futimens(file, times), 0);
    CHECK_EQ(now_of("copy").st_mtime, 8000);
    close(file);
}

static void changes_attributes(void)
{
    char value[8] = {0}, names[256];
    if (setxattr("copy", "user.by_name", "1", 1, 0) != 0)
        return;
    CHECK_EQ(getxattr(EXE, "user.by_name", value, sizeof value), 1);
    CHECK_EQ(value[0], '1');
    CHECK_EQ(setxattr(EXE, "user.by_link", "22", 2, 0), 0);
    CHECK_EQ(getxattr("copy", "user.by_link", value, sizeof value), 2);
    CHECK_EQ(listxattr(EXE, names, sizeof names), listxattr("copy", names, sizeof names));
    CHECK_EQ(removexattr(EXE, "user.by_name"), 0);
    CHECK_EQ(getxattr("copy", "user.by_name", value, sizeof value), -1);
}

static void links_and_watches(void)
{
    struct stat file = now_of("copy");
    CHECK_EQ(linkat(AT_FDCWD, EXE, AT_FDCWD, "second name", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(now_of("second name").st_ino, file.st_ino);
    CHECK_EQ(now_of(EXE).st_nlink, 2);
    CHECK_EQ(unlink("second name"), 0);
    int watches = inotify_init1(IN_NONBLOCK);
    CHECK(inotify_add_watch(watches, EXE, IN_ATTRIB) >= 0);
    CHECK_EQ(chmod("copy", 0700), 0);
    struct inotify_event event;
    CHECK_EQ(read(watches, &event, sizeof event), sizeof event);
    CHECK_EQ(event.mask, IN_ATTRIB);
    close(watches);
}

/* The program runs: the kernel lets nobody write to it. */
static void refuses_to_write(void)
{
    CHECK_EQ(open(EXE, O_WRONLY), -1);
    CHECK_EQ(errno, ETXTBSY);
    CHECK_EQ(open(EXE, O_RDONLY | O_TRUNC), -1);
    CHECK_EQ(errno, ETXTBSY);
    CHECK_EQ(creat(EXE, 0755), -1);
    CHECK_EQ(errno, ETXTBSY);
    CHECK_EQ(truncate(EXE, 0), -1);
    CHECK_EQ(errno, ETXTBSY);
    CHECK(now_of("copy").st_size > 0);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        struct stat info;
        int from = open(argv[0], O_RDONLY | O_CLOEXEC), to = open("copy", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        CHECK_EQ(fstat(from, &info), 0);
        CHECK_EQ(sendfile(to, from, NULL, (size_t)info.st_size), info.st_size);
        close(to);
        char *next[] = {"./copy", "again", NULL};
        execv("./copy", next);
        return 1;
    }
    looks();
    changes_rights();
    changes_times();
    changes_attributes();
    links_and_watches();
    if (geteuid() == 0)
        refuses_to_write();
    return done();
}
