// build[dynamic]: -O1
// build[static]: -O1 -static
// needs: g++
// C++ exceptions through 50 frames with destructors, rethrown, through a C callback, from a destructor-heavy
// loop, and one that nobody catches in noexcept code ends in terminate.
#include "check.h"
#include <cstdlib>
#include <exception>
#include <string>
#include <sys/wait.h>

static int destroyed;

struct Level {
    std::string text = "a string that is long enough for the heap";
    ~Level() { destroyed++; }
};

__attribute__((noinline)) static int level(int n)
{
    Level here;
    if (n == 0)
        throw std::string("from the bottom");
    try {
        return level(n - 1) + static_cast<int>(here.text.size());
    } catch (int) {
        return 0;
    } catch (...) {
        if (n % 10 == 0)
            throw;
        throw;
    }
}

static int compare(const void *, const void *) { throw 42; }
static void ends() noexcept { level(3); }

int main()
{
    for (int i = 0; i < 300; i++)
        try {
            level(50);
            CHECK(!"nothing was thrown");
        } catch (const std::string &text) {
            CHECK(text == "from the bottom");
        }
    CHECK_EQ(destroyed, 300 * 51);
    int numbers[] = {3, 2, 1};
    try {
        qsort(numbers, 3, sizeof numbers[0], compare);
    } catch (int value) {
        CHECK_EQ(value, 42);
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        std::set_terminate([] { _exit(7); });
        ends();
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 7);
    printf("%d destroyed\n", destroyed);
    return done();
}
