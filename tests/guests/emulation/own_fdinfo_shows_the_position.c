// build: -O1
// The program's own /proc/.../fdinfo/N shows the offset of a file that is read in bursts, by whatever path it is opened.
#include "files.h"
#include <sys/eventfd.h>

static long position(int dir, const char *path)
{
    char text[400] = {0};
    long at = -1;
    int fd = dir == -2 ? open(path, O_RDONLY) : openat(dir, path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    CHECK_EQ(sscanf(text, "pos: %ld", &at), 1);
    return at;
}

int main(void)
{
    char path[100];
    make_file("data", 10000);
    int fd = open("data", O_RDONLY), proc = open("/proc", O_RDONLY | O_DIRECTORY);
    int infos = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY);
    CHECK(symlinkat("/proc/self/fdinfo", AT_FDCWD, "infos") == 0);
    long at = 0;
    for (int way = 0; way < 9; way++) {
        for (int i = 0; i < MANY; i++, at++) {
            char byte;
            CHECK_EQ(read(fd, &byte, 1), 1);
        }
        int dir = -2;
        switch (way) {
        case 0: snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd); break;
        case 1: snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", getpid(), fd); break;
        case 2: snprintf(path, sizeof path, "/proc/thread-self/fdinfo/%d", fd); break;
        case 3: snprintf(path, sizeof path, "/proc/%d/task/%d/fdinfo/%d", getpid(), gettid(), fd); break;
        case 4: snprintf(path, sizeof path, "self/fdinfo/%d", fd), dir = proc; break;
        case 5: snprintf(path, sizeof path, "%d", fd), dir = infos; break;
        case 6: snprintf(path, sizeof path, "infos/%d", fd); break;
        case 7: snprintf(path, sizeof path, "/proc/self/root/proc/self/fdinfo/../fdinfo/./%d", fd); break;
        default:
            CHECK_EQ(chdir("/proc/self/fdinfo"), 0);
            snprintf(path, sizeof path, "%d", fd);
        }
        if (position(dir, path) != at)
            check_failed(__FILE__, way, "the position", position(dir, path), at);
    }
    /* Opened before, read after. */
    char text[400] = {0};
    int info = openat(infos, path, O_RDONLY);
    for (int i = 0; i < MANY; i++, at++) {
        char byte;
        CHECK_EQ(read(fd, &byte, 1), 1);
    }
    CHECK(pread(info, text, sizeof text - 1, 0) > 0);
    long shown = -1;
    CHECK_EQ(sscanf(text, "pos: %ld", &shown), 1);
    CHECK_EQ(shown, at);

    /* The count of an eventfd. */
    int counter = eventfd(0, EFD_NONBLOCK);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", counter);
    int shows = open(path, O_RDONLY);
    for (int i = 1; i < 2000; i++) {
        uint64_t one = 1, count = 0;
        char *line;
        CHECK_EQ(write(counter, &one, 8), 8);
        if (i % 100 == 0 || i > 1990) {
            memset(text, 0, sizeof text);
            CHECK(pread(shows, text, sizeof text - 1, 0) > 0);
            line = strstr(text, "eventfd-count:");
            CHECK(line != NULL);
            CHECK_EQ(strtol(line + 14, NULL, 16), 1);
        }
        CHECK_EQ(read(counter, &count, 8), 8);
        CHECK_EQ(count, 1);
    }
    return done();
}
