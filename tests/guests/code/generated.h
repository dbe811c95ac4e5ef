/* Generated code for guests: a function that returns a number, and pages to put it in. */
#ifndef GENERATED_H
#define GENERATED_H
#include "check.h"
#include <sys/mman.h>

typedef int (*function)(void);

/* mov $value, %eax; ret */
static __attribute__((unused)) void put(volatile unsigned char *where, int value)
{
    where[0] = 0xb8;
    memcpy((void *)(where + 1), &value, 4);
    where[5] = 0xc3;
}

static __attribute__((unused)) unsigned char *pages(size_t count, int protection)
{
    void *area = mmap(NULL, count * 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    return area;
}

static __attribute__((unused)) int call(volatile void *where) { return ((function)(uintptr_t)where)(); }

#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define RX (PROT_READ | PROT_EXEC)
#define RW (PROT_READ | PROT_WRITE)
#endif
