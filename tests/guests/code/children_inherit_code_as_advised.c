// build: -O1
// A child has no code where its parent said MADV_DONTFORK, and zeros after MADV_WIPEONFORK; what is thrown away by
// process_madvise, or by an madvise that meets a hole, is gone at once.
#include "generated.h"
#include <fcntl.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* How a child ends that calls the code: the value it returned, or the negative signal. */
static int called_in_child(unsigned char *code)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(call(code));
    CHECK_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static unsigned char *code_page(int value, int protection)
{
    unsigned char *code = pages(1, RW);
    put(code, value);
    CHECK_EQ(mprotect(code, 4096, protection), 0);
    CHECK_EQ(call(code), value);
    return code;
}

static void left_out(int protection)
{
    unsigned char *code = code_page(7, protection);
    CHECK_EQ(called_in_child(code), 7);
    CHECK_EQ(madvise(code, 4096, MADV_DONTFORK), 0);
    CHECK_EQ(called_in_child(code), -SIGSEGV);
    CHECK_EQ(call(code), 7);
    /* The mark moves with the mapping, and goes with it. */
    unsigned char *away = pages(1, PROT_NONE);
    CHECK(mremap(code, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away);
    CHECK_EQ(call(away), 7);
    CHECK_EQ(called_in_child(away), -SIGSEGV);
    CHECK_EQ(madvise(away, 4096, MADV_DOFORK), 0);
    CHECK_EQ(called_in_child(away), 7);
    CHECK_EQ(madvise(away, 4096, MADV_DONTFORK), 0);
    CHECK_EQ(munmap(away, 4096), 0);
    CHECK(mmap(away, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)away);
    put(away, 8);
    CHECK_EQ(mprotect(away, 4096, protection), 0);
    CHECK_EQ(call(away), 8);
    CHECK_EQ(called_in_child(away), 8);
    CHECK_EQ(munmap(away, 4096), 0);
}

static void wiped(void)
{
    unsigned char *code = code_page(9, RX), *open = code_page(11, RWX);
    CHECK_EQ(madvise(code, 4096, MADV_WIPEONFORK), 0);
    CHECK_EQ(madvise(open, 4096, MADV_WIPEONFORK), 0);
    /* Zeros are `add %al, (%rax)`. */
    CHECK_EQ(called_in_child(code), -SIGSEGV);
    int status;
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(open[0], 0);
        put(open, 12);
        CHECK_EQ(call(open), 12);
        CHECK_EQ(called_in_child(open + 4000), -SIGSEGV);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(call(code), 9);
    CHECK_EQ(call(open), 11);
    CHECK_EQ(madvise(code, 4096, MADV_KEEPONFORK), 0);
    CHECK_EQ(called_in_child(code), 9);
}

/* A private mapping of a file whose code returns 1, changed to return 2. */
static unsigned char *changed_file(int file)
{
    unsigned char *code = mmap(NULL, 8192, RWX, MAP_PRIVATE, file, 0);
    CHECK_EQ(call(code), 1);
    put(code, 2);
    CHECK_EQ(call(code), 2);
    return code;
}

static void thrown_away(void)
{
    unsigned char text[8192] = {0};
    int file = open("code", O_RDWR | O_CREAT | O_TRUNC, 0644);
    put(text, 1);
    CHECK_EQ(write(file, text, sizeof text), (long)sizeof text);
    /* The second page is a hole. */
    unsigned char *code = changed_file(file);
    CHECK_EQ(munmap(code + 4096, 4096), 0);
    CHECK_EQ(madvise(code, 8192, MADV_DONTNEED), -1);
    CHECK_EQ(errno, ENOMEM);
    CHECK_EQ(call(code), 1);
    /* The kernel may not know it for the process itself (before Linux 6.13). */
    code = changed_file(file);
    struct iovec range = {code, 8192};
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    long gone = syscall(SYS_process_madvise, self, &range, 1, MADV_DONTNEED, 0);
    CHECK(gone == 8192 || gone == -1);
    CHECK_EQ(call(code), gone == 8192 ? 1 : 2);
    put(code, 2);
    gone = syscall(SYS_process_madvise, self, &range, 1, MADV_DONTFORK, 0);
    CHECK_EQ(called_in_child(code), gone == 8192 ? -SIGSEGV : 2);
    CHECK_EQ(close(self), 0);
}

int main(void)
{
    left_out(RX);
    left_out(RWX);
    wiped();
    thrown_away();
    return done();
}
