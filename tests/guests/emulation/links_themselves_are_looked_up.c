// build: -O1
// options: --no-follow
// lstat and readlink of a link that is not there, many times, until another process makes it, makes it lead elsewhere, or to itself;
// calls that follow it find what it leads to, or nothing.
#include "names.h"
#include "partner.h"

enum { MAKE = 1, TURN, REMOVE, REPLACE };

static long answer(int question, long argument)
{
    (void)argument;
    switch (question) {
    case MAKE: return symlink("nowhere", "d/link");
    case TURN: return symlink("link", "d/other") | rename("d/other", "d/link");
    case REPLACE: return symlink("d", "e");
    default: return unlink("d/link");
    }
}

static long itself(const char *path)
{
    struct stat stat;
    return RAW2(SYS_lstat, path, &stat);
}

static long told(const char *path, char *text)
{
    long a = RAW3(SYS_readlink, path, text, 100);
    long b = RAW4(SYS_readlinkat, AT_FDCWD, path, text, 100);
    CHECK_EQ(a, b);
    return a;
}

int main(int argc, char **argv)
{
    char text[128] = {0};
    struct stat stat;
    start_partner(argc, argv);
    CHECK_EQ(mkdir("d", 0755), 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < OFTEN; i++) {
            CHECK_EQ(itself("d/link"), -ENOENT);
            CHECK_EQ(told("d/link", text), -ENOENT);
            CHECK_EQ(RAW4(SYS_newfstatat, AT_FDCWD, "d/link", &stat, AT_SYMLINK_NOFOLLOW), -ENOENT);
        }
        CHECK_EQ(ask(MAKE, 0), 0);
        CHECK_EQ(itself("d/link"), 0);
        CHECK_EQ(told("d/link", text), 7);
        CHECK_EQ(memcmp(text, "nowhere", 7), 0);
        CHECK_EQ(RAW4(SYS_newfstatat, AT_FDCWD, "d/link", &stat, AT_SYMLINK_NOFOLLOW), 0);
        /* It leads to nothing, which is another question. */
        look_often("d/link", -ENOENT);
        CHECK_EQ(itself("d/link"), 0);
        make_empty("d/nowhere");
        look_once("d/link", 0);
        CHECK_EQ(unlink("d/nowhere"), 0);
        look_often("d/link", -ENOENT);
        CHECK_EQ(ask(TURN, 0), 0);
        look_once("d/link", -ELOOP);
        CHECK_EQ(told("d/link", text), 4);
        CHECK_EQ(ask(REMOVE, 0), 0);
        CHECK_EQ(itself("d/link"), -ENOENT);
        CHECK_EQ(told("d/link", text), -ENOENT);
    }
    /* In the middle of a path a link is followed by all of them. */
    for (int i = 0; i < OFTEN; i++)
        CHECK_EQ(itself("e/link"), -ENOENT);
    CHECK_EQ(ask(REPLACE, 0), 0);
    for (int i = 0; i < OFTEN; i++)
        CHECK_EQ(itself("e/link"), -ENOENT);
    CHECK_EQ(ask(MAKE, 0), 0);
    CHECK_EQ(itself("e/link"), 0);
    CHECK_EQ(ask(REMOVE, 0), 0);
    return done_with_partner();
}
