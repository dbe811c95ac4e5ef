/* Executes random sequences of file and pipe operations and prints what each showed. The same program runs natively and under
 * bt-run; its output must be the same.
 *
 * Up to four actors take strict turns: process A with the threads A0 and A1, process B with B0 and B1. B is forked from A by an
 * operation, or it is the partner: the program started anew before any file was opened, which shares only the
 * directory. */
#ifndef MODEL_H
#define MODEL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdint.h>
#include <sys/types.h>

#define MOST_OPS 400
#define SLOTS 8
#define FILE_SLOTS 4
#define MAPPINGS 4
#define PATHS 4
#define ARGUMENTS 6

enum { A0, A1, B0, B1 };

struct op {
    int actor;
    int kind; /* index into `operations` */
    long args[ARGUMENTS];
};

/* Memory that all actors share. */
struct control {
    uint32_t turn;        /* index of the operation whose turn it is; a futex */
    uint32_t sequence;    /* counts sequences with a partner; a futex */
    uint32_t partner_has; /* the last one that the partner has finished; a futex */
    uint32_t count;
    int has_partner;
    int has_preallocated; /* where data is and where holes are depends on the page cache then */
    pid_t pids[2];
    char directory[256];
    struct op ops[MOST_OPS];
    uint32_t length;
    char text[1 << 17];
};
extern struct control *control;

/* State of the process. */
extern int slots[SLOTS];
extern int sockets[2];
extern int process; /* 0 for A, 1 for B */
extern char *program;

/* Results: `result` is what the call returned, the rest of the line is printed with `say`. */
struct operation {
    const char *name;
    long (*run)(const long *args);
};
extern const struct operation operations[];
extern const int operation_count;

/* ops_*.c */
#define OPERATION(name) long op_##name(const long *args)

/* model.c: runs the operations of one actor until the sequence is over. */
void run_actor(int actor);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* buffers.c */
enum buffer_kind { GOOD, NOWHERE, ENDS_UNMAPPED, BEGINS_UNMAPPED, ENDS_WITHOUT_RIGHTS, READ_ONLY };
struct buffer {
    unsigned char *start;
    unsigned char *reachable; /* what the program itself may read of it */
    long reachable_length;
};
struct buffer make_buffer(long kind, long length, long left);
void fill_bytes(unsigned char *bytes, long length, long seed);
uint64_t hash_bytes(uint64_t hash, const unsigned char *bytes, long length);
void say_hash(const struct buffer *buffer, long got);
#define HASH_START 0xcbf29ce484222325u

/* The descriptor in a slot; for an empty one of those for files, that in the next of these. */
int fd_of(long slot);
const char *path_of(long path);
/* Puts a new descriptor into a slot; what was there is closed. */
long put_slot(long slot, long fd);

/* ops_process.c */
void start_process_state(void);
void end_processes(void);
void drop_mappings(void);
int continue_reading(int fd, long length);
extern volatile int pipe_signals;

#endif
