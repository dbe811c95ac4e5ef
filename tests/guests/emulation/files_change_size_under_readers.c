// build: -O1
// options: --no-follow
// Another process changes a file's length thousands of times, by every call that does, and says so when its call has returned: a
// reader that has just been answered in the process sees the new length at once, and never anything else.
#include "files.h"
#include "partner.h"

enum { CHANGE = 1, SIZE = 8192, SMALL = 4096, ROUNDS = 1000 };
/* Words of the board: what was asked for last, and what has been done. */
enum { WANTED, DONE };

/* One change; odd rounds make it small. */
static void make_change(int file, long round)
{
    long size = round & 1 ? SMALL : SIZE;
    char bytes[SIZE - SMALL];
    for (long i = 0; i < (long)sizeof bytes; i++)
        bytes[i] = (char)byte_at(SMALL + i);
    switch (round >> 1 & 3) {
    case 0: CHECK_EQ(ftruncate(file, size), 0); break;
    case 1: CHECK_EQ(truncate("data", size), 0); break;
    case 2:
        if (size == SMALL)
            CHECK_EQ(ftruncate(file, size), 0);
        else
            CHECK_EQ(fallocate(file, 0, SMALL, SIZE - SMALL), 0);
        break;
    default:
        if (size == SMALL)
            CHECK_EQ(ftruncate(file, size), 0);
        else
            CHECK_EQ(pwrite(file, bytes, sizeof bytes, SMALL), (long)sizeof bytes);
    }
}

static long answer(int question, long argument)
{
    (void)question, (void)argument;
    int file = open("data", O_RDWR);
    CHECK(file >= 0);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        await_change(&board->marks[WANTED], round - 1);
        make_change(file, round);
        change(&board->marks[DONE], round);
    }
    return close(file);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    make_file("data", SIZE);
    int file = open("data", O_RDONLY);
    char byte;
    partner_begins(CHANGE, 0);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        long before = round & 1 ? 1 : 0;
        /* Enough that the process may answer by itself. */
        for (int i = 0; i < 3000; i++)
            CHECK_EQ(pread(file, &byte, 1, SMALL + 5), before);
        change(&board->marks[WANTED], round);
        for (;;) {
            int was_done = __atomic_load_n(&board->marks[DONE], __ATOMIC_SEQ_CST) == round;
            long now = pread(file, &byte, 1, SMALL + 5);
            if (was_done) {
                CHECK_EQ(now, 1 - before);
                break;
            }
        }
    }
    CHECK_EQ(partner_answer(), 0);
    return done_with_partner();
}
