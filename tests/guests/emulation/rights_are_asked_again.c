// build: -O1
// options: --no-follow
// What may be read and executed is known after many questions, until another process changes it: the file's mode, its
// directory's, by another of its names; or replaces the file.
#include "names.h"
#include "partner.h"

enum { CHMOD = 1, CHMOD_OTHER_NAME, CHMOD_DIRECTORY, REPLACE };

static long answer(int question, long argument)
{
    switch (question) {
    case CHMOD: return chmod("d/file", (mode_t)argument);
    case CHMOD_OTHER_NAME: return chmod("second", (mode_t)argument);
    case CHMOD_DIRECTORY: return chmod("d", (mode_t)argument);
    default:
        make_empty("ready");
        CHECK_EQ(chmod("ready", (mode_t)argument), 0);
        return rename("ready", "d/file");
    }
}

static void may_often(const char *path, int mode, long result)
{
    for (int i = 0; i < OFTEN; i++) {
        CHECK_EQ(may(path, mode), result);
        CHECK_EQ(RAW4(SYS_faccessat2, AT_FDCWD, path, mode, AT_EACCESS), result);
    }
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    CHECK_EQ(mkdir("d", 0755), 0);
    make_empty("d/file");
    CHECK_EQ(chmod("d/file", 0755) | link("d/file", "second"), 0);
    /* Root may read everything, and execute what anybody may. */
    may_often("d/file", R_OK | X_OK, 0);
    CHECK_EQ(ask(CHMOD, 0644), 0);
    CHECK_EQ(may("d/file", R_OK | X_OK), -EACCES);
    CHECK_EQ(ask(CHMOD, 0711), 0);
    may_often("d/file", X_OK, 0);
    CHECK_EQ(ask(CHMOD_OTHER_NAME, 0600), 0);
    CHECK_EQ(may("d/file", X_OK), -EACCES);
    CHECK_EQ(RAW4(SYS_faccessat2, AT_FDCWD, "d/file", X_OK, AT_EACCESS), -EACCES);
    CHECK_EQ(ask(CHMOD, 0755), 0);
    may_often("d/file", X_OK, 0);
    CHECK_EQ(ask(REPLACE, 0644), 0);
    CHECK_EQ(may("d/file", X_OK), -EACCES);
    may_often("d/file", F_OK, 0);
    CHECK_EQ(unlink("d/file"), 0);
    CHECK_EQ(may("d/file", F_OK), -ENOENT);
    may_often("d", R_OK | X_OK, 0);
    CHECK_EQ(ask(CHMOD_DIRECTORY, 0600), 0);
    CHECK_EQ(may("d", R_OK | X_OK), geteuid() == 0 ? 0 : -EACCES);
    CHECK_EQ(ask(CHMOD_DIRECTORY, 0755), 0);
    may_often("d", W_OK, 0);
    return done_with_partner();
}
