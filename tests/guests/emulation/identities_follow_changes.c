// build: -O1 -pthread
// User and group ids are what the last change made them, in each thread its own when the thread changed them itself, in all
// after the C library's calls, and those of the namespace after unshare and setns.
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/wait.h>

static void show(const char *when)
{
    uid_t r, e, s, gr, ge, gs;
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(RAW3(SYS_getresuid, &r, &e, &s), 0);
        CHECK_EQ(RAW3(SYS_getresgid, &gr, &ge, &gs), 0);
        CHECK_EQ(RAW0(SYS_getuid), r);
        CHECK_EQ(RAW0(SYS_geteuid), e);
        CHECK_EQ(RAW0(SYS_getgid), gr);
        CHECK_EQ(RAW0(SYS_getegid), ge);
    }
    printf("%s: user %u %u %u, group %u %u %u, files %d\n", when, r, e, s, gr, ge, gs, setfsuid((uid_t)-1));
}

static pthread_barrier_t turn;

static void *beside(void *unused)
{
    (void)unused;
    show("thread, before");
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn); /* the first thread has changed its own ids */
    show("thread, after the other's own change");
    printf("own change %ld\n", RAW3(SYS_setresgid, -1, 2001, -1));
    show("thread, after its own change");
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn); /* the first thread has used the C library */
    show("thread, after setresuid of the C library");
    return NULL;
}

static void threads(void)
{
    pthread_t thread;
    pthread_barrier_init(&turn, NULL, 2);
    show("start");
    CHECK_EQ(pthread_create(&thread, NULL, beside, NULL), 0);
    pthread_barrier_wait(&turn);
    printf("change of effective user by the raw call %ld\n", RAW3(SYS_setresuid, -1, 1001, -1));
    show("first, after its own change");
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    show("first, after the other's change");
    printf("back %ld\n", RAW3(SYS_setresuid, -1, getuid(), -1));
    printf("change by the C library %d\n", setresuid((uid_t)-1, 1002, 1003));
    show("first, after setresuid of the C library");
    pthread_barrier_wait(&turn);
    pthread_join(thread, NULL);
}

static void in_child(void (*what)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        what();
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static void each_call(void)
{
    printf("setgid %d\n", setgid(3001));
    show("after setgid");
    printf("setegid %d\n", setegid(3002));
    show("after setegid");
    printf("setregid %d\n", setregid(3003, 3004));
    show("after setregid");
    printf("setfsuid %d\n", setfsuid(3005));
    show("after setfsuid");
    printf("setreuid %d\n", setreuid((uid_t)-1, 3006));
    show("after setreuid");
    printf("setuid %d\n", setuid(3007));
    show("after setuid");
    printf("seteuid %d\n", seteuid(getuid()));
    show("after seteuid");
}

static void new_namespace(void)
{
    int before = open("/proc/self/ns/user", O_RDONLY);
    int result = unshare(CLONE_NEWUSER);
    printf("unshare %d\n", result);
    show("in the new namespace");
    if (result < 0)
        return;
    int map = open("/proc/self/uid_map", O_WRONLY);
    char line[40];
    int length = snprintf(line, sizeof line, "77 %d 1", 0);
    printf("map %d\n", write(map, line, (size_t)length) == length);
    show("after the map");
    close(map);
    /* Back into the old one is not permitted. */
    printf("setns %d\n", setns(before, CLONE_NEWUSER));
    show("after setns");
}

/* A parent with the right to do so enters the namespace of its child. */
static void entered_namespace(void)
{
    int ready[2], go[2];
    CHECK_EQ(pipe(ready), 0);
    CHECK_EQ(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte = unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
        CHECK_EQ(write(ready[1], &byte, 1), 1);
        CHECK_EQ(read(go[0], &byte, 1), 1);
        _exit(0);
    }
    char byte, path[40];
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    snprintf(path, sizeof path, "/proc/%d/ns/user", child);
    int space = open(path, O_RDONLY);
    printf("made %c, entered %d\n", byte, byte == 'y' ? setns(space, CLONE_NEWUSER) : -1);
    show("there");
    CHECK_EQ(write(go[1], "x", 1), 1);
    CHECK_EQ(waitpid(child, NULL, 0), child);
}

int main(void)
{
    show("main");
    in_child(each_call);
    in_child(new_namespace);
    in_child(entered_namespace);
    in_child(threads);
    show("main");
    return done();
}
