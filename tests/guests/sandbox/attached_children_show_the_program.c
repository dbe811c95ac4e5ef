// build: -O1
// native: attached_children_show_the_program
// A program attaches to a child that runs already (PTRACE_ATTACH, PTRACE_SEIZE), in a loop or in a call: its places, calls and
// signals are those of the program, and after PTRACE_DETACH it goes on.
#include "check.h"
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* spin_here(&word): counts in the word until its sign changes; call_here as a function with a known `syscall`. */
void spin_here(volatile long *word);
long call_here(long number, long a, long b, long c);
extern char spin_end[], call_here_at[];
__asm__("spin_here:\n 1: incq (%rdi)\n cmpq $0, 8(%rdi)\n je 1b\n ret\n spin_end:\n"
        "call_here:\n mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov %rcx, %rdx\n"
        "call_here_at: syscall\n ret\n");

static volatile long *words; /* a counter, its end, what the child tells */
static volatile int runs;
static int ends[2];

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    runs++;
}

static int stop_of(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status))
        check_failed(__FILE__, __LINE__, "the child is stopped", status, 0);
    return status >> 8;
}

static struct user_regs_struct registers(pid_t child)
{
    struct user_regs_struct regs;
    CHECK_EQ(ptrace(PTRACE_GETREGS, child, NULL, &regs), 0);
    return regs;
}

static void ends_with(pid_t child, int code)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, code << 8);
}

static void spins(void) { spin_here(words); }

static void reads(void)
{
    char byte;
    words[0] = 1;
    CHECK_EQ(call_here(SYS_read, ends[0], (long)&byte, 1), 1);
    CHECK_EQ(byte, 'x');
}

static pid_t child_that(void (*what)(void))
{
    fflush(stdout);
    words[0] = words[1] = 0;
    pid_t child = fork();
    if (child == 0) {
        on_signal(SIGUSR1, handler, SA_RESTART);
        what();
        /* Seen and counted by the tracer: its own calls, and a signal. */
        CHECK_EQ(call_here(SYS_getpid, 0, 0, 0), getpid());
        raise(SIGUSR1);
        REREAD();
        CHECK_EQ(runs, 1);
        _exit(8);
    }
    while (words[0] == 0)
        sched_yield();
    return child;
}

static void is_asleep(pid_t child)
{
    char path[64], text[200], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    while (state != 'S') {
        FILE *file = fopen(path, "r");
        CHECK(file != NULL && fgets(text, sizeof text, file) != NULL);
        fclose(file);
        state = strrchr(text, ')')[2];
    }
}

