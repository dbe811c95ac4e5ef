/* A second process that shares nothing with the first but the directory: the program itself, started anew. Tests that
 * include this have the head line `options: --no-follow`, so that the partner runs natively and sees what any process
 * would see.
 * The first asks, the partner carries out `answer` and tells its result. */
#ifndef PARTNER_H
#define PARTNER_H

#include "check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* What both see; the words that are waited on stand alone. */
struct board {
    uint32_t asked, answered; /* count questions and answers */
    int32_t question;
    int32_t first_pid;
    int64_t argument, answer;
    uint32_t marks[8]; /* for the test's own use */
};
static volatile struct board *board;
static pid_t partner_pid;

/* The partner's side: every test has its own. */
static long answer(int question, long argument);

/* Sleeps until the word has changed from `old`; a lost partner ends the test. */
static __attribute__((unused)) void await_change(volatile uint32_t *word, uint32_t old)
{
    struct timespec limit = {0, 100000000};
    for (int rounds = 0; __atomic_load_n(word, __ATOMIC_SEQ_CST) == old; rounds++) {
        RAW6(SYS_futex, word, FUTEX_WAIT, old, &limit, 0, 0);
        CHECK(rounds < 200);
        siginfo_t info = {0};
        if (partner_pid)
            CHECK_EQ(waitid(P_PID, (id_t)partner_pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
        CHECK_EQ(info.si_pid, 0);
    }
}

static __attribute__((unused)) void change(volatile uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    RAW6(SYS_futex, word, FUTEX_WAKE, 100, 0, 0, 0);
}

/* Has the partner begin; `partner_answer` waits for its result. */
static __attribute__((unused)) void partner_begins(int question, long argument)
{
    board->question = question;
    board->argument = argument;
    change(&board->asked, board->asked + 1);
}

static __attribute__((unused)) int partner_is_done(void)
{
    return __atomic_load_n(&board->answered, __ATOMIC_SEQ_CST) == board->asked;
}

static __attribute__((unused)) long partner_answer(void)
{
    await_change(&board->answered, board->asked - 1);
    return board->answer;
}

static __attribute__((unused)) long ask(int question, long argument)
{
    partner_begins(question, argument);
    return partner_answer();
}

/* The first lines of main: in the partner it does not return. */
static __attribute__((unused)) void start_partner(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "partner") == 0) {
        int memory = atoi(argv[2]);
        board = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        CHECK(board != MAP_FAILED);
        close(memory);
        for (uint32_t seen = 0;; seen++) {
            await_change(&board->asked, seen);
            if (board->question < 0)
                _exit(0);
            board->answer = answer(board->question, board->argument);
            change(&board->answered, seen + 1);
        }
    }
    int memory = (int)syscall(SYS_memfd_create, "board", 0);
    CHECK(memory >= 0);
    CHECK_EQ(ftruncate(memory, 4096), 0);
    board = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    CHECK(board != MAP_FAILED);
    board->first_pid = getpid();
    char number[16];
    snprintf(number, sizeof number, "%d", memory);
    char *arguments[] = {argv[0], "partner", number, NULL};
    CHECK_EQ(posix_spawn(&partner_pid, argv[0], NULL, NULL, arguments, environ), 0);
    close(memory);
}

static __attribute__((unused)) int done_with_partner(void)
{
    partner_begins(-1, 0);
    int status;
    CHECK_EQ(waitpid(partner_pid, &status, 0), partner_pid);
    CHECK_EQ(status, 0);
    return done();
}

#endif
