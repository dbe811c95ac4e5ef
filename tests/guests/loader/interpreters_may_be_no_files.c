// build: -O1
// links: with_interpreter parts/exits.S -nostdlib -pie -Wl,--dynamic-linker=interpreter
// limit: 20
// A FIFO, a device, a directory or nothing where a program or a script names its interpreter, or as the program
// itself: the kernel's errors, and no wait.
#include "check.h"
#include <libgen.h>
#include <limits.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void run(const char *what, char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *next[] = {path, NULL};
        execv(path, next);
        printf("%s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    char program[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv[0], sizeof directory - 1);
    snprintf(program, sizeof program, "%s/with_interpreter", dirname(directory));
    int script = open("script", O_WRONLY | O_CREAT, 0755);
    CHECK(write(script, "#!interpreter\n", 14) == 14);
    close(script);
    struct {
        const char *name;
        mode_t mode;
    } kinds[] = {{"FIFO", S_IFIFO | 0777}, {"device", S_IFCHR | 0777}, {"socket", S_IFSOCK | 0777}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        /* /dev/null; only root makes devices. */
        if (mknod("interpreter", kinds[i].mode, 0x103) != 0)
            continue;
        printf("%s\n", kinds[i].name);
        run("program", program);
        run("script", "./script");
        run("itself", "./interpreter");
        unlink("interpreter");
    }
    run("program without", program);
    run("script without", "./script");
    CHECK_EQ(mkdir("interpreter", 0755), 0);
    run("program with a directory", program);
    run("script with a directory", "./script");
    rmdir("interpreter");
    int file = open("interpreter", O_WRONLY | O_CREAT, 0644);
    close(file);
    run("program without permission", program);
    run("script without permission", "./script");
    chmod("interpreter", 0755);
    run("program with an empty file", program);
    return done();
}
