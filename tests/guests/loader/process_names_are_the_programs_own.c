// build: -O1 -pthread
// run: first second
// exe, comm, cmdline and PR_GET_NAME show the program, not what runs it.
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char expected[PATH_MAX];

static void link_is_program(const char *path)
{
    char target[PATH_MAX] = {0};
    CHECK(readlink(path, target, sizeof target - 1) > 0);
    CHECK_EQ(strcmp(target, expected), 0);
    /* A short buffer is filled, without a terminator. */
    char part[4] = {'#', '#', '#', '#'};
    CHECK_EQ(readlink(path, part, 3), 3);
    CHECK_EQ(memcmp(part, expected, 3), 0);
    CHECK_EQ(part[3], '#');
    struct stat a, b;
    CHECK_EQ(stat(path, &a), 0);
    CHECK_EQ(stat(expected, &b), 0);
    CHECK_EQ(a.st_ino, b.st_ino);
}

static void text_of(const char *path, char *text, size_t size)
{
    memset(text, 0, size);
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    CHECK(read(file, text, size - 1) > 0);
    close(file);
}

static void *in_thread(void *name)
{
    char text[64];
    CHECK_EQ(prctl(PR_GET_NAME, text), 0);
    CHECK_EQ(strcmp(text, name), 0);
    CHECK_EQ(prctl(PR_SET_NAME, "worker"), 0);
    text_of("/proc/thread-self/comm", text, sizeof text);
    CHECK_EQ(strcmp(text, "worker\n"), 0);
    link_is_program("/proc/thread-self/exe");
    return NULL;
}

int main(int argc, char **argv)
{
    CHECK_EQ(argc, 3);
    CHECK(realpath(argv[0], expected) != NULL);
    char path[64], text[4096], name[17] = {0};
    link_is_program("/proc/self/exe");
    snprintf(path, sizeof path, "/proc/%d/exe", getpid());
    link_is_program(path);
    CHECK(readlinkat(AT_FDCWD, "/proc/self/exe", text, sizeof text) == (ssize_t)strlen(expected));
    int directory = open("/proc/self", O_RDONLY | O_DIRECTORY);
    CHECK(readlinkat(directory, "exe", text, sizeof text) == (ssize_t)strlen(expected));
    CHECK_EQ(memcmp(text, expected, strlen(expected)), 0);

    strncpy(name, strrchr(argv[0], '/') + 1, 15);
    CHECK_EQ(prctl(PR_GET_NAME, text), 0);
    CHECK_EQ(strcmp(text, name), 0);
    text_of("/proc/self/comm", text, sizeof text);
    CHECK_EQ(strncmp(text, name, strlen(name)), 0);
    CHECK_EQ(text[strlen(name)], '\n');
    text_of("/proc/self/cmdline", text, sizeof text);
    CHECK_EQ(strcmp(text, argv[0]), 0);
    CHECK_EQ(strcmp(text + strlen(text) + 1, "first"), 0);

    /* /proc/self/stat: pid (comm) … */
    char start[64];
    text_of("/proc/self/stat", text, sizeof text);
    snprintf(start, sizeof start, "%d (%s) R ", getpid(), name);
    CHECK_EQ(strncmp(text, start, strlen(start)), 0);

    int image = open("/proc/self/exe", O_RDONLY);
    CHECK_EQ(read(image, text, 4), 4);
    CHECK_EQ(memcmp(text, "\177ELF", 4), 0);

    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, in_thread, name), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(prctl(PR_GET_NAME, text), 0);
    CHECK_EQ(strcmp(text, name), 0);
    return done();
}
