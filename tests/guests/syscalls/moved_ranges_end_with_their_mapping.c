// build: -O1
// mremap of more than the mapping that begins there: EFAULT, whatever comes after it; arguments are looked at first.
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    /* Libraries lie above it, as does what else the kernel put there. */
    for (size_t reach = 1; reach < (1ul << 35); reach *= 2) {
        size_t length = 4096 + reach * 4096;
        if (length > 0x7fffffffe000 - (uintptr_t)page)
            break;
        CHECK(mremap(page, length, length + 4096, MREMAP_MAYMOVE) == MAP_FAILED);
        CHECK(errno == EFAULT || errno == ENOMEM);
        if (length < (1ul << 30))
            CHECK_EQ(errno, EFAULT);
        CHECK(mremap(page + 1, length, length + 4096, MREMAP_MAYMOVE) == MAP_FAILED);
        CHECK_EQ(errno, EINVAL);
        CHECK(mremap(page, length, length, 0x100) == MAP_FAILED);
        CHECK_EQ(errno, EINVAL);
        CHECK(mremap(page, length, 0, MREMAP_MAYMOVE) == MAP_FAILED);
        CHECK_EQ(errno, EINVAL);
        CHECK(mremap(page, length, length + 4096, MREMAP_FIXED, page) == MAP_FAILED);
        CHECK_EQ(errno, EINVAL);
    }
    CHECK_EQ(munmap(page, 4096), 0);
    return done();
}
