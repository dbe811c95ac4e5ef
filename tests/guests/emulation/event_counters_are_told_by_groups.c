// build: -O1
// options: --no-follow
// An eventfd that is registered with a control group (cgroup.event_control of the first version's memory controller) is told of
// events there, also after bursts of the program's own. Without such a group there is nothing to show.
#include "partner.h"
#include <sys/eventfd.h>

static char group[200];

static int in_group(const char *name, int flags)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return open(path, flags | O_CLOEXEC);
}

static void burst(int fd)
{
    uint64_t one = 1, count;
    for (int i = 0; i < 3000; i++) {
        CHECK_EQ(write(fd, &one, 8), 8);
        CHECK_EQ(read(fd, &count, 8), 8);
        CHECK_EQ(count, 1);
    }
}

/* Removes the group as soon as it is marked. */
static long answer(int question, long argument)
{
    (void)question;
    snprintf(group, sizeof group, "/sys/fs/cgroup/memory/bt-events-%ld", argument);
    while (__atomic_load_n(&board->marks[0], __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    return rmdir(group);
}

/* The removal of the group is an event, too: each registered counter counts one. Whoever removes it, the program makes no
 * call meanwhile but reads of the counter. */
static void one(int burst_first)
{
    int counter = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (burst_first)
        burst(counter);
    CHECK_EQ(mkdir(group, 0755), 0);
    int usage = in_group("memory.usage_in_bytes", O_RDONLY), control = in_group("cgroup.event_control", O_WRONLY);
    CHECK(usage >= 0 && control >= 0);
    char line[60];
    int len = snprintf(line, sizeof line, "%d %d 1000000", counter, usage);
    CHECK_EQ(write(control, line, (size_t)len), len);
    close(control);
    close(usage);
    board->marks[0] = 0;
    partner_begins(0, getpid());
    burst(counter);
    __atomic_store_n(&board->marks[0], 1, __ATOMIC_SEQ_CST);
    uint64_t count = 0;
    long long begin = now_ns(CLOCK_MONOTONIC);
    while (read(counter, &count, 8) != 8)
        CHECK(now_ns(CLOCK_MONOTONIC) - begin < 5000000000);
    CHECK_EQ(count, 1);
    CHECK_EQ(partner_answer(), 0);
    close(counter);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    snprintf(group, sizeof group, "/sys/fs/cgroup/memory/bt-events-%d", getpid());
    if (access("/sys/fs/cgroup/memory/cgroup.event_control", W_OK) == 0 && mkdir(group, 0755) == 0) {
        CHECK_EQ(rmdir(group), 0);
        one(0);
        one(1);
    }
    return done_with_partner();
}
