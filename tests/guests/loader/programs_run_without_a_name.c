// build[pie]: -O1
// build[static]: -O1 -static
// differs: /[^ ]*/programs_run => programs_run
// execution of a memory file, of a deleted file, of a script by descriptor; the exe link and AT_EXECFN tell it.
#include "check.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

static void wait_for(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static void show(int file, const char *what)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *next[] = {"zero", (char *)what, NULL};
        syscall(SYS_execveat, file, "", next, environ, AT_EMPTY_PATH);
        printf("%s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    wait_for(child);
}

int main(int argc, char **argv)
{
    char link[4096] = {0}, name[17] = {0}, program[4096];
    CHECK(readlink("/proc/self/exe", link, sizeof link - 1) > 0);
    if (argc > 1) {
        prctl(PR_GET_NAME, name);
        const char *slash = strstr(link, "memfd") ? link : strrchr(link, '/');
        printf("%s: exe %s, execfn %s, comm %s\n", argv[argc - 1], slash, (char *)getauxval(AT_EXECFN), name);
        return 0;
    }
    strcpy(program, argv[0]);
    struct stat info;
    int source = open(argv[0], O_RDONLY);
    CHECK_EQ(fstat(source, &info), 0);
    int memory = memfd_create("in memory", MFD_CLOEXEC);
    CHECK_EQ(dup2(memory, 10), 10);
    CHECK_EQ(fcntl(10, F_SETFD, FD_CLOEXEC), 0);
    CHECK_EQ(sendfile(10, source, NULL, (size_t)info.st_size), info.st_size);
    show(10, "memory file");
    int script = memfd_create("script", 0);
    CHECK_EQ(dup2(script, 11), 11);
    dprintf(11, "#!%s with one argument\n", program);
    show(11, "script by descriptor");
    CHECK_EQ(fcntl(11, F_SETFD, FD_CLOEXEC), 0);
    show(11, "script closed before its interpreter opens it");
    int file = open("gone", O_WRONLY | O_CREAT, 0755);
    off_t offset = 0;
    CHECK_EQ(sendfile(file, source, &offset, (size_t)info.st_size), info.st_size);
    close(file);
    file = open("gone", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(dup2(file, 12), 12);
    CHECK_EQ(fcntl(12, F_SETFD, FD_CLOEXEC), 0);
    show(12, "file by descriptor");
    unlink("gone");
    show(12, "deleted file");
    show(9999, "bad descriptor");
    return done();
}
