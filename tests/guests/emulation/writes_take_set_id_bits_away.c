// build: -O1
// options: --no-follow
// A file that is being written in small pieces is given a set-user-id bit by its owner, another process: the next write takes it away,
// as it does without a burst; and so it is with a second writer who truncates the file: the next write is where it belongs.
#include "files.h"
#include "partner.h"

enum { GIVE, CUT };

#define ROUNDS 30

/* In each round the partner makes its change when it is asked by a word, and says so by another: neither is a call. */
static long answer(int question, long argument)
{
    for (uint32_t round = 1; round <= argument; round++) {
        while (__atomic_load_n(&board->marks[0], __ATOMIC_SEQ_CST) != round)
            ;
        if (question == GIVE)
            CHECK_EQ(chmod("data", 04755), 0);
        else
            CHECK_EQ(truncate("data", 5000), 0);
        __atomic_store_n(&board->marks[1], round, __ATOMIC_SEQ_CST);
    }
    return 0;
}

static void have_it_changed(uint32_t round)
{
    __atomic_store_n(&board->marks[0], round, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&board->marks[1], __ATOMIC_SEQ_CST) != round)
        ;
}

int main(int argc, char **argv)
{
    make_file("data", 20000);
    if (getuid() == 0) {
        CHECK_EQ(chown("data", 65534, 65534), 0);
        CHECK_EQ(chmod(".", 0777), 0);
    }
    start_partner(argc, argv);
    int fd = open("data", O_RDWR);
    /* Root keeps the bits. */
    if (getuid() == 0) {
        CHECK_EQ(setgid(65534), 0);
        CHECK_EQ(setuid(65534), 0);
    }
    partner_begins(GIVE, ROUNDS);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        write_burst(fd, 0, 3 * MANY, 3);
        have_it_changed(round);
        touch_byte(fd, 700);
        struct stat stat;
        CHECK_EQ(fstat(fd, &stat), 0);
        CHECK_EQ(stat.st_mode & 07777, 0755);
    }
    CHECK_EQ(partner_answer(), 0);
    board->marks[0] = board->marks[1] = 0;
    partner_begins(CUT, ROUNDS);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        write_burst(fd, 0, 3 * MANY, 3);
        have_it_changed(round);
        unsigned char byte = byte_at(15000);
        CHECK_EQ(pwrite(fd, &byte, 1, 15000), 1);
        CHECK_EQ(size_of(fd), 15001);
        unsigned char end[2];
        CHECK_EQ(pread(fd, end, 2, 14999), 2);
        CHECK_EQ(end[0], 0);
        CHECK_EQ(end[1], byte);
        CHECK_EQ(ftruncate(fd, 0), 0);
        unsigned char bytes[20000];
        for (long i = 0; i < 20000; i++)
            bytes[i] = byte_at(i);
        CHECK_EQ(pwrite(fd, bytes, 20000, 0), 20000);
    }
    CHECK_EQ(partner_answer(), 0);
    return done_with_partner();
}
