/* The sequences: reading them, taking turns, printing what was seen. */
#include "model.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct control *control;
int slots[SLOTS];
int sockets[2];
int process;
char *program;

static const char *const actor_names[] = {"A0", "A1", "B0", "B1"};

__attribute__((noreturn)) static void broken(const char *what)
{
    perror(what);
    _exit(98);
}

static void await_change(uint32_t *word, uint32_t old)
{
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == old)
        syscall(SYS_futex, word, FUTEX_WAIT, old, NULL, NULL, 0);
}

static void change(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Only the actor whose turn it is prints: nothing else orders the text. */
void say(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int wrote = vsnprintf(control->text + control->length, sizeof control->text - control->length, format, list);
    va_end(list);
    control->length += (uint32_t)wrote;
    if (control->length >= sizeof control->text)
        control->length = sizeof control->text - 1;
}

static void run_op(uint32_t index)
{
    const struct op *op = &control->ops[index];
    int signals = pipe_signals;
    say("%u %s %s:", index, actor_names[op->actor], operations[op->kind].name);
    errno = 0;
    long result = operations[op->kind].run(op->args);
    int error = errno;
    say(" = %ld", result);
    if (result < 0)
        say(" %s", strerrorname_np(error) ? strerrorname_np(error) : "?");
    if (pipe_signals != signals)
        say(" %d SIGPIPE", pipe_signals - signals);
    say("\n");
}

void run_actor(int actor)
{
    uint32_t count = control->count;
    for (;;) {
        uint32_t turn = __atomic_load_n(&control->turn, __ATOMIC_SEQ_CST);
        if (turn >= count)
            return;
        if (control->ops[turn].actor != actor) {
            await_change(&control->turn, turn);
            continue;
        }
        run_op(turn);
        /* Others are woken only when one of them is next. */
        if (turn + 1 < count && control->ops[turn + 1].actor == actor)
            __atomic_store_n(&control->turn, turn + 1, __ATOMIC_SEQ_CST);
        else
            change(&control->turn, turn + 1);
    }
}

static int kind_of(const char *name)
{
    for (int i = 0; i < operation_count; i++)
        if (strcmp(operations[i].name, name) == 0)
            return i;
    fprintf(stderr, "no operation %s\n", name);
    _exit(98);
}

static void add(int actor, const char *name, long argument)
{
    struct op *op = &control->ops[control->count++];
    *op = (struct op){.actor = actor, .kind = kind_of(name), .args = {argument}};
}

/* Each operation gets an actor that exists when its turn comes, also in a sequence that was shortened. */
static void cast_actors(void)
{
    int fork = kind_of("fork"), thread = kind_of("thread");
    int has_b = control->has_partner, has_second[2] = {0, 0};
    for (uint32_t i = 0; i < control->count; i++) {
        struct op *op = &control->ops[i];
        int in_b = op->actor >= B0 && has_b;
        if (op->kind == fork)
            in_b = 0;
        int second = (op->actor & 1) && has_second[in_b] && op->kind != fork && op->kind != thread;
        op->actor = in_b * 2 + second;
        if (op->kind == fork && !has_b)
            has_b = 1;
        if (op->kind == thread)
            has_second[in_b] = 1;
    }
    /* Before anything is closed the other process looks at all files. */
    for (long path = 0; has_b && path < PATHS; path++)
        add(B0, "look", path);
    add(A0, "end", 0);
    if (has_b)
        add(B0, "end", 0);
}

/* Reads one sequence: `seq NUMBER partner|- shm|-`, then a line `ACTOR NAME ARGUMENTS` for each operation. */
static int read_sequence(FILE *file, char *head, size_t size, int *in_memory)
{
    char line[256], name[32], first[16];
    long where = ftell(file);
    if (!fgets(head, (int)size, file))
        return 0;
    control->has_partner = strstr(head, "partner") != NULL;
    *in_memory = strstr(head, "shm") != NULL;
    control->count = 0;
    for (where = ftell(file); fgets(line, sizeof line, file) && strncmp(line, "seq", 3) != 0; where = ftell(file)) {
        struct op op = {0};
        if (sscanf(line, "%15s %31s %ld %ld %ld %ld %ld %ld", first, name, &op.args[0], &op.args[1], &op.args[2],
                   &op.args[3], &op.args[4], &op.args[5]) < 2)
            continue;
        op.actor = (first[0] == 'B') * 2 + (first[1] == '1');
        op.kind = kind_of(name);
        if (control->count < MOST_OPS - PATHS - 2)
            control->ops[control->count++] = op;
    }
    fseek(file, where, SEEK_SET);
    return 1;
}

static void begin_process(int which)
{
    process = which;
    control->pids[which] = getpid();
    for (int i = 0; i < SLOTS; i++)
        slots[i] = -1;
    if (chdir(control->directory) != 0)
        broken(control->directory);
    start_process_state();
}

/* Everything that a sequence leaves in a process that goes on. */
static void leave_process(void)
{
    drop_mappings();
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &none);
    syscall(SYS_close_range, 3, ~0U, 0);
    if (chdir("/") != 0)
        broken("/");
}

