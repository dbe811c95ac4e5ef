// build[dynamic]: -O1
// build[static]: -O1 -static
// build[static_pie]: -O1 -static-pie -fPIE
// IFUNC relocations, constructors, TLS images and destructors work in every link type.
#include "check.h"

static int order;
static __thread int local = 42;
static __thread char zeroed[5000];

static int chosen(int value) { return value + 1; }
static int (*resolve(void))(int) { return chosen; }
int selected(int value) __attribute__((ifunc("resolve")));

__attribute__((constructor(101))) static void first(void) { CHECK_EQ(order++, 0); }
__attribute__((constructor(102))) static void second(void) { CHECK_EQ(order++, 1); }
__attribute__((destructor)) static void last(void) { dprintf(1, "destructor after %d\n", order); }
static void at_exit(void) { dprintf(1, "atexit\n"); }

int main(void)
{
    CHECK_EQ(order, 2);
    CHECK_EQ(selected(1), 2);
    CHECK_EQ(local, 42);
    for (size_t i = 0; i < sizeof zeroed; i++)
        CHECK_EQ(zeroed[i], 0);
    CHECK_EQ(atexit(at_exit), 0);
    dprintf(1, "main\n");
    return 0;
}
