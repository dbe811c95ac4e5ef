// build: -O1
// A process that has not registered for the private barrier is refused it, however its files are read; its child as well.
#include "files.h"
#include <linux/membarrier.h>
#include <sys/wait.h>

#ifndef MEMBARRIER_CMD_GET_REGISTRATIONS
#define MEMBARRIER_CMD_GET_REGISTRATIONS (1 << 9)
#endif

static long barrier(int command) { return RAW3(SYS_membarrier, command, 0, 0); }

static void refused(void)
{
    CHECK_EQ(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED), -EPERM);
    long registered = barrier(MEMBARRIER_CMD_GET_REGISTRATIONS);
    CHECK(registered == -EINVAL || (registered & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0);
}

int main(void)
{
    make_file("file", 4000);
    int file = open("file", O_RDONLY), status;
    refused();
    /* Often enough that reads may be answered in the process, which needs the barrier. */
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
        read_burst(file, 0, MANY, 8);
        refused();
    }
    pid_t child = fork();
    if (child == 0) {
        refused();
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED), 0);
    CHECK_EQ(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED), 0);
    read_burst(file, 8 * MANY, 100, 8);
    CHECK_EQ(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED), 0);
    return done();
}
