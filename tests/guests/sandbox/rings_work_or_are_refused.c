// build: -O1
// io_uring by its raw calls: no-op, read and write through the ring; where the kernel refuses it, the error.
#include "check.h"
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>

static struct io_uring_params params;
static char *rings;
static struct io_uring_sqe *entries;
static int ring;

static int submit(int operation, int fd, void *buffer, unsigned length)
{
    unsigned *tail = (unsigned *)(rings + params.sq_off.tail), mask = *(unsigned *)(rings + params.sq_off.ring_mask);
    unsigned *array = (unsigned *)(rings + params.sq_off.array), index = *tail & mask;
    memset(&entries[index], 0, sizeof entries[index]);
    entries[index].opcode = (unsigned char)operation;
    entries[index].fd = fd;
    entries[index].addr = (uintptr_t)buffer;
    entries[index].len = length;
    entries[index].user_data = 77;
    array[index] = index;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    CHECK_EQ(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
    unsigned *head = (unsigned *)(rings + params.cq_off.head), cmask = *(unsigned *)(rings + params.cq_off.ring_mask);
    CHECK(__atomic_load_n((unsigned *)(rings + params.cq_off.tail), __ATOMIC_ACQUIRE) != *head);
    struct io_uring_cqe *completion = (struct io_uring_cqe *)(rings + params.cq_off.cqes) + (*head & cmask);
    CHECK_EQ(completion->user_data, 77);
    int result = completion->res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    return result;
}

int main(void)
{
    ring = (int)syscall(SYS_io_uring_setup, 8, &params);
    if (ring < 0) {
        printf("refused: %s\n", strerror(errno));
        return 0;
    }
    CHECK(params.features & IORING_FEAT_SINGLE_MMAP);
    size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    size_t other = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    rings = mmap(NULL, size > other ? size : other, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    entries = mmap(NULL, params.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    CHECK(rings != MAP_FAILED && entries != MAP_FAILED);
    CHECK_EQ(submit(IORING_OP_NOP, -1, NULL, 0), 0);
    int file = open("file", O_RDWR | O_CREAT, 0644);
    char text[100] = "through the ring", back[100] = {0};
    for (int i = 0; i < 100; i++) {
        text[0] = (char)('a' + i % 26);
        CHECK_EQ(submit(IORING_OP_WRITE, file, text, 16), 16);
        CHECK_EQ(pread(file, back, 100, 0), 16);
        CHECK_EQ(memcmp(text, back, 16), 0);
        memset(back, 0, sizeof back);
        CHECK_EQ(submit(IORING_OP_READ, file, back, 100), 16);
        CHECK_EQ(memcmp(text, back, 16), 0);
    }
    CHECK_EQ(submit(IORING_OP_READ, 9999, back, 1), -EBADF);
    return done();
}
