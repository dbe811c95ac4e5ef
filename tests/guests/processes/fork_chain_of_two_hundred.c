// build: -O1
// Each of 200 nested children forks the next, and every level sees its own memory afterwards.
#include "check.h"
#include <sys/wait.h>

static int depth_seen;

int main(void)
{
    int depth = 0;
    pid_t first = getpid(), parent = first;
    for (; depth < 200; depth++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child > 0) {
            int status;
            CHECK_EQ(depth_seen, depth);
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK(WIFEXITED(status));
            CHECK_EQ(depth_seen, depth);
            CHECK_EQ(WEXITSTATUS(status), 0);
            if (getpid() == first)
                return done();
            _exit(0);
        }
        CHECK_EQ(getppid(), parent);
        parent = getpid();
        depth_seen = depth + 1;
    }
    _exit(0);
}
