// build: -O1 -pthread
// arch_prctl(ARCH_GET_FS) tells each thread its own fs base, follows what sets it, and refuses addresses that cannot be written.
#include "../check.h"
#include <asm/prctl.h>
#include <pthread.h>

static unsigned long own_base(void)
{
    unsigned long base;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(base)); /* the C library keeps it there */
    return base;
}

static void *look(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++) {
        unsigned long base = 1;
        CHECK_EQ(RAW2(SYS_arch_prctl, ARCH_GET_FS, &base), 0);
        CHECK_EQ(base, own_base());
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, look, NULL), 0);
    look(NULL);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    printf("null %ld, kernel %ld\n", RAW2(SYS_arch_prctl, ARCH_GET_FS, 0), RAW2(SYS_arch_prctl, ARCH_GET_FS, 0xffff800000000000UL));
    /* No libc between the two calls: fs is not its own. */
    unsigned long before = own_base(), moved[2] = {0}, seen = 0;
    moved[0] = before;
    long set = RAW2(SYS_arch_prctl, ARCH_SET_FS, moved);
    long got = RAW2(SYS_arch_prctl, ARCH_GET_FS, &seen);
    RAW2(SYS_arch_prctl, ARCH_SET_FS, before);
    printf("set %ld, got %ld, %s\n", set, got, seen == (unsigned long)moved ? "the new one" : "another");
    return 0;
}
