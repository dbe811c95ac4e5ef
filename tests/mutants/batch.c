/* Executes the files NUMBER in the working directory for each number in a range, one after the other, and says how each
   ends and what it printed. A file NUMBER.env holds the first string of its environment. Nothing that a mutated program
   does may harm: it has little time and memory, writes short files, and has no network.

   batch FROM TO [LAUNCHER]: with a launcher its file is executed instead, as an image of the family is, with what its
   family would leave as the first string, and the file as the program's descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 5, OUTPUT = 65536, ENV = 16384 };

static void limit(int resource, rlim_t most)
{
    struct rlimit value = {most, most};
    if (setrlimit(resource, &value) != 0)
        perror("setrlimit"), exit(2);
}

/* Where what the program prints ends up: standard output and standard error. */
static int outputs[2];

static void run(const char *name, char *const argv[], char *const envp[], int launcher)
{
    int report[2], error = 0, status = 0;
    if (pipe2(report, O_CLOEXEC) != 0)
        perror("pipe2"), exit(2);
    pid_t child = vfork();
    if (child == 0) {
        setsid();
        dup2(outputs[0], 1);
        dup2(outputs[1], 2);
        if (launcher >= 0) {
            int program = open(name, O_RDONLY);
            dup2(launcher, 3);
            dup2(program, 4);
        }
        /* The runner has other children, which may have the file open for writing still. */
        do
            execve(launcher >= 0 ? "/dev/fd/3" : name, argv, envp);
        while (errno == ETXTBSY);
        error = errno;
        write(report[1], &error, sizeof error);
        _exit(127);
    }
    close(report[1]);
    if (child < 0)
        perror("vfork"), exit(2);
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd wanted = {pidfd, POLLIN, 0};
    int in_time = poll(&wanted, 1, SECONDS * 1000) == 1;
    if (!in_time)
        kill(child, SIGKILL);
    waitpid(child, &status, 0);
    close(pidfd);
    /* What it has started ends with it. */
    kill(-child, SIGKILL);
    if (read(report[0], &error, sizeof error) == sizeof error)
        printf("%s exec fails with %d", name, error);
    else if (!in_time)
        printf("%s does not end", name);
    else if (WIFSIGNALED(status))
        printf("%s signal %d", name, WTERMSIG(status));
    else
        printf("%s exits with %d", name, WEXITSTATUS(status));
    close(report[0]);
    static char bytes[OUTPUT + 1];
    for (int i = 0; i < 2; i++) {
        ssize_t len = pread(outputs[i], bytes, OUTPUT, 0);
        bytes[len > 0 ? len : 0] = 0;
        unsigned long hash = 5381;
        for (ssize_t at = 0; at < len; at++)
            hash = hash * 33 + (unsigned char)bytes[at];
        if (i == 0)
            printf(", %zd bytes %lx\n", len, hash);
        /* The runner looks at these lines. */
        for (char *line = i ? strtok(bytes, "\n") : NULL; line; line = strtok(NULL, "\n"))
            if (strstr(line, "bt-run"))
                printf("%s said %s\n", name, line);
        if (ftruncate(outputs[i], 0) != 0 || lseek(outputs[i], 0, SEEK_SET) != 0)
            perror("output"), exit(2);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int launcher = argc > 3 ? open(argv[3], O_RDONLY | O_CLOEXEC) : -1;
    limit(RLIMIT_CPU, 60);
    limit(RLIMIT_FSIZE, 64 << 20);
    /* Room for headers with wide gaps; what could be filled is little. */
    limit(RLIMIT_AS, (rlim_t)1 << 47);
    limit(RLIMIT_DATA, 1 << 30);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NPROC, 4096);
    /* Where the kernel lets us. */
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        fprintf(stderr, "no network namespace of its own\n");
    for (int i = 0; i < 2; i++)
        outputs[i] = open(".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (outputs[0] < 0 || outputs[1] < 0 || (argc > 3 && launcher < 0))
        return perror("open"), 2;
    for (int number = atoi(argv[1]); number < atoi(argv[2]); number++) {
        static char name[32], file[48], first[ENV];
        snprintf(name, sizeof name, "./%d", number);
        snprintf(file, sizeof file, "%s.env", name);
        char *words[] = {name, "a word", NULL};
        char *environment[] = {"PATH=/usr/bin:/bin", NULL, NULL};
        int env = open(file, O_RDONLY);
        ssize_t len = env < 0 ? -1 : read(env, first, sizeof first - 1);
        if (env >= 0)
            close(env);
        if (len >= 0) {
            first[len] = 0;
            environment[1] = environment[0];
            environment[0] = first;
        }
        run(name, words, environment, launcher);
        fflush(stdout);
    }
    return 0;
}
