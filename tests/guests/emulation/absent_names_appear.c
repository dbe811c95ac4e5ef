// build: -O1
// options: --no-follow
// A name that was looked for in vain many times is found as soon as another process has made it, by whatever call; a directory on
// its way is renamed, replaced, removed, closed; a link on its way leads elsewhere.
#include "names.h"
#include "partner.h"
#include <sys/un.h>
#include <sys/socket.h>

enum { CREATE = 1, RENAME, LINK, SYMLINK, MKDIR, MKNOD, TMPFILE, BIND, REMOVE, RUN };

static const char *const commands[] = {
    "mv a moved",                             /* 0 */
    "mkdir -p fresh/b && touch fresh/b/x && mv fresh a", /* 1 */
    "rm -r a && mv moved a",                  /* 2 */
    "mv -T a/b a/c",                          /* 3 */
    "mv -T a/c a/b",                          /* 4 */
    "chmod 0 a",                              /* 5 */
    "chmod 755 a",                            /* 6 */
    "ln -sfn there way",                      /* 7 */
    "ln -sfn a way",                          /* 8 */
    "touch there/b/x",                        /* 9 */
    "mv other/inner in",                      /* 10 */
    "touch other/x",                          /* 11 */
    "mv in other/inner",                      /* 12 */
    "rm other/x",                             /* 13 */
    "rm plain && mkdir plain && touch plain/x", /* 14 */
};

static long answer(int question, long argument)
{
    const char *name = (const char *)board->marks;
    (void)argument;
    switch (question) {
    case CREATE: make_empty(name); return 0;
    case RENAME: make_empty("ready"); return rename("ready", name);
    case LINK: make_empty("ready"); return link("ready", name) | unlink("ready");
    case SYMLINK: return symlink("/etc/passwd", name);
    case MKDIR: return mkdir(name, 0755);
    case MKNOD: return mknod(name, S_IFREG | 0644, 0);
    case TMPFILE: {
        int fd = open(".", O_TMPFILE | O_RDWR, 0644);
        char path[64];
        if (fd < 0)
            return mknod(name, S_IFREG | 0644, 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        long made = linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
        close(fd);
        return made;
    }
    case BIND: {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strcpy(address.sun_path, name);
        long made = bind(fd, (struct sockaddr *)&address, sizeof address);
        close(fd);
        return made;
    }
    case REMOVE: return remove(name);
    default: return system(commands[argument]);
    }
}

static void run(long command)
{
    CHECK_EQ(ask(RUN, command), 0);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    strcpy((char *)board->marks, "name");
    for (int how = CREATE; how <= BIND; how++) {
        look_often("name", -ENOENT);
        CHECK_EQ(ask(how, 0), 0);
        CHECK_EQ(may("name", F_OK), 0);
        CHECK_EQ(look("name"), 0);
        CHECK_EQ(ask(REMOVE, 0), 0);
        look_once("name", -ENOENT);
    }

    CHECK_EQ(mkdir("a", 0755) | mkdir("a/b", 0755), 0);
    look_often("a/b/x", -ENOENT);
    for (int i = 0; i < 600; i++)
        look_once("a/b/x", -ENOENT);
    run(0);
    run(1);
    look_once("a/b/x", 0);
    run(2);
    look_often("a/b/x", -ENOENT);
    run(3);
    CHECK_EQ(mkdir("a/b", 0755), 0);
    make_empty("a/b/x");
    look_once("a/b/x", 0);
    CHECK_EQ(unlink("a/b/x") | rmdir("a/b"), 0);
    run(4);
    look_often("a/b/x", -ENOENT);
    if (geteuid() != 0) {
        run(5);
        look_once("a/b/x", -EACCES);
        run(6);
    }
    look_often("a/b/x", -ENOENT);

    /* By a symbolic link. */
    CHECK_EQ(symlink("a", "way") | mkdir("there", 0755) | mkdir("there/b", 0755), 0);
    run(9);
    look_often("way/b/x", -ENOENT);
    run(7);
    look_once("way/b/x", 0);
    run(8);
    look_often("way/b/x", -ENOENT);
    make_empty("a/b/x");
    look_once("way/b/x", 0);
    CHECK_EQ(unlink("a/b/x"), 0);

    /* Up: the directory that `..` is of moves. */
    CHECK_EQ(mkdir("other", 0755) | mkdir("other/inner", 0755), 0);
    CHECK_EQ(symlink("other/inner", "inner"), 0);
    look_often("inner/../x", -ENOENT);
    run(11);
    look_once("inner/../x", 0);
    run(13);
    look_often("other/inner/../x", -ENOENT);
    look_often("other/inner/../../x", -ENOENT);
    make_empty("x");
    look_once("other/inner/../../x", 0);
    CHECK_EQ(unlink("x"), 0);
    look_often("other/inner/../x", -ENOENT);
    run(10);
    look_once("other/inner/../x", -ENOENT);
    run(12);
    run(11);
    look_once("other/inner/../x", 0);

    /* No directory where one should be. */
    make_empty("plain");
    look_often("plain/x", -ENOTDIR);
    for (int i = 0; i < OFTEN; i++)
        CHECK_EQ(look("plain/"), -ENOTDIR);
    run(14);
    look_once("plain/x", 0);
    CHECK_EQ(look("plain/"), 0);
    return done_with_partner();
}
