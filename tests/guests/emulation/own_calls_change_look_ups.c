// build: -O1
// A process that was told many times that a name is absent changes its directory, its root or its rights, or makes the name itself,
// by a call, by a child, by AIO's way of no call: the next look-up says what is true then.
#include "names.h"
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/wait.h>

static void in_a_child(void (*does)(void))
{
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        does();
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static void with_another_root(void)
{
    look_often("/only", -ENOENT);
    if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
        return;
    CHECK_EQ(chroot("jail"), 0);
    look_once("/only", 0);
}

static void as_nobody(void)
{
    if (geteuid() != 0)
        return;
    look_often("closed/x", -ENOENT);
    CHECK_EQ(setfsuid(65533), 0);
    CHECK_EQ(look("closed/x"), -EACCES);
    CHECK_EQ(setfsuid(0), 65533);
    look_often("closed/x", -ENOENT);
    CHECK_EQ(setresuid((uid_t)-1, 65533, (uid_t)-1), 0);
    CHECK_EQ(look("closed/x"), -EACCES);
    CHECK_EQ(seteuid(0), 0);
    look_often("closed/x", -ENOENT);
    for (int i = 0; i < OFTEN; i++)
        CHECK_EQ(may("rights", X_OK | R_OK), 0);
    CHECK_EQ(setuid(65533), 0);
    look_once("closed/x", -EACCES);
    CHECK_EQ(may("rights", X_OK | R_OK), -EACCES);
}

static void makes_it(void)
{
    make_empty("by-a-child");
}

static void looks_and_makes(void)
{
    look_once("by-nobody", -ENOENT);
    look_often("by-nobody", -ENOENT);
    make_empty("by-nobody");
    look_once("by-nobody", 0);
}

int main(void)
{
    CHECK_EQ(mkdir("one", 0755) | mkdir("two", 0755) | mkdir("jail", 0755) | mkdir("closed", 0700), 0);
    make_empty("two/x");
    make_empty("jail/only");
    make_empty("rights");
    CHECK_EQ(chmod("rights", 0700), 0);

    CHECK_EQ(chdir("one"), 0);
    look_often("x", -ENOENT);
    CHECK_EQ(chdir("../two"), 0);
    look_once("x", 0);
    int one = open("../one", O_RDONLY | O_DIRECTORY);
    look_often("y", -ENOENT);
    CHECK_EQ(fchdir(one), 0);
    look_once("x", -ENOENT);
    look_often("x", -ENOENT);
    make_empty("x");
    look_once("x", 0);
    CHECK_EQ(unlink("x"), 0);
    look_once("x", -ENOENT);
    CHECK_EQ(chdir(".."), 0);
    close(one);

    /* A directory's number does not lead to where the process is. */
    int two = open("two", O_RDONLY | O_DIRECTORY);
    look_often("x", -ENOENT);
    for (int i = 0; i < OFTEN; i++) {
        struct stat stat;
        CHECK_EQ(RAW4(SYS_newfstatat, two, "x", &stat, 0), 0);
        CHECK_EQ(RAW4(SYS_newfstatat, AT_FDCWD, "x", &stat, 0), -ENOENT);
        CHECK_EQ(RAW4(SYS_newfstatat, 777, "x", &stat, 0), -EBADF);
    }
    close(two);

    look_often("by-a-child", -ENOENT);
    in_a_child(makes_it);
    look_once("by-a-child", 0);
    look_often("by-nobody", -ENOENT);
    in_a_child(looks_and_makes);
    look_once("by-nobody", 0);
    in_a_child(with_another_root);
    in_a_child(as_nobody);

    /* Arguments count. */
    look_often("absent", -ENOENT);
    struct stat stat;
    char long_name[300];
    memset(long_name, 'n', sizeof long_name);
    long_name[299] = 0;
    for (int i = 0; i < OFTEN; i++) {
        CHECK_EQ(may("absent", 8), -EINVAL);
        CHECK_EQ(RAW4(SYS_newfstatat, AT_FDCWD, "absent", &stat, 0x40000000), -EINVAL);
        CHECK_EQ(RAW4(SYS_newfstatat, AT_FDCWD, "absent", &stat, 0), -ENOENT);
        CHECK_EQ(RAW3(SYS_readlink, "absent", long_name + 200, 0), -EINVAL);
        CHECK_EQ(RAW3(SYS_readlink, "absent", long_name + 200, 10), -ENOENT);
        CHECK_EQ(look((char *)8), -EFAULT);
        CHECK_EQ(look(""), -ENOENT);
        CHECK_EQ(look(long_name), -ENAMETOOLONG);
        CHECK_EQ(try_open("absent"), -ENOENT);
        /* With the flag that makes it the same name is another question. */
        if (i % 100 == 99) {
            long fd = RAW3(SYS_open, "absent", O_CREAT | O_EXCL | O_RDWR, 0600);
            CHECK(fd >= 0);
            CHECK_EQ(close((int)fd), 0);
            CHECK_EQ(try_open("absent"), 0);
            CHECK_EQ(unlink("absent"), 0);
        }
    }
    /* As many descriptors as are allowed: that is found first. */
    struct rlimit_ { unsigned long soft, hard; } limit;
    CHECK_EQ(RAW4(SYS_prlimit64, 0, 7, 0, &limit), 0);
    limit.soft = 64;
    CHECK_EQ(RAW4(SYS_prlimit64, 0, 7, &limit, 0), 0);
    while (try_open("/") == 0 && open("/", O_RDONLY) >= 0)
        ;
    CHECK_EQ(try_open("absent"), -EMFILE);
    CHECK_EQ(look("absent"), -ENOENT);
    return done();
}
