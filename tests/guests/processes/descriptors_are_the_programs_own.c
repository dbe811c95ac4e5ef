// build: -O1
// No descriptor but the standard ones is open at the start; numbers are given lowest first up to the
// limit; close_range and dup2 over everything harm nobody.
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    if (argc > 1)
        return 33;
    int seen = 0;
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory)) {
            printf("open %s\n", entry->d_name);
            seen++;
        }
    closedir(directory);
    CHECK_EQ(seen, 3);
    for (int fd = 3; fd < 256; fd++)
        CHECK_EQ(fcntl(fd, F_GETFD), -1);
    CHECK_EQ(dup(0), 3);
    CHECK_EQ(dup(0), 4);
    close(3);
    CHECK_EQ(open("/dev/null", O_RDONLY), 3);
    struct rlimit limit = {64, 64};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int last = -1, fd;
    while ((fd = dup(0)) >= 0)
        last = fd;
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(last, 63);
    CHECK_EQ(syscall(SYS_close_range, 3, ~0U, 0), 0);
    for (fd = 3; fd < 64; fd++)
        CHECK_EQ(dup2(0, fd), fd);
    for (fd = 3; fd < 64; fd++)
        CHECK_EQ(close(fd), 0);
    for (fd = 64; fd < 20000; fd++)
        close(fd);
    CHECK_EQ(syscall(SYS_close_range, 3, ~0U, 4), 0); /* CLOSE_RANGE_CLOEXEC */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (fd = 0; fd < 20000; fd++)
            close(fd);
        char *next[] = {argv[0], "again", NULL};
        execve(argv[0], next, environ);
        _exit(1);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 33);
    return done();
}
