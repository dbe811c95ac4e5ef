// build: -O1
// set_tid_address names the word that the kernel clears and wakes when the process ends; it returns the tid.
#include "check.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

int main(void)
{
    int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *word = 1;
    /* The word is cleared only while somebody else shares the memory: a vfork child is such. */
    pid_t child = (pid_t)RAW6(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0, 0);
    if (child == 0) {
        RAW1(SYS_set_tid_address, word);
        RAW1(SYS_exit_group, 4);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 4);
    REREAD();
    CHECK_EQ(*(volatile int *)word, 0);
    int own = 0;
    CHECK_EQ(RAW1(SYS_set_tid_address, &own), getpid());
    struct robust {
        void *next;
        long offset;
        void *pending;
    } head = {&head, 0, NULL}, *got;
    size_t length = 0;
    CHECK_EQ(RAW2(SYS_set_robust_list, &head, sizeof head), 0);
    CHECK_EQ(RAW3(SYS_get_robust_list, 0, &got, &length), 0);
    CHECK_EQ(got, &head);
    CHECK_EQ(length, sizeof head);
    return done();
}
