// build: -O1 -ldl
// links: raw_calls.so parts/raw_calls.c
// links: raw_calls_too.so parts/raw_calls.c
// calls: equal
// A library with calls of its own, and a copy of it, are loaded and unloaded; other memory comes to where they were.
#include "../code/generated.h"
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>

int main(int argc, char **argv)
{
    (void)argc;
    char path[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv[0], sizeof directory - 1);
    dirname(directory);
    long pid = getpid(), parent = getppid();
    unsigned char *occupied = NULL;
    for (int i = 0; i < 150; i++) {
        snprintf(path, sizeof path, "%s/raw_calls%s.so", directory, i % 3 == 1 ? "_too" : "");
        void *library = dlopen(path, RTLD_NOW);
        CHECK(library != NULL);
        long (*own_pid)(void) = (long (*)(void))dlsym(library, "own_pid");
        long (*own_parent)(void) = (long (*)(void))dlsym(library, "own_parent");
        long (*own_read)(int) = (long (*)(int))dlsym(library, "own_read");
        long (*own_call)(long, long) = (long (*)(long, long))dlsym(library, "own_call");
        char *many = dlsym(library, "own_many");
        for (int k = 0; k < 3; k++) {
            CHECK_EQ(own_pid(), pid);
            CHECK_EQ(own_parent(), parent);
            CHECK_EQ(own_read(-1), -EBADF);
            CHECK_EQ(own_call(SYS_close, -1), -EBADF);
            for (int n = 0; n < 512; n += 37)
                CHECK_EQ(((long (*)(void))(uintptr_t)(many + 16 * n))(), pid);
        }
        if (occupied)
            CHECK_EQ(munmap(occupied, 4096), 0);
        occupied = NULL;
        uintptr_t where = (uintptr_t)own_pid & ~4095UL;
        CHECK_EQ(dlclose(library), 0);
        if (i % 4 == 3) {
            /* Generated code where the library's was. */
            occupied = mmap((void *)where, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
            CHECK(occupied == (void *)where);
            static const unsigned char code[] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};
            for (int k = 0; k < 4096 - 8; k += 8)
                memcpy(occupied + k, code, sizeof code);
            CHECK_EQ(mprotect(occupied, 4096, RX), 0);
            for (int k = 0; k < 4096 - 8; k += 256)
                CHECK_EQ(call(occupied + k), parent);
        }
    }
    return done();
}
