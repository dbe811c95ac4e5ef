// build: -O1
// options: --no-follow
// Who is sent a byte after a burst of writes finds their time at the file and, if it watches, an event that came after what it had read
// in the middle of the burst; whichever call sends the byte.
#include "files.h"
#include "partner.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { CONNECT, RECEIVE };
static int watch = -1, end = -1;
static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "place"};

static long answer(int question, long argument)
{
    if (question == CONNECT) {
        watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        CHECK(inotify_add_watch(watch, "data", IN_MODIFY) > 0);
        end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(end, (struct sockaddr *)&address, sizeof address), 0);
        return 0;
    }
    char events[4096];
    for (long round = 0; round < argument; round++) {
        char byte;
        /* The other writes from here on, and says by a word that it is in the middle. */
        CHECK_EQ(write(end, "", 1), 1);
        while (__atomic_load_n(&board->marks[2], __ATOMIC_SEQ_CST) != round + 1)
            ;
        while (read(watch, events, sizeof events) > 0)
            ;
        __atomic_store_n(&board->marks[3], round + 1, __ATOMIC_SEQ_CST);
        CHECK_EQ(read(end, &byte, 1), 1);
        struct stat stat;
        CHECK_EQ(lstat("data", &stat), 0);
        long long written = board->marks[0] * 1000000000LL + board->marks[1];
        CHECK(stat.st_mtim.tv_sec * 1000000000LL + stat.st_mtim.tv_nsec >= written);
        CHECK(read(watch, events, sizeof events) > 0);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const int rounds = 400;
    start_partner(argc, argv);
    make_file("data", 20000);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(listen(listener, 1), 0);
    int fd = open("data", O_RDWR);
    partner_begins(CONNECT, 0);
    int end = accept(listener, NULL, NULL);
    CHECK_EQ(partner_answer(), 0);
    partner_begins(RECEIVE, rounds);
    for (int round = 0; round < rounds; round++) {
        char byte = 'x';
        CHECK_EQ(read(end, &byte, 1), 1);
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        write_burst(fd, 0, MANY + round, 3);
        __atomic_store_n(&board->marks[2], round + 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&board->marks[3], __ATOMIC_SEQ_CST) != (uint32_t)round + 1)
            ;
        touch_byte(fd, 600);
        /* File times are those of the coarse clock. */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        board->marks[0] = (uint32_t)now.tv_sec;
        board->marks[1] = (uint32_t)now.tv_nsec;
        touch_byte(fd, 700);
        struct iovec part = {&byte, 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        switch (round % 4) {
        case 0: CHECK_EQ(write(end, &byte, 1), 1); break;
        case 1: CHECK_EQ(send(end, &byte, 1, 0), 1); break;
        case 2: CHECK_EQ(writev(end, &part, 1), 1); break;
        case 3: CHECK_EQ(sendmsg(end, &message, 0), 1); break;
        }
    }
    CHECK_EQ(partner_answer(), 0);
    return done_with_partner();
}
