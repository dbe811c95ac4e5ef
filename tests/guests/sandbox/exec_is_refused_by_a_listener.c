// build: -O1
// limit: 30
// A listener of fanotify(7) forbids the execution of a file, or allows it: asked about each execution once.
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define EXECVE_CHECK 0x10000

static int listener;

static void copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    struct stat info;
    CHECK_EQ(fstat(in, &info), 0);
    CHECK_EQ(sendfile(out, in, NULL, (size_t)info.st_size), info.st_size);
    close(in), close(out);
}

/* Executes the file `program` and answers each question with `answer`. */
static void run(const char *what, unsigned answer)
{
    fflush(stdout);
    int ends[2];
    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        char *next[] = {"./program", "child", NULL};
        execv(next[0], next);
        _exit(errno);
    }
    close(ends[1]);
    /* The pipe ends with the child. */
    struct pollfd ready[2] = {{.fd = listener, .events = POLLIN}, {.fd = ends[0], .events = POLLIN}};
    int questions = 0;
    for (;;) {
        CHECK(poll(ready, 2, -1) > 0);
        if (ready[0].revents != 0) {
            struct fanotify_event_metadata event;
            CHECK_EQ(read(listener, &event, sizeof event), sizeof event);
            struct fanotify_response response = {event.fd, answer};
            CHECK_EQ(write(listener, &response, sizeof response), sizeof response);
            close(event.fd);
            questions++;
        } else if (ready[1].revents != 0) {
            break;
        }
    }
    close(ends[0]);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    int end = WEXITSTATUS(status);
    printf("%s: %d questions, %s\n", what, questions, end == 3 ? "ran" : strerror(end));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 3;
    char *none[] = {NULL};
    int own = open("/proc/self/exe", O_RDONLY);
    listener = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
    if (listener < 0 || syscall(SYS_execveat, own, "", none, none, AT_EMPTY_PATH | EXECVE_CHECK) != 0) {
        printf("the kernel cannot be asked\n");
        return 0;
    }
    copy(argv[0], "program");
    CHECK_EQ(fanotify_mark(listener, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, "program"), 0);
    run("forbidden", FAN_DENY);
    run("allowed", FAN_ALLOW);
    return done();
}
