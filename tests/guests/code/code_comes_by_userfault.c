// build: -O1 -pthread
// Code pages that another thread supplies when they are first touched (userfaultfd): each comes once, wherever the thread
// comes from that needs it.
#include "generated.h"
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

#define PAGES 16

static int faults;
static unsigned char *area;
static volatile int supplied;

/* Page n: at its start `mov $n, %eax; ret`; at its end a jump into the next page. */
static void *supply(void *unused)
{
    (void)unused;
    unsigned char *page = pages(1, RW);
    for (;;) {
        struct uffd_msg message;
        if (read(faults, &message, sizeof message) != sizeof message)
            return NULL;
        CHECK_EQ(message.event, UFFD_EVENT_PAGEFAULT);
        uint64_t at = message.arg.pagefault.address & ~4095ul;
        memset(page, 0x90, 4096);
        put(page, (int)((at - (uintptr_t)area) / 4096));
        /* Calls that a thread makes which supplies pages. */
        void *more = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK_EQ(mprotect(more, 4096, RX), 0);
        CHECK_EQ(munmap(more, 4096), 0);
        struct uffdio_copy copy = {.dst = at, .src = (uintptr_t)page, .len = 4096};
        supplied++;
        CHECK_EQ(ioctl(faults, UFFDIO_COPY, &copy), 0);
    }
}

int main(void)
{
    pthread_t thread;
    faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (faults < 0)
        return done();
    struct uffdio_api api = {.api = UFFD_API};
    CHECK_EQ(ioctl(faults, UFFDIO_API, &api), 0);
    area = pages(PAGES, RWX);
    struct uffdio_register range = {.range = {(uintptr_t)area, PAGES * 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    CHECK_EQ(ioctl(faults, UFFDIO_REGISTER, &range), 0);
    CHECK_EQ(pthread_create(&thread, NULL, supply, NULL), 0);
    /* By calls, in an order that leaves gaps. */
    for (int i = 0; i < PAGES; i += 2) {
        CHECK_EQ(call(area + i * 4096), i);
        CHECK_EQ(supplied, i / 2 + 1);
    }
    /* From the end of a page into one that is not there. */
    for (int i = 0; i < PAGES - 2; i += 2) {
        CHECK_EQ(call(area + i * 4096 + 4000), i + 1);
        CHECK_EQ(supplied, PAGES / 2 + i / 2 + 1);
    }
    /* By a jump; it comes again after it was thrown away. */
    unsigned char *jump = pages(1, RWX);
    jump[0] = 0xe9;
    for (int round = 0; round < 3; round++) {
        int before = supplied, distance = (int)(area - (jump + 5));
        memcpy(jump + 1, &distance, 4);
        CHECK_EQ(madvise(area, 4096, MADV_DONTNEED), 0);
        CHECK_EQ(call(jump), 0);
        CHECK_EQ(supplied, before + 1);
    }
    /* Made executable before it is there. */
    int before = supplied;
    CHECK_EQ(mprotect(area, PAGES * 4096, RW), 0);
    CHECK_EQ(madvise(area, PAGES * 4096, MADV_DONTNEED), 0);
    CHECK_EQ(mprotect(area, PAGES * 4096, RX), 0);
    CHECK_EQ(supplied, before);
    for (int i = 0; i < PAGES; i += 3)
        CHECK_EQ(call(area + i * 4096), i);
    CHECK_EQ(supplied, before + (PAGES + 2) / 3);
    return done();
}
