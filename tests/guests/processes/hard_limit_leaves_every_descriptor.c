// build: -O1
// A program at the hard limit of descriptors, without the right to raise that, gets as many as the limit says, by every call that
// makes some, in their order; it still knows its own file, and starts programs.
#include "check.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void give_up_right(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0); /* Who has no right to do it has not the other one either. */
    CHECK_EQ(syscall(SYS_capget, &head, data), 0);
    for (int i = 0; i < 2; i++)
        data[i].inheritable = 0;
    data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
    data[0].permitted &= ~(1u << CAP_SYS_RESOURCE);
    CHECK_EQ(syscall(SYS_capset, &head, data), 0);
}

static void names_itself(void)
{
    char name[256];
    long length = readlink("/proc/self/exe", name, sizeof name - 1);
    CHECK(length > 0);
    name[length] = 0;
    CHECK(strstr(name, "hard_limit_leaves_every_descriptor") != NULL);
}

static int last;

static int in_order(int fd)
{
    if (fd >= 0) {
        CHECK_EQ(fd, last + 1);
        last = fd;
    }
    return fd;
}

static int one_more(int kind)
{
    int ends[2];
    switch (kind) {
    case 0: return pipe(ends) == 0 ? 2 : -1;
    case 1: return in_order(open("/dev/null", O_RDONLY)) >= 0 ? 1 : -1;
    case 2: return in_order(dup(0)) >= 0 ? 1 : -1;
    case 3: return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? 2 : -1;
    case 4: return in_order(eventfd(0, 0)) >= 0 ? 1 : -1;
    default: return in_order(fcntl(0, F_DUPFD, 5)) >= 0 ? 1 : -1;
    }
}

static void use_up(int kind, int limit)
{
    last = kind == 5 ? 4 : 2;
    int count = 3, more, per_call = kind == 0 || kind == 3 ? 2 : 1;
    while ((more = one_more(kind)) > 0)
        count += more;
    CHECK_EQ(errno, EMFILE);
    limit -= kind == 5 ? 2 : 0;
    CHECK_EQ(count, limit - (limit - 3) % per_call);
    names_itself();
    CHECK_EQ(syscall(SYS_close_range, 3, ~0u, 0), 0);
    names_itself();
}

static void start(char *self, const char *kind, const char *limit)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl(self, self, kind, limit, (char *)NULL);
        _exit(98);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        use_up(atoi(argv[1]), atoi(argv[2]));
        execl(argv[0], argv[0], "end", (char *)NULL);
        return 97;
    }
    if (argc == 2) {
        names_itself();
        return 0;
    }
    static const int limits[] = {1024, 300, 64, 33};
    CHECK_EQ(syscall(SYS_close_range, 3, ~0u, 0), 0);
    give_up_right();
    for (int i = 0; i < 4; i++) {
        struct rlimit limit = {(rlim_t)limits[i], (rlim_t)limits[i]};
        char kind[8], text[8];
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        for (int n = 0; n < 6; n++) {
            snprintf(kind, sizeof kind, "%d", n);
            snprintf(text, sizeof text, "%d", limits[i]);
            start(argv[0], kind, text);
        }
    }
    return done();
}
