// build: -O1 -pthread
// Memory that is writable and executable holds a call, so it runs translated. One thread executes it while another, which
// never did, writes beside it; then a thread does both in turn.
#include "../code/generated.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static unsigned char *memory;
static atomic_int rounds, written;

// Executes in the page until the other has written.
static void *executes(void *argument)
{
    (void)argument;
    int pid = getpid();
    do {
        CHECK_EQ(call(memory), pid);
        atomic_fetch_add(&rounds, 1);
    } while (!atomic_load(&written));
    return NULL;
}

int main(void)
{
    memory = pages(1, RW);
    // mov eax, SYS_getpid; syscall; ret
    static const unsigned char getpid_code[] = {0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, 0xc3};
    memcpy(memory, getpid_code, sizeof getpid_code);
    CHECK_EQ(mprotect(memory, 4096, RWX), 0);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, executes, NULL), 0);
    while (atomic_load(&rounds) < 10)
        sched_yield();
    put(memory + 2048, 7);
    atomic_store(&written, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    // Written, executed, written again by one thread, which is in its place in between.
    for (int i = 0; i < 300; i++) {
        put(memory + 2048, i);
        CHECK_EQ(call(memory + 2048), i);
        CHECK_EQ(call(memory), getpid());
    }
    return done();
}
