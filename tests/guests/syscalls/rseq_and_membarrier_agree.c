// build: -O1
// A kernel that refuses rseq offers no membarrier for it: programs take the one for a sign of the other.
#include "check.h"
#include <linux/membarrier.h>
#include <sys/syscall.h>

int main(void)
{
    /* A misaligned area is refused with EINVAL where the call exists. */
    int exists = syscall(SYS_rseq, (void *)1, 32, 0, 0) < 0 && errno != ENOSYS;
    long offered = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    CHECK(offered > 0);
    int commands = MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ;
    if (!exists) {
        CHECK_EQ(offered & commands, 0);
        CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0), -1);
        CHECK_EQ(errno, EINVAL);
    }
    CHECK(offered & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
    CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
    return done();
}
