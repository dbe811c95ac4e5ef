/* What guests share: checks that end the process, raw system calls, helpers without libc state. */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static __attribute__((unused, noreturn)) void check_failed(const char *file, int line, const char *what,
                                                           long left, long right)
{
    /* dprintf would use malloc for long texts only: it is safe enough in handlers. */
    dprintf(2, "%s:%d: %s does not hold (%ld = %#lx, %ld = %#lx, errno %d)\n", file, line, what, left,
            (unsigned long)left, right, (unsigned long)right, errno);
    _exit(99);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_failed(__FILE__, __LINE__, #condition, 0, 0);                                    \
    } while (0)

#define CHECK_EQ(left, right)                                                                      \
    do {                                                                                           \
        long left_ = (long)(left), right_ = (long)(right);                                         \
        if (left_ != right_)                                                                       \
            check_failed(__FILE__, __LINE__, #left " == " #right, left_, right_);                  \
    } while (0)

/* The kernel's own answer: -errno on failure. */
static __attribute__((unused)) long raw(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#define RAW0(n) raw(n, 0, 0, 0, 0, 0, 0)
#define RAW1(n, a) raw(n, (long)(a), 0, 0, 0, 0, 0)
#define RAW2(n, a, b) raw(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define RAW3(n, a, b, c) raw(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define RAW4(n, a, b, c, d) raw(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define RAW6(n, a, b, c, d, e, f) raw(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static __attribute__((unused)) void on_signal(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigemptyset(&action.sa_mask);
    CHECK_EQ(sigaction(signal, &action, NULL), 0);
}

static __attribute__((unused)) long long now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* glibc declares kill, raise and others as leaf functions: the compiler would keep statics that a
 * handler changes in registers. */
#define REREAD() __asm__ volatile("" : : : "memory")

/* A number sequence that is the same everywhere. */
static __attribute__((unused)) uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static __attribute__((unused)) int done(void)
{
    puts("ok");
    return 0;
}
#endif
