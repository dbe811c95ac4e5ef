// build: -O1 -pthread
// mmap, mprotect, munmap and faults by several threads at once; other threads' code keeps running.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>

static __thread sigjmp_buf back;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    siglongjmp(back, 1);
}

static void *run(void *argument)
{
    uint64_t seed = (uint64_t)(long)argument * 1000003 + 17;
    long faults = 0;
    for (int i = 0; i < 1500; i++) {
        size_t pages = 1 + next_random(&seed) % 16;
        volatile char *area = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(area != MAP_FAILED);
        for (size_t page = 0; page < pages; page++)
            area[page * 4096] = (char)page;
        CHECK_EQ(mprotect((void *)area, 4096, i % 2 ? PROT_READ : PROT_NONE), 0);
        if (sigsetjmp(back, 1) == 0) {
            area[0] = 1;
            CHECK(!"write to a protected page");
        }
        faults++;
        if (i % 3 == 0) {
            /* One mapping again: mremap takes no two at once. */
            CHECK_EQ(mprotect((void *)area, 4096, PROT_READ | PROT_WRITE), 0);
            area = mremap((void *)area, pages * 4096, pages * 8192, MREMAP_MAYMOVE);
            CHECK(area != MAP_FAILED);
            CHECK_EQ(area[4096 * (pages - 1)], (char)(pages - 1));
            pages *= 2;
        }
        CHECK_EQ(munmap((void *)area, pages * 4096), 0);
    }
    return (void *)faults;
}

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    pthread_t threads[4];
    for (long i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run, (void *)i);
    long sum = 0;
    for (int i = 0; i < 4; i++) {
        void *faults;
        pthread_join(threads[i], &faults);
        sum += (long)faults;
    }
    printf("%ld faults\n", sum);
    return done();
}
