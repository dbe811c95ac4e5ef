/*
 * Every opcode of every map with every prefix, as one operation with a register or a memory operand. Most are refused.
 * What is accepted is executed once: it does something harmless to the process, or ends in ring 3.
 */
#include "sweep.h"

#define BUFFER_BYTES (64 * 1024)

static uint8_t buffer[BUFFER_BYTES] __attribute__((aligned(64)));
static int fd;
static struct {
	long loads, refused, runs, done, left;
} *totals;

static uint64_t next_pc = HERE;

static void execute(const struct btshim_op *made, uint64_t pc)
{
	struct btshim_run state = { .pc = pc, .flags = 0x202 };
	int reason;

	for (int n = 0; n < BTSHIM_REGS; n++)
		state.regs[n] = (uintptr_t)buffer + BUFFER_BYTES / 2;
	state.regs[RCX] = 5;
	totals->runs++;
	reason = run(fd, &state);
	if (state.pc == pc + made->len && reason == BTSHIM_UNTRANSLATED) {
		totals->done++;
		return;
	}
	totals->left++;
	if (state.pc == pc && (reason == BTSHIM_FAULT || reason == BTSHIM_UNTRANSLATED || reason == BTSHIM_VECTOR))
		return;
	printf("encoding %d map %d opcode %02x prefix %d wide %d reg %d rm %d: reason %d, pc %+ld\n", made->encoding, made->map,
	       made->opcode, made->prefix, made->wide, made->reg, made->rm, reason, (long)(state.pc - pc));
	exit(1);
}

/* Returns whether it was accepted. */
static int attempt(const struct btshim_op *made)
{
	struct btshim_op ops[] = { block(next_pc), *made, leave() };
	int err;

	place(ops, 3);
	totals->loads++;
	err = load_ops(fd, ops, 3);
	if (err == ENOSPC) {
		CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
		err = load_ops(fd, ops, 3);
	}
	if (err == EAGAIN)
		err = load_ops(fd, ops, 3);
	if (err) {
		CHECK(err == EINVAL || err == EOPNOTSUPP);
		totals->refused++;
		return 0;
	}
	execute(made, next_pc);
	next_pc += 16;
	return 1;
}

static void begin(void)
{
	fd = open_device();
}

int main(void)
{
	totals = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(totals != MAP_FAILED);
	sweep(attempt, begin);
	printf("%ld loads, %ld refused, %ld runs, %ld to the end, %ld left\n", totals->loads, totals->refused, totals->runs,
	       totals->done, totals->left);
	CHECK(totals->refused > 10000 && totals->done > 1000);
	return 0;
}
