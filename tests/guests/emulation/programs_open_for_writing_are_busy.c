// build: -O1
// A program file that is open for writing cannot be executed (ETXTBSY), also by way of a duplicate.
// (One that runs cannot be opened for writing natively; under bt-run it can: the file the kernel executes is bt-run.)
#include "files.h"
#include <sys/wait.h>

/* The error of executing `name`, 0 if it runs. */
static int run(const char *name)
{
    pid_t child = vfork();
    if (child == 0) {
        execl(name, name, "child", (char *)NULL);
        _exit(errno);
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
    unsigned char bytes[4096];
    for (long got; (got = read(from, bytes, sizeof bytes)) > 0;)
        CHECK_EQ(write(to, bytes, (size_t)got), got);
    printf("open for writing: %s\n", strerror(run("./copy")));
    int other = dup(to);
    CHECK_EQ(close(to), 0);
    printf("a duplicate is open: %s\n", strerror(run("./copy")));
    CHECK_EQ(close(other), 0);
    CHECK_EQ(run("./copy"), 0);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(pread(from, bytes, 10, i), 10);
    return done();
}
