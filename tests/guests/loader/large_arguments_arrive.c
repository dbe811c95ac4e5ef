// build[pie]: -O1
// build[static]: -O1 -static
// An environment of 100 KiB, 20,000 arguments and one of 128 KiB arrive; more is E2BIG.
#include "check.h"
#include <sys/wait.h>

enum { COUNT = 20000, VARIABLES = 100 };
extern char **environ;

static int verify(int argc, char **argv)
{
    char expected[32];
    CHECK_EQ(argc, COUNT + 2);
    for (int i = 2; i < argc; i++) {
        snprintf(expected, sizeof expected, "argument %d", i);
        CHECK_EQ(strcmp(argv[i], expected), 0);
    }
    int variables = 0;
    for (; environ[variables]; variables++) {
        CHECK_EQ(strlen(environ[variables]), 1024);
        CHECK_EQ(environ[variables][1023], 'a' + variables % 26);
    }
    CHECK_EQ(variables, VARIABLES);
    CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
    return 0;
}

static int spawn(char *path, char **argv, char **envp)
{
    pid_t child = fork();
    if (child == 0) {
        execve(path, argv, envp);
        _exit(errno);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "many") == 0)
        return verify(argc, argv);
    if (argc > 1) {
        CHECK_EQ(strlen(argv[1]), 128 * 1024 - 1);
        return 0;
    }
    static char *many[COUNT + 3], *variables[VARIABLES + 1];
    many[0] = argv[0];
    many[1] = "many";
    for (int i = 2; i < COUNT + 2; i++) {
        many[i] = malloc(32);
        snprintf(many[i], 32, "argument %d", i);
    }
    for (int i = 0; i < VARIABLES; i++) {
        variables[i] = malloc(1025);
        memset(variables[i], 'a' + i % 26, 1024);
        variables[i][1024] = 0;
        variables[i][3] = '=';
    }
    CHECK_EQ(spawn(argv[0], many, variables), 0);
    char *one = malloc(128 * 1024 + 1);
    memset(one, 'x', 128 * 1024);
    one[128 * 1024 - 1] = 0;
    char *single[] = {argv[0], one, NULL};
    CHECK_EQ(spawn(argv[0], single, environ), 0);
    one[128 * 1024 - 1] = 'x';
    one[128 * 1024] = 0;
    CHECK_EQ(spawn(argv[0], single, environ), E2BIG);
    return done();
}
