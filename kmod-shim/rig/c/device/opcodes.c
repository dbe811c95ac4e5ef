/*
 * Every opcode of every map with every prefix, as one operation with a register or a memory operand. Most are refused.
 * What is accepted is executed once: it does something harmless to the process, or ends in ring 3.
 */
#include "device.h"

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

/* Opcodes whose ModRM.reg says what they are. */
static int is_group(int encoding, int map, int opcode)
{
	switch (map) {
	case 0:
		return (opcode >= 0x80 && opcode <= 0x83) || opcode == 0x8f || opcode == 0xc0 || opcode == 0xc1 ||
		       opcode == 0xc6 || opcode == 0xc7 || (opcode >= 0xd0 && opcode <= 0xd3) ||
		       (opcode >= 0xd8 && opcode <= 0xdf) || opcode == 0xf6 || opcode == 0xf7 || opcode >= 0xfe;
	case 1:
		return opcode <= 0x01 || opcode == 0x0d || opcode == 0x18 || (opcode >= 0x71 && opcode <= 0x73) ||
		       opcode == 0xae || opcode == 0xba || opcode == 0xc7 || opcode == 0x90;
	default:
		return encoding == BTSHIM_VEX && opcode == 0xf3;
	}
}

/* Registers that instructions have at the same place as others, and those that the module keeps for itself. */
static const int registers[] = { RCX, RSP, R10 };

/* One opcode with @reg in ModRM.reg; how many of its forms were accepted. */
static int attempt_forms(struct btshim_op made, int reg, int flags)
{
	int accepted = 0;

	made.reg = reg;
	made.flags = flags;
	for (int wide = 0; wide < (made.encoding == BTSHIM_VEX ? 4 : 2); wide++) {
		/* What is refused without REX.W or VEX.W is with it. */
		if (wide > 0 && accepted == 0)
			break;
		made.wide = wide;
		made.index = BTSHIM_NONE;
		made.rm = BTSHIM_MEMORY;
		made.base = RBX;
		accepted += attempt(&made);
		made.base = BTSHIM_NONE;
		made.rm = reg == RSP ? R11 : RDX;
		accepted += attempt(&made);
	}
	return accepted;
}

static void sweep(int encoding, int map, int prefix)
{
	for (int opcode = 0; opcode < 256; opcode++) {
		struct btshim_op made = op(BTSHIM_INSN);
		int is_all = is_group(encoding, map, opcode);

		made.encoding = encoding;
		made.map = map;
		made.opcode = opcode;
		made.prefix = prefix;
		made.imm = 3;
		made.len = 4;
		for (int n = 0; n < (is_all ? 8 : 3); n++) {
			int reg = is_all ? n : registers[n];

			/* What is refused with one register is with others. */
			if (attempt_forms(made, reg, BTSHIM_FLAGS_DEAD) == 0 && !is_all)
				break;
			if (n > 0)
				continue;
			attempt_forms(made, reg, 0);
			if (encoding == BTSHIM_VEX) {
				made.vvvv = R15;
				attempt_forms(made, reg, BTSHIM_FLAGS_DEAD);
				made.vvvv = 0;
				continue;
			}
			attempt_forms(made, reg, BTSHIM_FLAGS_DEAD | BTSHIM_LOCK);
			attempt_forms(made, reg, BTSHIM_FLAGS_DEAD | BTSHIM_HIGH_BYTE);
		}
	}
}

int main(void)
{
	totals = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(totals != MAP_FAILED);
	for (int encoding = 0; encoding < 2; encoding++) {
		for (int map = 0; map < 4; map++) {
			for (int prefix = 0; prefix < 4; prefix++) {
				int status;
				pid_t child = fork();

				if (child == 0) {
					fd = open_device();
					sweep(encoding, map, prefix);
					exit(0);
				}
				CHECK(waitpid(child, &status, 0) == child);
				if (status)
					printf("encoding %d map %d prefix %d: status %x\n", encoding, map, prefix, status);
				CHECK(status == 0);
			}
		}
	}
	printf("%ld loads, %ld refused, %ld runs, %ld to the end, %ld left\n", totals->loads, totals->refused, totals->runs,
	       totals->done, totals->left);
	CHECK(totals->refused > 10000 && totals->done > 1000);
	return 0;
}
