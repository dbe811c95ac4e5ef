// build: -O1 -pthread
// Threads read and write four files by shared descriptors while another replaces the descriptors, changes the files' lengths and forks: a
// read gives the bytes of the file that the descriptor led to at some time during the call, a write reaches no other file, and two readers
// of one description never get the same place. STRESS_SECONDS in the environment makes it longer.
#include "files.h"
#include <pthread.h>
#include <sys/wait.h>

#define LENGTH 65536
#define WORDS (LENGTH / 4)
#define SECONDS 4

enum { A_OR_B, ONLY_A, ONLY_B, SLOTS };
static int slots[SLOTS];
static volatile int stop;
static int words_fd;
static unsigned char taken[WORDS];
static pthread_barrier_t turn;

static unsigned char byte_of(int file, long offset) { return byte_at(offset) ^ (file ? 0x55 : 0); }

static void make(const char *name, int file)
{
    unsigned char bytes[LENGTH];
    for (long i = 0; i < LENGTH; i++)
        bytes[i] = byte_of(file, i);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK_EQ(write(fd, bytes, LENGTH), LENGTH);
    close(fd);
}

static unsigned next(unsigned *state) { return (*state = *state * 1664525 + 1013904223) >> 8; }

/* The others find the descriptor closed for a moment. */
static void replace(int slot, const char *name)
{
    CHECK_EQ(close(slots[slot]), 0);
    CHECK_EQ(open(name, O_RDWR | O_CLOEXEC), slots[slot]);
}

static int is_closed(long result) { return result == -1 && errno == EBADF; }

static void *uses(void *number)
{
    unsigned state = (unsigned)(long)number * 7919 + 1;
    unsigned char bytes[700];
    while (!stop) {
        int slot = (int)(next(&state) % SLOTS);
        for (int i = 0; i < 400; i++) {
            long length = 1 + next(&state) % sizeof bytes, at = next(&state) % (LENGTH - length);
            if (slot != A_OR_B && i % 3 == 0) {
                for (long k = 0; k < length; k++)
                    bytes[k] = byte_of(slot == ONLY_B, at + k);
                long wrote = pwrite(slots[slot], bytes, (size_t)length, at);
                CHECK(wrote == length || is_closed(wrote));
                continue;
            }
            long got = pread(slots[slot], bytes, (size_t)length, at);
            if (is_closed(got))
                continue;
            CHECK_EQ(got, length);
            int file = slot == A_OR_B ? bytes[0] != byte_of(0, at) : slot == ONLY_B;
            for (long k = 0; k < length; k++)
                if (bytes[k] != byte_of(file, at + k))
                    check_failed(__FILE__, __LINE__, "the file's own byte", bytes[k], at + k);
        }
    }
    return NULL;
}

/* Reads words one after the other, with the others, until there is none left. */
static void *takes(void *number)
{
    (void)number;
    while (!stop) {
        pthread_barrier_wait(&turn);
        uint32_t word;
        while (read(words_fd, &word, 4) == 4) {
            CHECK(word < WORDS);
            CHECK_EQ(__atomic_fetch_add(&taken[word], 1, __ATOMIC_SEQ_CST), 0);
        }
        pthread_barrier_wait(&turn);
    }
    return NULL;
}

static void change(unsigned *state)
{
    switch (next(state) % 16) {
    case 0: replace(A_OR_B, next(state) % 2 ? "a" : "b"); break;
    case 1: replace(ONLY_A, "a"); break;
    case 2: replace(ONLY_B, "b"); break;
    case 3:
        CHECK_EQ(truncate("a", LENGTH + 4096 * (next(state) % 3)), 0);
        break;
    case 4: CHECK_EQ(ftruncate(slots[ONLY_B], LENGTH + next(state) % 5000), 0); break;
    case 5: CHECK_EQ(chmod("b", next(state) % 2 ? 0644 : 0600), 0); break;
    case 6: {
        if (next(state) % 4)
            break;
        pid_t child = fork();
        if (child == 0) {
            unsigned char byte;
            _exit(pread(slots[ONLY_A], &byte, 1, 77) == 1 && byte == byte_of(0, 77) ? 0 : 1);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        break;
    }
    default: {
        long long begin = now_ns(CLOCK_MONOTONIC);
        while (now_ns(CLOCK_MONOTONIC) - begin < 3000000)
            ;
    }
    }
}

static void check_file(const char *name, int file)
{
    unsigned char bytes[LENGTH];
    int fd = open(name, O_RDONLY);
    CHECK_EQ(read(fd, bytes, LENGTH), LENGTH);
    for (long i = 0; i < LENGTH; i++)
        CHECK_EQ(bytes[i], byte_of(file, i));
    close(fd);
}

int main(void)
{
    const char *longer = getenv("STRESS_SECONDS");
    long long limit = (longer ? atoi(longer) : SECONDS) * 1000000000LL, begin = now_ns(CLOCK_MONOTONIC);
    make("a", 0);
    make("b", 1);
    uint32_t words[WORDS];
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = i;
    words_fd = open("words", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK_EQ(write(words_fd, words, LENGTH), LENGTH);
    slots[A_OR_B] = open("a", O_RDWR);
    slots[ONLY_A] = open("a", O_RDWR);
    slots[ONLY_B] = open("b", O_RDWR);
    pthread_t users[5], takers[3];
    CHECK_EQ(pthread_barrier_init(&turn, NULL, 4), 0);
    for (long i = 0; i < 5; i++)
        CHECK_EQ(pthread_create(&users[i], NULL, uses, (void *)i), 0);
    for (long i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&takers[i], NULL, takes, NULL), 0);
    unsigned state = 12345;
    while (!stop) {
        memset(taken, 0, sizeof taken);
        /* A child may have the description of before: its offset is nobody's own. */
        CHECK_EQ(close(words_fd), 0);
        CHECK_EQ(open("words", O_RDWR), words_fd);
        pthread_barrier_wait(&turn);
        for (int i = 0; i < 20; i++)
            change(&state);
        int last = now_ns(CLOCK_MONOTONIC) - begin > limit;
        /* Before the takers look whether they are to stop. */
        if (last)
            stop = 1;
        pthread_barrier_wait(&turn);
        for (uint32_t i = 0; i < WORDS && !last; i++)
            CHECK_EQ(taken[i], 1);
    }
    for (int i = 0; i < 5; i++)
        pthread_join(users[i], NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(takers[i], NULL);
    check_file("a", 0);
    check_file("b", 1);
    CHECK_EQ(truncate("a", LENGTH), 0);
    CHECK_EQ(truncate("b", LENGTH), 0);
    CHECK_EQ(chmod("b", 0644), 0);
    return done();
}
