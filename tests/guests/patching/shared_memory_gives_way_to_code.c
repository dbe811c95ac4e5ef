// build: -O1 -pthread
// Code in private memory where shared memory was, mapped by another thread, a moment ago: its calls are the program's
// own. Shared memory that is executed shows its bytes.
#include "../code/generated.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

#define PAGES 4
#define BYTES (PAGES * 4096ul)

/* mov $SYS_readlink, %eax; syscall; ret */
static const unsigned char text[] = { 0xb8, SYS_readlink, 0, 0, 0, 0x0f, 0x05, 0xc3 };
typedef long (*caller)(const char *path, char *buffer, size_t size);

static char expected[4096];
static int file;

/* The link leads to the program natively, and to what runs it if the call is not seen. */
static void check_call(void *where)
{
    char path[4096] = "";
    long length = ((caller)(uintptr_t)where)("/proc/self/exe", path, sizeof path - 1);
    CHECK_EQ(length, strlen(expected));
    CHECK_EQ(strcmp(path, expected), 0);
}

static void *map_shared(void *at)
{
    void *area = mmap(at, BYTES, PROT_READ, MAP_SHARED | (at ? MAP_FIXED : 0), file, 0);
    CHECK(area != MAP_FAILED);
    return area;
}

static void *in_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    void *result;
    CHECK_EQ(pthread_create(&thread, NULL, function, argument), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    return result;
}

/* Private code in all of it but `skip` bytes at its start. */
static void make_code(unsigned char *area, size_t skip)
{
    void *at = mmap(area + skip, BYTES - skip, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(at == area + skip);
    memcpy(at, text, sizeof text);
    memcpy(area + BYTES - 2048, text, sizeof text);
    CHECK_EQ(mprotect(at, BYTES - skip, RX), 0);
    check_call(at);
    check_call(area + BYTES - 2048);
}

static void *unmap(void *area)
{
    CHECK_EQ(munmap(area, BYTES), 0);
    return NULL;
}

int main(void)
{
    long length = readlink("/proc/self/exe", expected, sizeof expected - 1);
    CHECK(length > 0);
    CHECK((file = memfd_create("file", 0)) >= 0);
    CHECK_EQ(ftruncate(file, BYTES), 0);
    CHECK_EQ(pwrite(file, text, sizeof text, 0), sizeof text);

    /* Executed as it is, whoever mapped it, its bytes stay what they are for everybody. */
    for (int i = 0; i < 2; i++) {
        unsigned char *area = i ? in_thread(map_shared, NULL) : map_shared(NULL), *other = map_shared(NULL);
        CHECK_EQ(mprotect(area, BYTES, RX), 0);
        char path[4096];
        CHECK_EQ(((caller)(uintptr_t)area)("/proc/self/cwd", path, sizeof path), readlink("/proc/self/cwd", path, sizeof path));
        CHECK_EQ(memcmp(area, text, sizeof text), 0);
        CHECK_EQ(memcmp(other, text, sizeof text), 0);
        unmap(area), unmap(other);
    }
    /* Unmapped by another thread. */
    for (int i = 0; i < 40; i++) {
        unsigned char *area = in_thread(map_shared, NULL);
        if (i % 2)
            unmap(area);
        make_code(area, 0);
        unmap(area);
    }
    /* More of them at once than anybody would remember one by one. */
    unsigned char *many[40];
    for (int i = 0; i < 40; i++)
        many[i] = map_shared(NULL);
    for (int i = 0; i < 40; i += 2)
        in_thread(unmap, many[i]), make_code(many[i], 0);
    for (int i = 0; i < 40; i++)
        unmap(many[i]);
    /* A part of it stays shared. */
    for (int i = 0; i < 10; i++) {
        unsigned char *area = in_thread(map_shared, NULL);
        make_code(area, 4096 * (1 + i % 3));
        CHECK_EQ(memcmp(area, text, sizeof text), 0);
        unmap(area);
    }
    /* It is moved away. */
    for (int i = 0; i < 10; i++) {
        unsigned char *area = in_thread(map_shared, NULL);
        unsigned char *to = pages(PAGES, PROT_NONE);
        CHECK(mremap(area, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
        make_code(area, 0);
        CHECK_EQ(memcmp(to, text, sizeof text), 0);
        make_code(to, 0);
        unmap(area), unmap(to);
    }
    /* The child has what a thread of its parent mapped. */
    for (int i = 0; i < 5; i++) {
        unsigned char *area = in_thread(map_shared, NULL);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            make_code(area, 4096);
            CHECK_EQ(memcmp(area, text, sizeof text), 0);
            _exit(0);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        unmap(area);
    }
    return done();
}