/* Stops the child, in one of the two ways. */
static void attach(pid_t child, int seizes)
{
    if (!seizes) {
        CHECK_EQ(ptrace(PTRACE_ATTACH, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGSTOP);
        CHECK_EQ(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    } else {
        CHECK_EQ(ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
        CHECK_EQ(ptrace(PTRACE_INTERRUPT, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGTRAP | 128 << 8); /* PTRACE_EVENT_STOP */
    }
}

static void steps(pid_t child)
{
    CHECK_EQ(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
    CHECK_EQ(stop_of(child), SIGTRAP);
}

/* The next stop at a call made by `call_here`. */
static struct user_regs_struct next_call(pid_t child)
{
    for (;;) {
        CHECK_EQ(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGTRAP | 0x80);
        struct user_regs_struct regs = registers(child);
        if (regs.rip == (unsigned long)call_here_at + 2)
            return regs;
    }
}

static void shows_rest(pid_t child)
{
    struct user_regs_struct regs = next_call(child);
    CHECK_EQ(regs.orig_rax, SYS_getpid);
    regs = next_call(child);
    CHECK_EQ(regs.rax, child);
    CHECK_EQ(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
    CHECK_EQ(stop_of(child), SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_DETACH, child, NULL, (void *)SIGUSR1), 0);
    ends_with(child, 8);
}

static void of_loops(int seizes)
{
    pid_t child = child_that(spins);
    attach(child, seizes);
    struct user_regs_struct regs = registers(child);
    CHECK(regs.rip >= (unsigned long)spin_here && regs.rip < (unsigned long)spin_end);
    CHECK_EQ(regs.rdi, (unsigned long)words);
    long word = words[0];
    CHECK_EQ(ptrace(PTRACE_PEEKDATA, child, (void *)words, NULL), word);
    for (int i = 0; i < 9; i++) {
        CHECK_EQ(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGTRAP);
    }
    CHECK_EQ(words[0], word + 3);
    words[1] = 1;
    shows_rest(child);
}

static void of_calls(int seizes)
{
    pid_t child = child_that(reads);
    is_asleep(child);
    attach(child, seizes);
    struct user_regs_struct regs = registers(child);
    CHECK_EQ(regs.rip, (unsigned long)call_here_at + 2);
    CHECK_EQ(regs.orig_rax, SYS_read);
    CHECK_EQ(regs.rdi, ends[0]);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    /* The call is made again. */
    regs = next_call(child);
    CHECK_EQ(regs.orig_rax, SYS_read);
    regs = next_call(child);
    CHECK_EQ(regs.rax, 1);
    shows_rest(child);
}

/* Calls of many kinds, of which some may be answered in the process: what they read and count is right throughout. */
static void is_busy(void)
{
    int file = open("data", O_RDONLY), pipes[2];
    sigset_t set, old;
    CHECK(file >= 0);
    CHECK_EQ(pipe(pipes), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigaddset(&set, SIGUSR2);
    for (long at = 0; words[1] == 0; at++, words[0]++) {
        unsigned char byte = 0;
        if (at == 20000) {
            at = 0;
            CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
        }
        CHECK_EQ(read(file, &byte, 1), 1);
        CHECK_EQ(byte, (unsigned char)(at * 7));
        CHECK_EQ(write(pipes[1], &byte, 1), 1);
        CHECK_EQ(read(pipes[0], &byte, 1), 1);
        CHECK_EQ(byte, (unsigned char)(at * 7));
        if (at % 16 == 0) {
            struct timespec now;
            CHECK_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
            CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
            CHECK(getppid() > 1);
            CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
            free(malloc(100000));
        }
    }
    close(file), close(pipes[0]), close(pipes[1]);
}

static unsigned long asked;

static int holds_asked(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && part->p_flags & PF_X && asked - info->dlpi_addr - part->p_vaddr < part->p_memsz)
            return 1;
    }
    return 0;
}

/* The place is one of the program's or its libraries'. */
static void is_in_program(pid_t child)
{
    asked = registers(child).rip;
    if (!dl_iterate_phdr(holds_asked, NULL))
        check_failed(__FILE__, __LINE__, "the child is in the program", (long)asked, 0);
}

static void of_anything(int seizes, long after)
{
    pid_t child = child_that(is_busy);
    while (words[0] < after)
        sched_yield();
    attach(child, seizes);
    is_in_program(child);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        CHECK_EQ(stop_of(child), SIGTRAP | 0x80);
        is_in_program(child);
    }
    CHECK_EQ(ptrace(PTRACE_DETACH, child, NULL, NULL), 0);
    long before = words[0];
    while (words[0] < before + 100)
        sched_yield();
    words[1] = 1;
    ends_with(child, 8);
}

/* One that has executed a program since it was forked, which lies elsewhere. */
static void of_programs(int seizes, char *self)
{
    int tells[2];
    unsigned long place = 0;
    CHECK_EQ(pipe(tells), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", tells[1]);
        execl(self, self, number, (char *)NULL);
        _exit(98);
    }
    CHECK_EQ(read(tells[0], &place, sizeof place), sizeof place);
    attach(child, seizes);
    struct user_regs_struct regs = registers(child);
    while (regs.rip - place >= (unsigned long)(spin_end - (char *)spin_here)) {
        /* It is on its way from the call. */
        steps(child);
        regs = registers(child);
    }
    for (int i = 0; i < 30; i++) {
        steps(child);
        regs = registers(child);
        CHECK(regs.rip - place < (unsigned long)(spin_end - (char *)spin_here));
    }
    CHECK_EQ(kill(child, SIGKILL), 0);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, SIGKILL);
    close(tells[0]), close(tells[1]);
}

/* One that is let go at once has noticed nothing. */
static void of_nothing(int seizes)
{
    pid_t child = child_that(reads);
    is_asleep(child);
    attach(child, seizes);
    CHECK_EQ(ptrace(PTRACE_DETACH, child, NULL, NULL), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    ends_with(child, 8);
}

static void stops_itself(void)
{
    words[0] = 1;
    CHECK_EQ(call_here(SYS_kill, getpid(), SIGSTOP, 0), 0);
    words[1] = 1;
}

/* One that has stopped itself stays so when it is seized: natively it is told of, and goes on when it is continued. */
static void of_stopped(void)
{
    pid_t child = child_that(stops_itself);
    int status;
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    CHECK_EQ(status, SIGSTOP << 8 | 0x7f);
    CHECK_EQ(ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    CHECK_EQ(stop_of(child), SIGSTOP | 128 << 8);
    CHECK_EQ(words[1], 0);
    CHECK_EQ(kill(child, SIGCONT), 0);
    CHECK_EQ(words[1], 0);
    int signal = 0;
    for (;;) {
        CHECK_EQ(ptrace(PTRACE_CONT, child, NULL, (long)signal), 0);
        CHECK_EQ(waitpid(child, &status, 0), child);
        if (!WIFSTOPPED(status))
            break;
        signal = status >> 16 ? 0 : status >> 8 & 0xff;
    }
    CHECK_EQ(words[1], 1);
    CHECK_EQ(status, 8 << 8);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        static volatile long own[2];
        unsigned long place = (unsigned long)spin_here;
        CHECK_EQ(write(atoi(argv[1]), &place, sizeof place), sizeof place);
        spin_here(own);
    }
    CHECK_EQ(pipe(ends), 0);
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(words != MAP_FAILED);
    int file = open("data", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (long i = 0; i < 20000; i++) {
        unsigned char byte = (unsigned char)(i * 7);
        CHECK_EQ(write(file, &byte, 1), 1);
    }
    close(file);
    for (int i = 0; i < 40; i++)
        of_anything(i % 2, i * 151);
    for (int seizes = 0; seizes < 2; seizes++) {
        of_loops(seizes);
        of_calls(seizes);
        of_nothing(seizes);
        of_programs(seizes, argv[0]);
    }
    for (int i = 0; i < 20; i++)
        of_stopped();
    return done();
}
