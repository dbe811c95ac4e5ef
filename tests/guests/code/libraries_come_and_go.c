// build: -O1 -ldl
// links: library_one.so parts/library_one.c
// links: library_two.so parts/library_two.c
// dlopen, dlclose and dlopen of another library at what is often the same address: each call reaches the
// code that is loaded now.
#include "check.h"
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>

static int callback(int x) { return x - 5; }

int main(int argc, char **argv)
{
    (void)argc;
    char path[PATH_MAX], directory[PATH_MAX];
    strncpy(directory, argv[0], sizeof directory - 1);
    dirname(directory);
    int same = 0;
    void *last = NULL;
    for (int i = 0; i < 400; i++) {
        int two = i % 3 == 1;
        snprintf(path, sizeof path, "%s/library_%s.so", directory, two ? "two" : "one");
        void *library = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY);
        if (!library)
            dprintf(2, "%s\n", dlerror());
        CHECK(library != NULL);
        int (*value)(int) = (int (*)(int))dlsym(library, "value");
        int (*other)(int (*)(int), int) = (int (*)(int (*)(int), int))dlsym(library, "other");
        for (int x = 0; x < 20; x++) {
            CHECK_EQ(value(x), two ? x * 3 - 20 + 1 : x * 2 + 10 + 1);
            CHECK_EQ(other(callback, x), x - 5 + (two ? 20 : 10));
        }
        same += last == (void *)value;
        last = (void *)value;
        CHECK_EQ(dlclose(library), 0);
    }
    CHECK(same > 0);
    CHECK(dlopen("no-such-library.so", RTLD_NOW) == NULL);
    return done();
}
