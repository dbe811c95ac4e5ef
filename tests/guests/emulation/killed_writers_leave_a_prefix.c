// build: -O1
// A writer is killed at some point of a burst. The file holds all writes that had returned, at most one more, and no other.
#include "files.h"
#include <sys/mman.h>
#include <sys/wait.h>

#define RECORDS 512
#define RECORD 24

/* Record i of round r. */
static void fill(unsigned char *bytes, uint32_t round, uint32_t i)
{
    for (uint32_t k = 0; k < RECORD; k++)
        bytes[k] = (unsigned char)(round * 31 + i * 7 + k);
}

/* Record i is of this round. */
static int is_of(const unsigned char *bytes, uint32_t round, uint32_t i)
{
    unsigned char wanted[RECORD];
    fill(wanted, round, i);
    return memcmp(bytes, wanted, RECORD) == 0;
}

/* Record i is being written: its first bytes are of the round that follows. */
static int is_on_its_way(const unsigned char *bytes, uint32_t round, uint32_t i)
{
    unsigned char before[RECORD], after[RECORD];
    fill(before, round, i);
    fill(after, round + 1, i);
    uint32_t done = 0;
    while (done < RECORD && bytes[done] == after[done])
        done++;
    return memcmp(bytes + done, before + done, RECORD - done) == 0;
}

static void writer(int how, volatile uint32_t *written)
{
    int fd = open("data", O_RDWR);
    unsigned char bytes[RECORD];
    for (uint32_t n = 0;; n++) {
        uint32_t i = n % RECORDS;
        fill(bytes, 1 + n / RECORDS, i);
        if (i == 0 && how == 0)
            CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        if (how == 0)
            CHECK_EQ(write(fd, bytes, RECORD), RECORD);
        else
            CHECK_EQ(pwrite(fd, bytes, RECORD, i * RECORD), RECORD);
        __atomic_store_n(written, n + 1, __ATOMIC_SEQ_CST);
    }
}

int main(void)
{
    volatile uint32_t *written = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(written != MAP_FAILED);
    static unsigned char all[RECORDS * RECORD];
    uint64_t random = 88172645463325252;
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < RECORDS; i++)
            fill(all + i * RECORD, 0, i);
        int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644);
        CHECK_EQ(write(fd, all, sizeof all), sizeof all);
        close(fd);
        *written = 0;
        pid_t child = fork();
        if (child == 0)
            writer(round % 2, written);
        uint32_t until = next_random(&random) % 3000;
        while (__atomic_load_n(written, __ATOMIC_SEQ_CST) < until)
            CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
        kill(child, SIGKILL);
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        uint32_t count = *written;
        fd = open("data", O_RDONLY);
        CHECK_EQ(read(fd, all, sizeof all), sizeof all);
        CHECK_EQ(size_of(fd), sizeof all);
        close(fd);
        for (uint32_t i = 0; i < RECORDS; i++) {
            /* Record i was written last by write n, the greatest with n % RECORDS == i among the first `count`. */
            uint32_t times = count / RECORDS + (i < count % RECORDS);
            const unsigned char *record = all + i * RECORD;
            CHECK(i == count % RECORDS ? is_on_its_way(record, times, i) : is_of(record, times, i));
        }
    }
    unlink("data");
    return done();
}
