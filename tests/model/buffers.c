/* Buffers of every quality: good ones, and such that begin or end where memory cannot be used. */
#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096L
#define LENGTH (40 * PAGE)

/* Each actor has its own, because a signal's handler uses the spare part. */
static __thread unsigned char *arena;

/* A page that is missing, LENGTH bytes, a page that is missing; LENGTH bytes, a page without rights, a read-only page,
 * a page that is missing. */
static void make_arena(void)
{
    static unsigned long made;
    /* Far from where mappings usually go: nobody else is to come into the holes. */
    unsigned char *wish = (unsigned char *)(0x5a0000000000u + (__atomic_fetch_add(&made, 1, __ATOMIC_SEQ_CST) << 24));
    unsigned char *all = mmap(wish, 2 * LENGTH + 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        abort();
    munmap(all, PAGE);
    munmap(all + PAGE + LENGTH, PAGE);
    mprotect(all + 2 * PAGE + 2 * LENGTH, PAGE, PROT_NONE);
    fill_bytes(all + 3 * PAGE + 2 * LENGTH, PAGE, 5);
    mprotect(all + 3 * PAGE + 2 * LENGTH, PAGE, PROT_READ);
    munmap(all + 4 * PAGE + 2 * LENGTH, PAGE);
    arena = all + PAGE;
}

struct buffer make_buffer(long kind, long length, long left)
{
    if (!arena)
        make_arena();
    unsigned char *second = arena + LENGTH + PAGE;
    struct buffer buffer = {.start = arena + 64 + (left & 7)};
    if (length < 0 || length > LENGTH - 128)
        length = LENGTH - 128;
    buffer.reachable = buffer.start;
    buffer.reachable_length = length;
    left = left < length ? left : length;
    switch (kind) {
    case NOWHERE:
        buffer.start = (unsigned char *)8;
        buffer.reachable_length = 0;
        break;
    case ENDS_UNMAPPED:
        buffer.start = buffer.reachable = arena + LENGTH - left;
        buffer.reachable_length = left;
        break;
    case BEGINS_UNMAPPED:
        buffer.start = arena - 1 - left % PAGE;
        buffer.reachable_length = 0;
        break;
    case ENDS_WITHOUT_RIGHTS:
        buffer.start = buffer.reachable = second + LENGTH - left;
        buffer.reachable_length = left;
        break;
    case READ_ONLY:
        buffer.start = buffer.reachable = second + LENGTH + PAGE;
        buffer.reachable_length = length < PAGE ? length : PAGE;
        break;
    default:
        break;
    }
    return buffer;
}

void fill_bytes(unsigned char *bytes, long length, long seed)
{
    uint64_t state = (uint64_t)seed * 0x9e3779b97f4a7c15u + 1;
    for (long i = 0; i < length; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (unsigned char)(state >> 56);
    }
}

/* FNV-1a. */
uint64_t hash_bytes(uint64_t hash, const unsigned char *bytes, long length)
{
    for (long i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

void say_hash(const struct buffer *buffer, long got)
{
    if (got > buffer->reachable_length)
        got = buffer->reachable_length;
    if (got > 0)
        say(" #%016lx", (unsigned long)hash_bytes(HASH_START, buffer->reachable, got));
}
