// build: -O1 -fnon-call-exceptions -fasynchronous-unwind-tables
// needs: g++
// A C++ exception thrown in a SIGSEGV or SIGFPE handler unwinds through the signal frame and the code
// that faulted, running destructors.
#include "check.h"
#include <stdexcept>

static int destroyed;

struct Guard {
    ~Guard() { destroyed++; }
};

static void handler(int signal, siginfo_t *info, void *)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    if (signal == SIGSEGV)
        throw info->si_addr;
    throw std::runtime_error("division");
}

__attribute__((noinline)) static int fault(int depth, int *where, int divisor)
{
    Guard guard;
    if (depth > 0)
        return fault(depth - 1, where, divisor) + 1;
    return where ? 100 / divisor : *where;
}

int main()
{
    on_signal(SIGSEGV, handler, 0);
    on_signal(SIGFPE, handler, 0);
    int caught = 0, value = 1;
    for (int round = 0; round < 200; round++) {
        try {
            fault(round % 20, round % 2 ? &value : nullptr, 0);
        } catch (void *address) {
            CHECK_EQ(address, 0);
            caught++;
        } catch (const std::runtime_error &error) {
            CHECK_EQ(strcmp(error.what(), "division"), 0);
            caught += 1000;
        }
    }
    printf("%d caught, %d destroyed\n", caught, destroyed);
    return done();
}
