// build: -O1
// differs: /[^ ]*/scripts_reach => scripts_reach
// `#!` lines: one argument that keeps its spaces, nested scripts, names, and the errors.
#include "check.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

static void write_script(const char *name, const char *text, mode_t mode)
{
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0);
    CHECK_EQ(write(file, text, strlen(text)), strlen(text));
    CHECK_EQ(fchmod(file, mode), 0);
    close(file);
}

static void run(char *path, char *argument)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {"zero", argument, NULL};
        execve(path, argv, environ);
        printf("%s: %s\n", path, strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

int main(int argc, char **argv)
{
    if (strcmp(argv[0], "zero") != 0 && argc > 1) {
        char name[16];
        prctl(PR_GET_NAME, name);
        printf("comm %s, execfn %s:", name, (char *)getauxval(AT_EXECFN));
        for (int i = 0; i < argc; i++)
            printf(" [%s]", argv[i]);
        printf("\n");
        return 0;
    }
    char line[4096], long_line[600];
    snprintf(line, sizeof line, "#!%s\nignored\n", argv[0]);
    write_script("plain", line, 0755);
    snprintf(line, sizeof line, "#! \t%s  one two\tthree  \n", argv[0]);
    write_script("argument", line, 0755);
    snprintf(line, sizeof line, "#!%s no newline", argv[0]);
    write_script("unfinished", line, 0755);
    write_script("nested", "#!./argument deeper\n", 0755);
    write_script("level3", "#!./nested 3\n", 0755);
    write_script("level4", "#!./level3 4\n", 0755);
    write_script("level5", "#!./level4 5\n", 0755);
    write_script("level6", "#!./level5 6\n", 0755);
    write_script("missing", "#!/no/such/interpreter\n", 0755);
    write_script("empty_line", "#!\n", 0755);
    write_script("no_line", "echo hello\n", 0755);
    write_script("nothing", "", 0755);
    write_script("no_permission", line, 0644);
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line, "#!/", 3);
    long_line[sizeof long_line - 1] = 0;
    write_script("long_line", long_line, 0755);
    /* Of a line that does not end in the first 256 bytes the last of these is lost, not only what is after them. */
    memset(line, 'a', 600);
    line[600] = 0;
    memcpy(line, "#!./plain ", 10);
    write_script("long_argument", line, 0755);
    memset(line + 10, ' ', 250);
    write_script("long_spaces", line, 0755);
    memset(line, 'a', 600);
    memcpy(line, "#!", 2);
    for (int i = 2; i < 246; i += 2)
        memcpy(line + i, "./", 2);
    memcpy(line + 246, "././/plain", 10);
    write_script("name_of_the_whole_head", line, 0755);
    memcpy(line + 246, ".///plain ", 10);
    write_script("name_up_to_the_last_byte", line, 0755);
    memcpy(line + 246, ".////plain", 10);
    line[256] = '\n';
    write_script("newline_after_the_head", line, 0755);
    write_script("spaces_at_the_end", "#!./plain  argument \t ", 0755);
    CHECK_EQ(mkdir("directory", 0755), 0);
    char *names[] = {"./plain",  "./argument",   "./unfinished", "./nested",  "./level3",        "./level4",
                     "./level5", "./level6",     "./missing",    "./no_line", "./no_permission", "./empty_line",
                     "./nothing", "./long_line", "./directory",     "./absent",  "./plain/below",
                     "./long_argument", "./long_spaces", "./name_of_the_whole_head", "./name_up_to_the_last_byte",
                     "./newline_after_the_head", "./spaces_at_the_end"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        run(names[i], "last argument");
    return done();
}
