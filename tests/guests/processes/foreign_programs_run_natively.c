// build: -O1
// links: thirty_two parts/thirty_two.S -m32 -nostdlib -static -no-pie
// native: /thirty_two 32-bit code is not translated
// native: /unreadable the runtime cannot read it, the kernel can execute it
// native: /setuid its owner's rights would be lost
// What is not translated is executed by the kernel, and this process goes on under the engine: a 32-bit
// program, one that may be executed and not read, one with a set-user-id bit.
#include "check.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

static void run(char *path, char *argument)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *next[] = {path, argument, NULL};
        execve(path, next, environ);
        _exit(errno == ENOEXEC ? 100 : 101);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    printf("%s: %d\n", strrchr(path, '/') + 1, WEXITSTATUS(status));
}

static void copy(const char *from, const char *to, mode_t mode)
{
    char buffer[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0700);
    ssize_t length;
    CHECK(in >= 0 && out >= 0);
    while ((length = read(in, buffer, sizeof buffer)) > 0)
        CHECK_EQ(write(out, buffer, (size_t)length), length);
    CHECK_EQ(fchmod(out, mode), 0);
    close(in), close(out);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        printf("started for %s, %d\n", argv[1], geteuid() == getuid());
        return 3;
    }
    char path[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv[0], sizeof directory - 1);
    snprintf(path, sizeof path, "%s/thirty_two", dirname(directory));
    run(path, "one");
    copy(argv[0], "unreadable", 0111);
    copy(argv[0], "setuid", 04755);
    run("./unreadable", "execute only");
    run("./setuid", "set-user-id");
    unlink("setuid");
    return done();
}
