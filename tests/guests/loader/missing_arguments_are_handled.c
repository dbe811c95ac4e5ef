// build[pie]: -O1
// build[static]: -O1 -static
// execve with no argv, an empty argv, an empty environment and odd strings, as the kernel passes them on.
#include "check.h"
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    int variables = 0;
    while (environ[variables])
        variables++;
    if (argc != 1 || strchr(argv[0], '/') == NULL) {
        printf("argc %d, argv[0] \"%s\", argv[1] \"%s\", %d variables\n", argc, argv[0], argc > 1 ? argv[1] : "none", variables);
        return 0;
    }
    char *nothing[] = {NULL}, *empty[] = {"", NULL}, *two[] = {"", "", NULL}, *odd[] = {"\xff\x80", "tab\tand newline\n", NULL};
    char *environment[] = {"", "no equals sign", "=leading", "A=1", "A=2", NULL};
    struct {
        char **argv, **envp;
    } cases[] = {{nothing, environ}, {NULL, environ}, {empty, nothing}, {two, NULL}, {odd, environment}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            execve(argv[0], cases[i].argv, cases[i].envp);
            _exit(1);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    return done();
}
