// build: -O1 -pthread
// /proc/self/exe is the program by whatever path its link is reached: absolute, relative, by a directory's
// descriptor, through other links; opened, looked at, read and executed.
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;
static char expected[PATH_MAX];
static struct stat program;

static int is_program(const struct stat *found)
{
    return found->st_dev == program.st_dev && found->st_ino == program.st_ino;
}

static void executes(int directory, const char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *next[] = {"own", "again", NULL};
        syscall(SYS_execveat, directory, path, next, environ, 0);
        _exit(1);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 7);
}

/* `is_link`: the last step is the link itself, not one that leads to it. */
static void leads_to_program(int directory, const char *path, int is_link)
{
    struct stat found;
    CHECK_EQ(fstatat(directory, path, &found, 0), 0);
    CHECK(is_program(&found));
    CHECK_EQ(fstatat(directory, path, &found, AT_SYMLINK_NOFOLLOW), 0);
    CHECK(S_ISLNK(found.st_mode));
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC);
    CHECK(file >= 0);
    CHECK_EQ(fstat(file, &found), 0);
    CHECK(is_program(&found));
    close(file);
    if (directory == AT_FDCWD) {
        CHECK_EQ(stat(path, &found), 0);
        CHECK(is_program(&found));
        file = open(path, O_PATH | O_CLOEXEC);
        CHECK_EQ(fstat(file, &found), 0);
        CHECK(is_program(&found));
        close(file);
    }
    char target[PATH_MAX] = {0};
    CHECK(readlinkat(directory, path, target, sizeof target - 1) > 0);
    CHECK_EQ(strcmp(target, expected) == 0, is_link);
    /* The thread is none of the child's. */
    if (strstr(path, "self/task/") == NULL)
        executes(directory, path);
}

static void *in_thread(void *unused)
{
    (void)unused;
    char path[64];
    leads_to_program(AT_FDCWD, "/proc/thread-self/exe", 1);
    snprintf(path, sizeof path, "/proc/self/task/%d/exe", gettid());
    leads_to_program(AT_FDCWD, path, 1);
    snprintf(path, sizeof path, "/proc/%d/exe", gettid());
    leads_to_program(AT_FDCWD, path, 1);
    return NULL;
}

static void in_directory(const char *directory, const char *path)
{
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_EQ(chdir(directory), 0);
    leads_to_program(AT_FDCWD, path, 1);
    CHECK_EQ(fchdir(before), 0);
    close(before);
    int there = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    leads_to_program(there, path, 1);
    close(there);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return strcmp(argv[0], "own") == 0 ? 7 : 8;
    CHECK(realpath(argv[0], expected) != NULL);
    CHECK_EQ(stat(expected, &program), 0);
    char task[64], path[PATH_MAX];
    snprintf(task, sizeof task, "/proc/%d/task/%d/exe", getpid(), gettid());
    const char *absolute[] = {"/proc/self/exe",      "/proc/thread-self/exe", "//proc//self//exe", "/proc/./self/./exe",
                              "/proc/self/../self/exe", "/proc/self/task/../exe", "/usr/../proc/self/exe", task};
    for (size_t i = 0; i < sizeof absolute / sizeof *absolute; i++)
        leads_to_program(AT_FDCWD, absolute[i], 1);
    snprintf(path, sizeof path, "/proc/%d/exe", getpid());
    leads_to_program(AT_FDCWD, path, 1);
    snprintf(path, sizeof path, "/proc/%d/../self/exe", getpid());
    leads_to_program(AT_FDCWD, path, 1);
    in_directory("/proc/self", "exe");
    in_directory("/proc/self", "./exe");
    in_directory("/proc/self", "../self/exe");
    in_directory("/proc/self/task", "../exe");
    in_directory("/proc", "self/exe");
    in_directory("/", "proc/self/exe");

    CHECK_EQ(symlink("/proc/self", "own"), 0);
    leads_to_program(AT_FDCWD, "own/exe", 1);
    CHECK_EQ(mkdir("links", 0755), 0);
    CHECK_EQ(symlink("/proc/self/exe", "links/exe"), 0);
    leads_to_program(AT_FDCWD, "links/exe", 0);
    CHECK_EQ(mkdir("links/more", 0755), 0);
    CHECK_EQ(symlink("../exe", "links/more/exe"), 0);
    leads_to_program(AT_FDCWD, "links/more/exe", 0);
    CHECK_EQ(symlink("links/exe", "another name"), 0);
    executes(AT_FDCWD, "another name");

    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, in_thread, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);

    /* A file of that name is what it is. */
    struct stat found;
    int file = open("exe", O_RDWR | O_CREAT | O_EXCL, 0644);
    CHECK(file >= 0);
    CHECK_EQ(stat("exe", &found), 0);
    CHECK(!is_program(&found));
    CHECK_EQ(readlink("exe", path, sizeof path), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(access("/proc/self/nothing/exe", F_OK), -1);
    CHECK_EQ(errno, ENOENT);
    CHECK_EQ(stat("/proc/self/exe/", &found), -1);
    CHECK_EQ(errno, ENOTDIR);
    return done();
}
