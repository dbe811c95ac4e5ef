/* A program that is executed in a Landlock domain (landlock(7)). */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "check.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define EXECVE_CHECK 0x10000

static void copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
    struct stat info;
    CHECK_EQ(fstat(in, &info), 0);
    CHECK_EQ(sendfile(out, in, NULL, (size_t)info.st_size), info.st_size);
    close(in), close(out);
}

static void allow(int rules, const char *path)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE};
    beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (beneath.parent_fd >= 0)
        CHECK_EQ(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0), 0);
    close(beneath.parent_fd);
}

/* Executes `path` where only these, and what is below them, may be executed, after `before`. */
static void run(const char *what, char *path, const char *first, const char *second, void (*before)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct landlock_ruleset_attr handled = {.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE};
        int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
        CHECK(rules >= 0);
        allow(rules, first);
        allow(rules, second);
        CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        if (before != NULL)
            before();
        CHECK_EQ(syscall(SYS_landlock_restrict_self, rules, 0), 0);
        char *next[] = {path, NULL};
        execv(path, next);
        printf("%s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    printf("%s: ended with %d\n", what, WEXITSTATUS(status));
}

/* There are Landlock and the question what would be executed. */
static int can_be_asked(void)
{
    char *none[] = {NULL};
    int own = open("/proc/self/exe", O_RDONLY);
    return syscall(SYS_execveat, own, "", none, none, AT_EMPTY_PATH | EXECVE_CHECK) == 0 &&
           syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* version */) >= 0;
}

static void run_all(const char *argv0, const char *linked, void (*before)(void))
{
    char program[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv0, sizeof directory - 1);
    snprintf(program, sizeof program, "%s/%s", dirname(directory), linked);
    copy("/bin/true", "program");
    copy("/bin/true", "own_loader");
    int script = open("script", O_WRONLY | O_CREAT | O_EXCL, 0755);
    CHECK(write(script, "#!./program\n", 12) == 12);
    close(script);

    run("a program outside", "./program", "/usr", "/lib64", before);
    run("a script's interpreter outside", "./script", "/usr", "script", before);
    run("a program's interpreter outside", program, "/usr", program, before);
    run("nothing inside", "/bin/true", "script", "script", before);
    run("a program inside", "/bin/true", "/usr", "/lib64", before);
}

#endif
