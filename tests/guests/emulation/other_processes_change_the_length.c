// build: -O1
// options: --no-follow
// A second process truncates and extends a file between and during bursts of small reads and writes: each read sees the length
// of its time, no byte is ever wrong, nobody dies.
#include "files.h"
#include "partner.h"

enum { TRUNCATE = 1, TRUNCATE_BY_NAME, APPEND, SIZE, FLIP, CHECK_CONTENTS };
#define SHORT 5000L
#define LONG 10000L

static void append_to(int fd, long length)
{
    unsigned char bytes[2 * LONG];
    long from = lseek(fd, 0, SEEK_END);
    for (long i = from; i < length; i++)
        bytes[i - from] = byte_at(i);
    CHECK_EQ(write(fd, bytes, (size_t)(length - from)), length - from);
}

static long answer(int question, long argument)
{
    int fd = open("data", O_RDWR);
    CHECK(fd >= 0);
    long result = 0;
    switch (question) {
    case TRUNCATE: result = ftruncate(fd, argument); break;
    case TRUNCATE_BY_NAME: result = truncate("data", argument); break;
    case APPEND: append_to(fd, argument); break;
    case SIZE: result = size_of(fd); break;
    case FLIP:
        for (long i = 0; i < argument; i++) {
            append_to(fd, LONG);
            /* A descriptor of its own each time: opening is what the first process may be asked about. */
            if (i % 8 == 0)
                CHECK_EQ(truncate("data", SHORT), 0);
            else
                CHECK_EQ(ftruncate(fd, SHORT), 0);
            if (i % 16 == 0) {
                close(fd);
                fd = open("data", O_RDWR);
            }
        }
        break;
    case CHECK_CONTENTS:
        CHECK_EQ(size_of(fd), argument);
        pread_burst(fd, argument, 500, 10);
    }
    close(fd);
    return result;
}

static void between_bursts(int access)
{
    unsigned char bytes[8192];
    int fd = open("data", access);
    read_burst(fd, 0, MANY, 10);
    CHECK_EQ(ask(TRUNCATE, 3005), 0);
    read_burst(fd, 3000, 1, 5);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(read(fd, bytes, 10), 0);
    ask(APPEND, 4000);
    read_burst(fd, 3005, 99, 10);
    CHECK_EQ(read(fd, bytes, 10), 5);
    CHECK_EQ(ask(TRUNCATE_BY_NAME, 1000), 0);
    CHECK_EQ(read(fd, bytes, 10), 0);
    CHECK_EQ(offset_of(fd), 4000);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 1000);
    CHECK_EQ(size_of(fd), 1000);
    ask(APPEND, LONG);
    read_burst(fd, 1000, MANY, 10);
    pread_burst(fd, LONG, MANY, 10);
    CHECK_EQ(ask(TRUNCATE, SHORT), 0);
    CHECK_EQ(pread(fd, bytes, 10, SHORT - 4), 4);
    CHECK_EQ(pread(fd, bytes, 10, SHORT), 0);
    pread_burst(fd, SHORT, MANY, 10);
    if (access == O_RDWR) {
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        write_burst(fd, 0, MANY, 10);
        CHECK_EQ(ask(TRUNCATE, 2000), 0);
        /* What was in place a moment ago extends the file now. */
        write_burst(fd, 3000, 1, 10);
        CHECK_EQ(ask(SIZE, 0), 3010);
        CHECK_EQ(pread(fd, bytes, 1000, 2000), 1000);
        for (int i = 0; i < 1000; i++)
            CHECK_EQ(bytes[i], 0);
        CHECK_EQ(ask(TRUNCATE, 2000), 0);
        ask(APPEND, LONG);
    } else {
        ask(APPEND, LONG);
    }
    close(fd);
}

static void during_bursts(void)
{
    int fd = open("data", O_RDWR);
    unsigned char bytes[16];
    partner_begins(FLIP, 400);
    for (long i = 0; !partner_is_done(); i++) {
        long at = (i * 997) % (LONG - 10);
        long got = pread(fd, bytes, 10, at);
        CHECK(got >= 0 && got <= 10);
        /* The part that always exists is there always. What is just cut off may still be read, as zeros too, and what is
         * just appended becomes longer page by page: reads of a regular file take no lock against either. */
        if (at + 10 <= SHORT)
            CHECK_EQ(got, 10);
        for (long k = 0; k < got; k++)
            CHECK(bytes[k] == byte_at(at + k) || (bytes[k] == 0 && at + k >= SHORT));
    }
    partner_answer();
    /* Writes in place, to the part that always exists. */
    partner_begins(FLIP, 200);
    do {
        CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
        write_burst(fd, 100, MANY, 10);
    } while (!partner_is_done());
    partner_answer();
    CHECK_EQ(size_of(fd), SHORT);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    read_burst(fd, 0, 500, 10);
    ask(CHECK_CONTENTS, SHORT);
    close(fd);
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    make_file("data", LONG);
    between_bursts(O_RDONLY);
    between_bursts(O_RDWR);
    CHECK_EQ(ask(TRUNCATE, SHORT), 0);
    during_bursts();
    return done_with_partner();
}
