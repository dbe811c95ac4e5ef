// build: -O1
// options: --no-follow
// levels: off exact
// What other processes do with a file that is being read in small pieces neither fails nor waits, and nothing of the reading shows: no
// lease, no lock, no child. O_NONBLOCK is how touch(1) and truncate(1) open.
#include "files.h"
#include "partner.h"

enum { OPEN = 1, LEASES };

static long answer(int question, long argument)
{
    if (question == OPEN) {
        int file = open("data", (int)argument);
        if (file < 0)
            return -errno;
        if ((argument & O_ACCMODE) != O_RDONLY)
            touch_byte(file, 7);
        return close(file);
    }
    struct stat data;
    CHECK_EQ(stat("data", &data), 0);
    FILE *locks = fopen("/proc/locks", "r");
    char line[256], inode[32];
    snprintf(inode, sizeof inode, ":%lu ", (unsigned long)data.st_ino);
    long found = 0;
    while (fgets(line, sizeof line, locks))
        found += strstr(line, inode) != NULL;
    fclose(locks);
    return found;
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    make_file("data", 20000);
    static const int ways[] = {O_RDONLY | O_NONBLOCK, O_WRONLY | O_NONBLOCK, O_RDWR | O_NONBLOCK, O_WRONLY, O_RDWR};
    for (int access = O_RDONLY; access <= O_RDWR; access += O_RDWR)
        for (unsigned way = 0; way < sizeof ways / sizeof *ways; way++) {
            int file = open("data", access);
            read_burst(file, 0, MANY, 3);
            pread_burst(file, 20000, 3 * MANY, 3);
            CHECK_EQ(ask(LEASES, 0), 0);
            CHECK_EQ(fcntl(file, F_GETLEASE), F_UNLCK);
            CHECK_EQ(fcntl(file, F_GETOWN), 0);
            pread_burst(file, 20000, 3 * MANY, 3);
            CHECK_EQ(ask(OPEN, ways[way]), 0);
            read_burst(file, 3 * MANY, MANY, 3);
            siginfo_t info = {0};
            /* The partner is the only child. */
            CHECK_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL), 0);
            CHECK_EQ(close(file), 0);
        }
    char children[64] = "";
    snprintf(children, sizeof children, "/proc/self/task/%d/children", (int)getpid());
    FILE *list = fopen(children, "r");
    int count = 0, child;
    while (list && fscanf(list, "%d", &child) == 1)
        count++;
    CHECK_EQ(count, 1);
    return done_with_partner();
}
