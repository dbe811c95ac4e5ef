// build: -O1
// A program file that was read and written in small pieces can be executed once its writers have closed it: no hidden
// descriptor or mapping keeps it open for writing.
#include "files.h"
#include <sys/wait.h>

static int run(const char *name)
{
    pid_t child = vfork();
    if (child == 0) {
        execl(name, name, "child", (char *)NULL);
        _exit(errno == ETXTBSY ? 26 : 1);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 0;
    int from = open(argv[0], O_RDONLY), to = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0755);
    unsigned char bytes[512], again[512];
    for (long got, at = 0; (got = read(from, bytes, sizeof bytes)) > 0; at += got) {
        CHECK_EQ(write(to, bytes, (size_t)got), got);
        CHECK_EQ(pread(to, again, (size_t)got, at), got);
        CHECK_EQ(memcmp(bytes, again, (size_t)got), 0);
    }
    /* In place as well. */
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(pread(to, bytes, 10, i), 10);
        CHECK_EQ(pwrite(to, bytes, 10, i), 10);
    }
    CHECK_EQ(close(to), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(run("./copy"), 0);
        to = open("copy", O_RDWR);
        for (int k = 0; k < MANY; k++) {
            CHECK_EQ(pread(to, bytes, 10, k), 10);
            CHECK_EQ(pwrite(to, bytes, 10, k), 10);
        }
        CHECK_EQ(close(to), 0);
        CHECK_EQ(run("./copy"), 0);
    }
    /* Readers are in nobody's way. */
    int reader = open("copy", O_RDONLY);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pread(reader, bytes, 10, i), 10);
    CHECK_EQ(run("./copy"), 0);
    CHECK_EQ(close(reader), 0);
    CHECK_EQ(close(from), 0);
    return done();
}
