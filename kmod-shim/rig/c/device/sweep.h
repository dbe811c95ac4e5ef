/* Every opcode of every map with every prefix, each in several forms. */
#ifndef BT_DEVICE_SWEEP_H
#define BT_DEVICE_SWEEP_H

#include "device.h"

/* Opcodes whose ModRM.reg says what they are. */
static inline int is_group(int encoding, int map, int opcode)
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
static inline int attempt_forms(int (*attempt)(const struct btshim_op *), struct btshim_op made, int reg, int flags)
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
		/* ch, where bytes have such names. */
		made.rm = flags & BTSHIM_HIGH_BYTE ? RBP : reg == RSP ? R11 : RDX;
		accepted += attempt(&made);
	}
	return accepted;
}

static inline void sweep_prefix(int (*attempt)(const struct btshim_op *), int encoding, int map, int prefix)
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
			if (attempt_forms(attempt, made, reg, BTSHIM_FLAGS_DEAD) == 0 && !is_all)
				break;
			if (n > 0)
				continue;
			attempt_forms(attempt, made, reg, 0);
			if (encoding == BTSHIM_VEX) {
				made.vvvv = R15;
				attempt_forms(attempt, made, reg, BTSHIM_FLAGS_DEAD);
				made.vvvv = 0;
				continue;
			}
			attempt_forms(attempt, made, reg, BTSHIM_FLAGS_DEAD | BTSHIM_LOCK);
			attempt_forms(attempt, made, is_all ? reg : RSP, BTSHIM_FLAGS_DEAD | BTSHIM_HIGH_BYTE);
		}
	}
}

/* Hands every form to @attempt, which says whether it was accepted; each prefix of each map in a process of its own. */
static inline void sweep(int (*attempt)(const struct btshim_op *), void (*begin)(void))
{
	for (int encoding = 0; encoding < 2; encoding++) {
		for (int map = 0; map < 4; map++) {
			for (int prefix = 0; prefix < 4; prefix++) {
				int status;
				pid_t child = fork();

				if (child == 0) {
					begin();
					sweep_prefix(attempt, encoding, map, prefix);
					exit(0);
				}
				CHECK(waitpid(child, &status, 0) == child);
				if (status)
					printf("encoding %d map %d prefix %d: status %x\n", encoding, map, prefix, status);
				CHECK(status == 0);
			}
		}
	}
}

#endif
