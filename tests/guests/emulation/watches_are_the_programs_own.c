// build: -O1
// In a user namespace that may have seven watches a program has seven, however many names it has looked up before; and look-ups
// go on right after that. Where no such namespace can be made the program has as many as it gets.
#include "names.h"
#include <sched.h>
#include <sys/inotify.h>

#define WATCHES 7

static int write_line(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    long written = file < 0 ? -1 : write(file, text, strlen(text));
    close(file);
    return written == (long)strlen(text);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        char map[64], group_map[64];
        snprintf(map, sizeof map, "0 %d 1", (int)getuid());
        snprintf(group_map, sizeof group_map, "0 %d 1", (int)getgid());
        if (unshare(CLONE_NEWUSER) != 0 || !write_line("/proc/self/uid_map", map) ||
            !write_line("/proc/self/setgroups", "deny") || !write_line("/proc/self/gid_map", group_map) ||
            !write_line("/proc/sys/user/max_inotify_watches", "7"))
            return done();
        /* Anew: what the program starts with is known. */
        char *again[] = {argv[0], "inside", NULL};
        execv("/proc/self/exe", again);
        CHECK(0);
    }
    char name[32];
    for (int i = 0; i <= WATCHES; i++) {
        snprintf(name, sizeof name, "d%d", i);
        CHECK_EQ(mkdir(name, 0755), 0);
    }
    look_often("d0/x", -ENOENT);
    look_often("d1/x", -ENOENT);
    int instance = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    CHECK(instance >= 0);
    for (int i = 0; i < WATCHES; i++) {
        snprintf(name, sizeof name, "d%d", i);
        CHECK(inotify_add_watch(instance, name, IN_CREATE) > 0);
    }
    snprintf(name, sizeof name, "d%d", WATCHES);
    CHECK_EQ(inotify_add_watch(instance, name, IN_CREATE), -1);
    CHECK_EQ(errno, ENOSPC);
    /* Nothing can be watched for them any more. */
    look_often("d2/x", -ENOENT);
    make_empty("d2/x");
    look_once("d2/x", 0);
    char events[256];
    CHECK(read(instance, events, sizeof events) > 0);
    CHECK_EQ(close(instance), 0);
    look_often("d3/x", -ENOENT);
    make_empty("d3/x");
    look_once("d3/x", 0);
    return done();
}
