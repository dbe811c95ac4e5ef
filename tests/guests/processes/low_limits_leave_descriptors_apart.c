// build: -O1
// With few descriptors allowed nothing that the program closes, opens or duplicates touches what the runtime holds: programs still start, and the
// program's own file keeps its name.
#include "check.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void start(char *self, const char *part, int limit)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit few = {(rlim_t)limit, (rlim_t)limit};
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
        execl(self, self, part, (char *)NULL);
        _exit(98);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static void names_itself(void)
{
    char name[256];
    long length = readlink("/proc/self/exe", name, sizeof name - 1);
    CHECK(length > 0);
    name[length] = 0;
    CHECK(strstr(name, "low_limits") != NULL);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        static const int limits[] = {1000, 400, 256, 100, 30};
        for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++)
            start(argv[0], "close", limits[i]);
        return done();
    }
    if (!strcmp(argv[1], "end")) {
        names_itself();
        return 0;
    }
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int round = 0; round < 2; round++) {
        for (int fd = 3; fd < (int)limit.rlim_cur; fd++)
            CHECK(close(fd) == 0 || errno == EBADF);
        names_itself();
        /* As many as there may be. */
        int last = 0, fd;
        while ((fd = open("/etc/passwd", O_RDONLY)) >= 0) {
            CHECK(fd > last);
            last = fd;
        }
        CHECK_EQ(errno, EMFILE);
        names_itself();
        for (fd = 3; fd <= last; fd++)
            CHECK(dup2(0, fd) == fd || errno == EBADF);
        names_itself();
    }
    for (int fd = 3; fd < (int)limit.rlim_cur; fd++)
        close(fd);
    execl(argv[0], argv[0], "end", (char *)NULL);
    return 97;
}
