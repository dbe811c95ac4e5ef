// build: -O1 -pthread
// Threads map, protect, replace, move and unmap data, files and code at once, and hand mappings to each other: code is
// what was written last, what was unmapped or replaced faults, data is what was written.
#include "../code/generated.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>

#define THREADS 4
#define ROUNDS 1200
#define SLOTS 8
#define SLOT_PAGES 4
/* Far from where the kernel looks for room: what a thread unmaps here nobody else gets. */
#define AREA(thread) (0x200000000000ul + (uint64_t)(thread) * (64ul << 20))

static int file;
static __thread sigjmp_buf back;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    siglongjmp(back, 1);
}

static int faults(volatile void *where)
{
    if (sigsetjmp(back, 1))
        return 1;
    call(where);
    return 0;
}

/* A mapping that waits for the thread that takes it. */
struct handed {
    unsigned char *at;
    size_t pages;
    int value; /* of the code in it; -1: bytes of the file */
};
static struct handed *waiting;

static unsigned char *map(void *at, size_t count, int protection, int flags, int fd)
{
    void *area = mmap(at, count * 4096, protection, flags, fd, 0);
    CHECK(area != MAP_FAILED && (at == NULL || area == at));
    return area;
}

static unsigned char *map_code(void *at, size_t count, int value)
{
    unsigned char *area = map(at, count, RW, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1);
    put(area + (count - 1) * 4096, value);
    CHECK_EQ(mprotect(area, count * 4096, RX), 0);
    return area;
}

static void unmap(unsigned char *area, size_t count, uint64_t *seed)
{
    size_t first = next_random(seed) % count;
    if (first) /* in two pieces */
        CHECK_EQ(munmap(area, first * 4096), 0);
    CHECK_EQ(munmap(area + first * 4096, (count - first) * 4096), 0);
}

static void hand_over(struct handed *mine, uint64_t *seed)
{
    struct handed *other = __atomic_exchange_n(&waiting, mine, __ATOMIC_ACQ_REL);
    if (!other)
        return;
    unsigned char *last = other->at + (other->pages - 1) * 4096;
    if (other->value >= 0) {
        CHECK_EQ(call(last), other->value);
    } else {
        CHECK_EQ(*last, other->pages - 1);
        /* It becomes private code. */
        if (next_random(seed) % 2) {
            map_code(other->at, other->pages, 77);
            CHECK_EQ(call(last), 77);
        }
    }
    unmap(other->at, other->pages, seed);
    free(other);
}

static void *run(void *argument)
{
    long thread = (long)argument;
    uint64_t seed = (uint64_t)thread * 1000003 + 17;
    int values[SLOTS] = { 0 };
    unsigned char *area = map((void *)AREA(thread), SLOTS * SLOT_PAGES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
    unsigned char *steady = map_code(NULL, 1, 4711);
    for (int i = 1; i <= ROUNDS; i++) {
        int slot = (int)(next_random(&seed) % SLOTS);
        unsigned char *at = area + slot * SLOT_PAGES * 4096, *last = at + (SLOT_PAGES - 1) * 4096;
        size_t count = 1 + next_random(&seed) % 6;
        if (values[slot])
            CHECK_EQ(call(last), values[slot]);
        switch (next_random(&seed) % 8) {
        case 0:
            map_code(at, SLOT_PAGES, values[slot] = i);
            break;
        case 1: /* other code in its place */
            if (values[slot]) {
                CHECK_EQ(mprotect(last, 4096, RW), 0);
                put(last, values[slot] = i + 100000);
                CHECK_EQ(mprotect(last, 4096, RX), 0);
            }
            break;
        case 2: /* data in its place, and a page of it thrown away */
            map(at, SLOT_PAGES, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
            values[slot] = 0;
            put(last, i), at[1] = 1;
            CHECK(faults(last));
            CHECK_EQ(madvise(at, 4096, MADV_DONTNEED), 0);
            CHECK_EQ(at[1], 0);
            break;
        case 3:
            CHECK_EQ(munmap(at, SLOT_PAGES * 4096), 0);
            values[slot] = 0;
            CHECK(faults(last));
            break;
        case 4: /* a file in its place */
            map(at, SLOT_PAGES, PROT_READ, MAP_SHARED | MAP_FIXED, file);
            values[slot] = 0;
            CHECK_EQ(*last, SLOT_PAGES - 1);
            CHECK(faults(last));
            break;
        case 5: { /* anywhere; it grows */
            unsigned char *data = map(NULL, count, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);
            data[count * 4096 - 1] = (unsigned char)i;
            CHECK_EQ(mprotect(data, 4096, PROT_READ), 0);
            CHECK_EQ(mprotect(data, 4096, RW), 0);
            data = mremap(data, count * 4096, count * 8192, MREMAP_MAYMOVE);
            CHECK(data != MAP_FAILED);
            CHECK_EQ(data[count * 4096 - 1], (unsigned char)i);
            unmap(data, count * 2, &seed);
            break;
        }
        case 6: { /* a file anywhere */
            unsigned char *data = map(NULL, count, PROT_READ, MAP_SHARED, file);
            CHECK_EQ(data[(count - 1) * 4096], count - 1);
            unmap(data, count, &seed);
            break;
        }
        case 7: {
            struct handed *mine = malloc(sizeof *mine);
            int is_code = (int)(next_random(&seed) % 2);
            *mine = (struct handed){ NULL, count, is_code ? i : -1 };
            mine->at = is_code ? map_code(NULL, count, i) : map(NULL, count, PROT_READ, MAP_SHARED, file);
            hand_over(mine, &seed);
            break;
        }
        }
        CHECK_EQ(call(steady), 4711);
    }
    return NULL;
}

int main(void)
{
    on_signal(SIGSEGV, handler, SA_NODEFER);
    CHECK((file = memfd_create("file", 0)) >= 0);
    for (int page = 0; page < 8; page++) {
        char bytes[4096] = { (char)page };
        CHECK_EQ(write(file, bytes, sizeof bytes), sizeof bytes);
    }
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, run, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return done();
}