static void run_first(void)
{
    begin_process(0);
    /* Both ends stay in A and go to a forked B. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) != 0)
        broken("socketpair");
    run_actor(A0);
    end_processes();
}

/* The files as anybody finds them afterwards. */
static void say_files(void)
{
    for (long i = 0; i < PATHS; i++) {
        long args[ARGUMENTS] = {i};
        for (int k = 0; k < operation_count; k++) {
            if (strcmp(operations[k].name, "look") == 0) {
                say("left");
                say(" = %ld\n", operations[k].run(args));
            }
        }
        unlink(path_of(i));
    }
}

static void run_sequence(const char *head, const char *directory, int is_fresh)
{
    snprintf(control->directory, sizeof control->directory, "%s", directory);
    if (mkdir(directory, 0755) != 0 && errno != EEXIST)
        broken(directory);
    control->length = 0;
    control->turn = 0;
    control->has_preallocated = 0;
    control->pids[0] = control->pids[1] = 0;
    say("%s", head);
    cast_actors();
    if (control->has_partner)
        change(&control->sequence, control->sequence + 1);
    if (is_fresh) {
        pid_t child = fork();
        if (child == 0) {
            run_first();
            _exit(0);
        }
        int status;
        if (waitpid(child, &status, 0) != child)
            broken("waitpid");
        if (status != 0) {
            say("A ended with %#x\n", (unsigned)status);
            change(&control->turn, control->count);
        }
    } else {
        run_first();
        leave_process();
    }
    if (control->has_partner)
        while (control->partner_has != control->sequence)
            await_change(&control->partner_has, control->sequence - 1);
    if (chdir(directory) != 0)
        broken(directory);
    say_files();
    if (chdir("/") != 0 || rmdir(directory) != 0)
        broken(directory);
}

static void run_partner(int memory)
{
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (control == MAP_FAILED)
        broken("mmap");
    close(memory);
    for (uint32_t seen = 0;;) {
        await_change(&control->sequence, seen);
        seen = control->sequence;
        if (control->count == 0)
            _exit(0);
        begin_process(1);
        sockets[0] = sockets[1] = -1;
        run_actor(B0);
        end_processes();
        leave_process();
        change(&control->partner_has, seen);
    }
}

static pid_t start_partner(int memory)
{
    char number[16];
    snprintf(number, sizeof number, "%d", memory);
    char *arguments[] = {program, "partner", number, NULL};
    pid_t pid;
    if (posix_spawn(&pid, program, NULL, NULL, arguments, environ) != 0)
        broken("posix_spawn");
    return pid;
}

/* Sequences close every descriptor that they find, and children would share its offset: the text is kept in memory. */
static FILE *open_sequences(const char *name)
{
    int fd = open(name, O_RDONLY);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0)
        broken(name);
    char *text = malloc((size_t)stat.st_size + 1);
    if (read(fd, text, (size_t)stat.st_size) != stat.st_size)
        broken(name);
    close(fd);
    return fmemopen(text, (size_t)stat.st_size, "r");
}

/* model fresh|same SEQUENCES DIRECTORY MEMORY-DIRECTORY: `fresh` forks a process A for each sequence. */
int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 4 && strcmp(argv[1], "continue") == 0)
        return continue_reading(atoi(argv[2]), atol(argv[3]));
    if (argc == 3 && strcmp(argv[1], "partner") == 0)
        run_partner(atoi(argv[2]));
    if (argc != 5)
        return 98;
    int memory = (int)syscall(SYS_memfd_create, "control", 0);
    if (memory < 0 || ftruncate(memory, sizeof *control) != 0)
        broken("memory");
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (control == MAP_FAILED)
        broken("mmap");
    pid_t partner = start_partner(memory);
    close(memory);
    FILE *file = open_sequences(argv[2]);
    int is_fresh = strcmp(argv[1], "fresh") == 0, in_memory;
    char head[64];
    while (read_sequence(file, head, sizeof head, &in_memory)) {
        run_sequence(head, argv[in_memory ? 4 : 3], is_fresh);
        for (uint32_t at = 0; at < control->length;) {
            ssize_t wrote = write(1, control->text + at, control->length - at);
            if (wrote <= 0)
                broken("write");
            at += (uint32_t)wrote;
        }
    }
    control->count = 0;
    change(&control->sequence, control->sequence + 1);
    int status;
    if (waitpid(partner, &status, 0) != partner || status != 0)
        broken("partner");
    return 0;
}
