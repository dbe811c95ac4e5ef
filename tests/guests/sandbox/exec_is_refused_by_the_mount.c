// build: -O1
// links: program_of_the_mount parts/exits.S -nostdlib -pie -Wl,--dynamic-linker=mounted/true
// On a mount with MS_NOEXEC nothing is executed: no program, no script, no interpreter of a program elsewhere.
#include "check.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
    struct stat info;
    CHECK_EQ(fstat(in, &info), 0);
    CHECK_EQ(sendfile(out, in, NULL, (size_t)info.st_size), info.st_size);
    close(in), close(out);
}

static void write_text(const char *path, int flags, const char *text)
{
    int file = open(path, flags, 0755);
    CHECK_EQ(write(file, text, strlen(text)), strlen(text));
    close(file);
}

static void run(const char *what, char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *next[] = {path, NULL};
        execv(path, next);
        printf("%s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(9);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    printf("%s: ended with %d\n", what, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    (void)argc;
    char program[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv[0], sizeof directory - 1);
    snprintf(program, sizeof program, "%s/program_of_the_mount", dirname(directory));
    char map[64];
    int user = (int)geteuid(), group = (int)getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        printf("no user namespace: %s\n", strerror(errno));
        return 0;
    }
    write_text("/proc/self/setgroups", O_WRONLY, "deny");
    snprintf(map, sizeof map, "0 %d 1", user);
    write_text("/proc/self/uid_map", O_WRONLY, map);
    snprintf(map, sizeof map, "0 %d 1", group);
    write_text("/proc/self/gid_map", O_WRONLY, map);
    CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    CHECK_EQ(mkdir("mounted", 0755), 0);
    CHECK_EQ(mount("none", "mounted", "tmpfs", MS_NOEXEC, "mode=755"), 0);
    copy("/bin/true", "mounted/true");
    write_text("mounted/script", O_WRONLY | O_CREAT | O_EXCL, "#!/bin/true\n");
    write_text("script", O_WRONLY | O_CREAT | O_EXCL, "#!mounted/true\n");
    run("program", "mounted/true");
    run("script", "mounted/script");
    run("a script's interpreter", "./script");
    run("a program's interpreter", program);
    CHECK_EQ(mount(NULL, "mounted", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
    run("the script, allowed", "./script");
    return done();
}
