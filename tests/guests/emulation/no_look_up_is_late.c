// build: -O1
// options: --no-follow
// limit: 120
// 20,000 times another process makes a name, or takes it away, and sets a word when its call has returned: a look-up after the word
// was seen says what is true. Names of four components, two of them in a directory that others use.
#include "names.h"
#include "partner.h"

enum { BEGIN = 1 };
#define ROUNDS 20000

static const char name[] = "a/b/c/name";

/* marks[0]: the round that may begin; marks[1]: the round whose call has returned. */
static long answer(int question, long argument)
{
    (void)question;
    for (uint32_t round = 1; round <= (uint32_t)argument; round++) {
        await_change(&board->marks[0], round - 1);
        if (round & 1)
            make_empty(name);
        else if (round & 2)
            CHECK_EQ(unlink(name), 0);
        else
            CHECK_EQ(rename(name, "a/b/aside"), 0);
        change(&board->marks[1], round);
    }
    return 0;
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    CHECK_EQ(mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("a/b/c", 0755), 0);
    look_often(name, -ENOENT);
    partner_begins(BEGIN, ROUNDS);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        long before = round & 1 ? -ENOENT : 0;
        long after = round & 1 ? 0 : -ENOENT;
        for (int i = 0; i < 8; i++)
            CHECK_EQ(may(name, F_OK), before);
        __atomic_store_n(&board->marks[0], round, __ATOMIC_SEQ_CST);
        RAW6(SYS_futex, &board->marks[0], 1 /* FUTEX_WAKE */, 100, 0, 0, 0);
        /* The word is looked at before the name. */
        for (;;) {
            uint32_t seen = __atomic_load_n(&board->marks[1], __ATOMIC_SEQ_CST);
            long found = may(name, F_OK);
            if (seen == round) {
                CHECK_EQ(found, after);
                break;
            }
            CHECK(found == before || found == after);
        }
        CHECK_EQ(look(name), after);
    }
    CHECK_EQ(partner_answer(), 0);
    return done_with_partner();
}
