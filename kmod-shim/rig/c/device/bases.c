/*
 * Made code keeps the address of a memory operand for the next one with the same base. Between two loads from a register's
 * address comes each instruction there is: the second load has to be from where the register then points, and nowhere else.
 */
#include "sweep.h"

/* Below 4 GiB, so that half a register is an address as well, and aligned to its size, so that a part of one is. */
#define BUFFER 0x10000000UL
#define BUFFER_BYTES 0x10000UL
#define OPS 5

static int fd;
static uint64_t next_pc = HERE;
static struct {
	long loads, runs, done, changed, faults;
} *totals;

/* The registers of the forms, and those that opcodes imply. */
static const int bases[] = { RAX, RCX, RDX, RSP, R10, R11, R15 };
#define BASES (sizeof(bases) / sizeof(bases[0]))

static uint64_t word_at(uint64_t address)
{
	uint64_t word;

	memcpy(&word, (void *)address, sizeof(word));
	return word;
}

static int is_in_buffer(uint64_t address)
{
	return address >= BUFFER && address <= BUFFER + BUFFER_BYTES - 8;
}

static void fill(void)
{
	for (uint64_t at = 0; at < BUFFER_BYTES; at += 8) {
		uint64_t word = BUFFER + at * 40503 % BUFFER_BYTES;

		memcpy((void *)(BUFFER + at), &word, sizeof(word));
	}
}

static int load_anew(const struct btshim_op *ops)
{
	int err = load_ops(fd, ops, OPS);

	if (err == ENOSPC) {
		CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
		err = load_ops(fd, ops, OPS);
	}
	return err == EAGAIN ? load_ops(fd, ops, OPS) : err;
}

static void complain(const struct btshim_op *made, int base, const struct btshim_run *state, int reason)
{
	printf("encoding %d map %d opcode %02x prefix %d wide %d reg %d rm %d vvvv %d flags %x, base %d: reason %d, pc %+ld, "
	       "base %#llx, loaded %#llx\n",
	       made->encoding, made->map, made->opcode, made->prefix, made->wide, made->reg, made->rm, made->vvvv, made->flags,
	       base, reason, (long)(state->pc - next_pc), state->regs[base], state->regs[R9]);
	exit(1);
}

static void execute(const struct btshim_op *ops, int base)
{
	struct btshim_run state = { .pc = next_pc, .flags = 0x202 };
	uint64_t second = next_pc + ops[3].at, after = next_pc + ops[4].at, points_to;
	int reason;

	for (int n = 0; n < BTSHIM_REGS; n++)
		state.regs[n] = BUFFER + 0x800 + 0xe08 * n;
	uint64_t before = state.regs[base];

	totals->runs++;
	reason = run(fd, &state);
	/* What the instruction wrote is undone. */
	points_to = state.regs[base];
	if (state.pc == after && reason == BTSHIM_UNTRANSLATED) {
		totals->done++;
		totals->changed += points_to != before;
		if (!is_in_buffer(points_to) || state.regs[R9] != word_at(points_to))
			complain(&ops[2], base, &state, reason);
	} else if (state.pc == second) {
		totals->faults++;
		if (reason != BTSHIM_FAULT || is_in_buffer(points_to))
			complain(&ops[2], base, &state, reason);
	}
	fill();
}

static int attempt(const struct btshim_op *made)
{
	for (size_t n = 0; n < BASES; n++) {
		struct btshim_op ops[OPS] = { block(next_pc), load_insn(R8, bases[n], 0), *made, load_insn(R9, bases[n], 0), leave() };
		int err;

		/* A form that has an address has this one too. */
		if (made->rm == BTSHIM_MEMORY && n % 2)
			ops[2].base = bases[n];
		place(ops, OPS);
		totals->loads++;
		err = load_anew(ops);
		if (err) {
			CHECK(err == EINVAL || err == EOPNOTSUPP);
			return 0;
		}
		execute(ops, bases[n]);
		next_pc += 32;
	}
	return 1;
}

static void begin(void)
{
	void *const buffer = (void *)BUFFER;

	fd = open_device();
	CHECK(mmap(buffer, BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == buffer);
	fill();
}

int main(void)
{
	totals = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(totals != MAP_FAILED);
	sweep(attempt, begin);
	printf("%ld loads, %ld runs, %ld to the end, in %ld of them the base changed, %ld faults\n", totals->loads, totals->runs,
	       totals->done, totals->changed, totals->faults);
	CHECK(totals->done > 10000 && totals->changed > 1000 && totals->faults > 100);
	return 0;
}
