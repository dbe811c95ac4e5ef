// build: -O1 -pthread
// options: --no-follow
// limit: 120
// Four threads look names up while another process makes and removes them, a fifth thread changes the directory and other threads
// come and go: each sees what was true before its look-up began, or something later.
#include "names.h"
#include "partner.h"
#include <pthread.h>

enum { BEGIN = 1 };
#define ROUNDS 2000
#define THREADS 4

static long answer(int question, long argument)
{
    (void)question;
    for (uint32_t round = 1; round <= (uint32_t)argument; round++) {
        /* Odd: it is there. It is about to change, and has changed. */
        __atomic_store_n(&board->marks[0], round, __ATOMIC_SEQ_CST);
        if (round & 1)
            make_empty("d/name");
        else
            CHECK_EQ(unlink("d/name"), 0);
        __atomic_store_n(&board->marks[1], round, __ATOMIC_SEQ_CST);
        /* Long enough for a fact to be established anew now and then. */
        for (int i = 0; i < (round % 16 ? 20 : 2000); i++)
            getppid();
    }
    __atomic_store_n(&board->marks[2], 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int is_over(void)
{
    return __atomic_load_n(&board->marks[2], __ATOMIC_SEQ_CST);
}

static char absolute[4096];

static void *look_for_it(void *argument)
{
    (void)argument;
    while (!is_over()) {
        uint32_t after = __atomic_load_n(&board->marks[1], __ATOMIC_SEQ_CST);
        long found = may(absolute, F_OK);
        uint32_t before = __atomic_load_n(&board->marks[0], __ATOMIC_SEQ_CST);
        /* Nothing was under way: one answer is right. */
        if (after == before)
            CHECK_EQ(found, after & 1 ? 0 : -ENOENT);
        CHECK(found == 0 || found == -ENOENT);
    }
    return NULL;
}

static void *nothing(void *argument)
{
    return argument;
}

static void *change_directory(void *argument)
{
    (void)argument;
    while (!is_over()) {
        CHECK_EQ(chdir("/"), 0);
        for (int i = 0; i < 600; i++)
            CHECK_EQ(may("only-here", F_OK), -ENOENT);
        CHECK_EQ(chdir(absolute + 2048), 0);
        for (int i = 0; i < 600; i++)
            CHECK_EQ(may("only-here", F_OK), 0);
        pthread_t short_lived;
        CHECK_EQ(pthread_create(&short_lived, NULL, nothing, NULL), 0);
        CHECK_EQ(pthread_join(short_lived, NULL), 0);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK_EQ(may("only-here", F_OK), 0);
            CHECK_EQ(may("not-here", F_OK), -ENOENT);
            _exit(0);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    start_partner(argc, argv);
    CHECK_EQ(mkdir("d", 0755), 0);
    make_empty("only-here");
    CHECK(getcwd(absolute + 2048, 1024) != NULL);
    snprintf(absolute, 2048, "%s/d/name", absolute + 2048);
    look_often(absolute, -ENOENT);
    pthread_t threads[THREADS + 1];
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, look_for_it, NULL), 0);
    CHECK_EQ(pthread_create(&threads[THREADS], NULL, change_directory, NULL), 0);
    partner_begins(BEGIN, ROUNDS);
    for (int i = 0; i <= THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(partner_answer(), 0);
    CHECK_EQ(may(absolute, F_OK), -ENOENT);
    return done_with_partner();
}
