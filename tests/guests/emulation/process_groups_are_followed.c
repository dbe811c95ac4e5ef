// build: -O1
// Parent, group and session are what the last change made them, also when somebody else made it: the parent by setpgid, the
// system by giving an orphan to another parent.
#include "check.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int to_child[2], to_parent[2];

static void say(int fd) { CHECK_EQ(write(fd, "x", 1), 1); }

static void hear(int fd)
{
    char byte;
    CHECK_EQ(read(fd, &byte, 1), 1);
}

static void is(pid_t group, pid_t session, pid_t parent)
{
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(RAW0(SYS_getpgrp), group);
        CHECK_EQ(RAW1(SYS_getpgid, 0), group);
        CHECK_EQ(RAW1(SYS_getpgid, getpid()), group);
        CHECK_EQ(RAW1(SYS_getsid, 0), session);
        CHECK_EQ(RAW0(SYS_getppid), parent);
    }
}

static void wait_for(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

int main(void)
{
    pid_t self = getpid(), group = getpgrp(), session = getsid(0);
    CHECK_EQ(pipe(to_child), 0);
    CHECK_EQ(pipe(to_parent), 0);
    is(group, session, getppid());
    pid_t child = fork();
    if (child == 0) {
        is(group, session, self);
        say(to_parent[1]);
        hear(to_child[0]); /* the parent has made it the leader of a group */
        is(getpid(), session, self);
        CHECK_EQ(setpgid(0, group), 0);
        is(group, session, self);
        CHECK_EQ(setpgid(0, 0), 0);
        is(getpid(), session, self);
        CHECK_EQ(setpgid(0, group), 0);
        CHECK_EQ(setsid(), getpid());
        is(getpid(), getpid(), self);
        CHECK_EQ(setpgid(0, 0), -1);
        CHECK_EQ(errno, EPERM);
        CHECK_EQ(setsid(), -1);
        pid_t inner = fork();
        if (inner == 0) {
            is(getppid(), getsid(getppid()), getppid());
            _exit(0);
        }
        wait_for(inner);
        _exit(0);
    }
    hear(to_parent[0]);
    CHECK_EQ(setpgid(child, child), 0);
    CHECK_EQ(getpgid(child), child);
    say(to_child[1]);
    wait_for(child);
    /* An orphan gets the nearest subreaper, here this process (prctl(2)). */
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    child = fork();
    if (child == 0) {
        pid_t middle = getpid();
        pid_t orphan = fork();
        if (orphan == 0) {
            is(group, session, middle);
            say(to_parent[1]);
            hear(to_child[0]); /* the process between is gone */
            is(group, session, self);
            _exit(0);
        }
        hear(to_parent[0]);
        _exit(0);
    }
    wait_for(child);
    say(to_child[1]);
    int status;
    CHECK(wait(&status) > 0);
    CHECK_EQ(status, 0);
    /* A child by clone with CLONE_PARENT has the parent of its maker. */
    child = fork();
    if (child == 0) {
        pid_t sibling = (pid_t)RAW6(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0, 0);
        if (sibling == 0) {
            is(group, session, self);
            _exit(0);
        }
        _exit(sibling > 0 ? 0 : 1);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(wait(&status) > 0);
        CHECK_EQ(status, 0);
    }
    return done();
}
