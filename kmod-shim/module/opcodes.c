// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The instructions that made code may contain, and what the assembler has to
 * know of each.
 *
 * A list of what is safe, not of what is dangerous: an instruction belongs here
 * if it touches nothing but the registers and the memory operand that its
 * fields name (and rax, rcx, rdx, xmm0), and if its length follows from the
 * fields. What is missing runs in ring 3. What the CPU does not have raises
 * #UD, which ends in ring 3 as well. ADCX and ADOX are left out because QEMU 7.2
 * makes all of the flags of them, AC included.
 *
 * Opcodes: Intel SDM vol. 2D, appendix A.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "internal.h"

#define P0 1
#define P66 2
#define PF3 4
#define PF2 8
#define PALL 15

#define V (BT_VECTOR | BT_RAISES | BT_MODRM)
#define G (BT_MODRM | BT_REG | BT_RM)

struct row {
	u8 encoding;
	u8 map;
	u8 first;
	u8 last;
	u8 prefixes;
	u8 digits;
	u32 what;
};

#define L BTSHIM_LEGACY
#define X BTSHIM_VEX
#define LX 0xff /* in both encodings alike */

static const struct row rows[] = {
	/* One-byte opcodes; the eight operations at 00-3F are filled in below. */
	{ L, 0, 0x63, 0x63, P0, 0, G },
	{ L, 0, 0x69, 0x69, P0 | P66, 0, G | BT_IMMZ },
	{ L, 0, 0x6b, 0x6b, P0 | P66, 0, G | BT_IMM8 },
	{ L, 0, 0x80, 0x80, P0, 0xff,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM | BT_IMM8 | BT_LOCKABLE },
	{ L, 0, 0x81, 0x81, P0 | P66, 0xff,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_IMMZ | BT_LOCKABLE },
	{ L, 0, 0x83, 0x83, P0 | P66, 0xff,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_IMM8 | BT_LOCKABLE },
	{ L, 0, 0x84, 0x84, P0, 0, G | BT_BYTE_REG | BT_BYTE_RM },
	{ L, 0, 0x85, 0x85, P0 | P66, 0, G },
	{ L, 0, 0x86, 0x86, P0, 0, G | BT_BYTE_REG | BT_BYTE_RM | BT_LOCKS },
	{ L, 0, 0x87, 0x87, P0 | P66, 0, G | BT_LOCKS },
	{ L, 0, 0x88, 0x88, P0, 0, G | BT_BYTE_REG | BT_BYTE_RM },
	{ L, 0, 0x89, 0x89, P0 | P66, 0, G },
	{ L, 0, 0x8a, 0x8a, P0, 0, G | BT_BYTE_REG | BT_BYTE_RM },
	{ L, 0, 0x8b, 0x8b, P0 | P66, 0, G },
	{ L, 0, 0x98, 0x99, P0 | P66, 0, 0 }, /* CBW, CWD and so on */
	{ L, 0, 0xa8, 0xa8, P0, 0, BT_IMM8 },
	{ L, 0, 0xa9, 0xa9, P0 | P66, 0, BT_IMMZ },
	{ L, 0, 0xb0, 0xb7, P0, 0, BT_IN_OPCODE | BT_BYTE_REG | BT_IMM8 },
	{ L, 0, 0xb8, 0xbf, P0 | P66, 0, BT_IN_OPCODE | BT_IMMV },
	{ L, 0, 0xc0, 0xc0, P0, 0xff,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM | BT_IMM8 },
	{ L, 0, 0xc1, 0xc1, P0 | P66, 0xff,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_IMM8 },
	{ L, 0, 0xc6, 0xc6, P0, 0x01,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM | BT_IMM8 },
	{ L, 0, 0xc7, 0xc7, P0 | P66, 0x01,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_IMMZ },
	{ L, 0, 0xd0, 0xd0, P0, 0xff,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM },
	{ L, 0, 0xd1, 0xd1, P0 | P66, 0xff, BT_MODRM | BT_DIGIT | BT_RM },
	{ L, 0, 0xd2, 0xd2, P0, 0xff,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM },
	{ L, 0, 0xd3, 0xd3, P0 | P66, 0xff, BT_MODRM | BT_DIGIT | BT_RM },
	{ L, 0, 0xf5, 0xf5, P0, 0, 0 }, /* CMC */
	{ L, 0, 0xf8, 0xf9, P0, 0, 0 }, /* CLC, STC */
	/* TEST has an immediate, the others have none: bt_opcode_of(). */
	{ L, 0, 0xf6, 0xf6, P0, 0xfc,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM | BT_RAISES | BT_LOCKABLE },
	{ L, 0, 0xf7, 0xf7, P0 | P66, 0xfc,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_RAISES | BT_LOCKABLE },
	{ L, 0, 0xfe, 0xfe, P0, 0x03,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM | BT_LOCKABLE },
	{ L, 0, 0xff, 0xff, P0 | P66, 0x03,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_LOCKABLE },

	/* 0F: general registers */
	{ L, 1, 0x31, 0x31, P0, 0, BT_RAISES },			    /* RDTSC */
	{ L, 1, 0x40, 0x4f, P0 | P66, 0, G },			    /* CMOVcc */
	{ L, 1, 0x90, 0x9f, P0, 0x01,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM },		    /* SETcc */
	/* BT and group with a register reach beyond the memory operand. */
	{ L, 1, 0xa3, 0xa3, P0 | P66, 0, G | BT_NO_MEMORY },
	{ L, 1, 0xab, 0xab, P0 | P66, 0, G | BT_NO_MEMORY },
	{ L, 1, 0xb3, 0xb3, P0 | P66, 0, G | BT_NO_MEMORY },
	{ L, 1, 0xbb, 0xbb, P0 | P66, 0, G | BT_NO_MEMORY },
	{ L, 1, 0xa4, 0xa4, P0 | P66, 0, G | BT_IMM8 },		    /* SHLD */
	{ L, 1, 0xa5, 0xa5, P0 | P66, 0, G },
	{ L, 1, 0xac, 0xac, P0 | P66, 0, G | BT_IMM8 },		    /* SHRD */
	{ L, 1, 0xad, 0xad, P0 | P66, 0, G },
	{ L, 1, 0xaf, 0xaf, P0 | P66, 0, G },			    /* IMUL */
	{ L, 1, 0xb0, 0xb0, P0, 0,
	  G | BT_BYTE_REG | BT_BYTE_RM | BT_LOCKABLE },		    /* CMPXCHG */
	{ L, 1, 0xb1, 0xb1, P0 | P66, 0, G | BT_LOCKABLE },
	{ L, 1, 0xb6, 0xb6, P0 | P66, 0, G | BT_BYTE_RM },	    /* MOVZX */
	{ L, 1, 0xb7, 0xb7, P0 | P66, 0, G },
	{ L, 1, 0xbe, 0xbe, P0 | P66, 0, G | BT_BYTE_RM },	    /* MOVSX */
	{ L, 1, 0xbf, 0xbf, P0 | P66, 0, G },
	{ L, 1, 0xb8, 0xb8, PF3, 0, G },			    /* POPCNT */
	{ L, 1, 0xba, 0xba, P0 | P66, 0xf0,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_IMM8 | BT_LOCKABLE },    /* BT … imm8 */
	{ L, 1, 0xbc, 0xbd, P0 | P66 | PF3, 0, G },		    /* BSF, TZCNT … */
	{ L, 1, 0xc0, 0xc0, P0, 0,
	  G | BT_BYTE_REG | BT_BYTE_RM | BT_LOCKABLE },		    /* XADD */
	{ L, 1, 0xc1, 0xc1, P0 | P66, 0, G | BT_LOCKABLE },
	{ L, 1, 0xc3, 0xc3, P0, 0, G | BT_MEMORY_ONLY },	    /* MOVNTI */
	{ L, 1, 0xc8, 0xcf, P0, 0, BT_IN_OPCODE },		    /* BSWAP */

	/*
	 * 0F: vector registers. MMX is left out: it is the x87 state. Of VEX 0F,
	 * 41-4B and 90-99 are mask registers, AE is MXCSR, F7 stores to [rdi].
	 */
	{ LX, 1, 0x10, 0x17, PALL, 0, V },
	{ LX, 1, 0x28, 0x29, P0 | P66, 0, V },
	{ LX, 1, 0x2a, 0x2a, PF3 | PF2, 0, V | BT_RM },
	{ LX, 1, 0x2b, 0x2b, P0 | P66, 0, V | BT_MEMORY_ONLY },
	{ LX, 1, 0x2c, 0x2d, PF3 | PF2, 0, V | BT_REG },
	{ LX, 1, 0x2e, 0x2f, P0 | P66, 0, V },
	{ LX, 1, 0x50, 0x50, P0 | P66, 0, V | BT_REG | BT_NO_MEMORY },
	{ LX, 1, 0x51, 0x5f, PALL, 0, V },
	{ LX, 1, 0x60, 0x6d, P66, 0, V },
	{ LX, 1, 0x6e, 0x6e, P66, 0, V | BT_RM },
	{ LX, 1, 0x6f, 0x6f, P66 | PF3, 0, V },
	{ LX, 1, 0x70, 0x70, P66 | PF3 | PF2, 0, V | BT_IMM8 },
	{ LX, 1, 0x71, 0x73, P66, 0xff, V | BT_DIGIT | BT_NO_MEMORY | BT_IMM8 },
	{ LX, 1, 0x74, 0x76, P66, 0, V },
	{ X, 1, 0x77, 0x77, P0, 0, BT_VECTOR | BT_RAISES }, /* VZEROUPPER */
	{ LX, 1, 0x7c, 0x7d, P66 | PF2, 0, V },
	{ LX, 1, 0x7f, 0x7f, P66 | PF3, 0, V },
	{ LX, 1, 0xc2, 0xc2, PALL, 0, V | BT_IMM8 },
	{ LX, 1, 0xc4, 0xc4, P66, 0, V | BT_RM | BT_IMM8 },
	{ LX, 1, 0xc5, 0xc5, P66, 0, V | BT_REG | BT_NO_MEMORY | BT_IMM8 },
	{ LX, 1, 0xc6, 0xc6, P0 | P66, 0, V | BT_IMM8 },
	{ LX, 1, 0xd0, 0xd0, P66 | PF2, 0, V },
	{ LX, 1, 0xd1, 0xd6, P66, 0, V },
	{ LX, 1, 0xd7, 0xd7, P66, 0, V | BT_REG | BT_NO_MEMORY },
	{ LX, 1, 0xd8, 0xe5, P66, 0, V },
	{ LX, 1, 0xe6, 0xe6, P66 | PF3 | PF2, 0, V },
	{ LX, 1, 0xe7, 0xe7, P66, 0, V | BT_MEMORY_ONLY },
	{ LX, 1, 0xe8, 0xef, P66, 0, V },
	{ LX, 1, 0xf0, 0xf0, PF2, 0, V | BT_MEMORY_ONLY },
	{ LX, 1, 0xf1, 0xf6, P66, 0, V },
	{ LX, 1, 0xf8, 0xfe, P66, 0, V },

	/* 0F38 */
	{ L, 2, 0x00, 0x0b, P66, 0, V },
	{ L, 2, 0x10, 0x10, P66, 0, V },
	{ L, 2, 0x14, 0x15, P66, 0, V },
	{ L, 2, 0x17, 0x17, P66, 0, V },
	{ LX, 2, 0x1c, 0x1e, P66, 0, V },
	{ LX, 2, 0x20, 0x25, P66, 0, V },
	{ L, 2, 0x28, 0x2b, P66, 0, V },
	{ L, 2, 0x30, 0x35, P66, 0, V },
	{ L, 2, 0x37, 0x41, P66, 0, V },
	{ L, 2, 0xc8, 0xcd, P0, 0, V },	 /* SHA */
	{ LX, 2, 0xdb, 0xdf, P66, 0, V }, /* AES */
	{ L, 2, 0xf0, 0xf1, P0 | P66, 0, G | BT_MEMORY_ONLY | BT_RAISES }, /* MOVBE */

	/* 0F3A */
	{ LX, 3, 0x08, 0x0f, P66, 0, V | BT_IMM8 },
	{ LX, 3, 0x14, 0x17, P66, 0, V | BT_RM | BT_IMM8 },
	{ LX, 3, 0x20, 0x20, P66, 0, V | BT_RM | BT_IMM8 },
	{ LX, 3, 0x21, 0x21, P66, 0, V | BT_IMM8 },
	{ LX, 3, 0x22, 0x22, P66, 0, V | BT_RM | BT_IMM8 },
	{ LX, 3, 0x40, 0x42, P66, 0, V | BT_IMM8 },
	{ LX, 3, 0x44, 0x44, P66, 0, V | BT_IMM8 },
	{ LX, 3, 0x60, 0x63, P66, 0, V | BT_IMM8 },
	{ L, 3, 0xcc, 0xcc, P0, 0, V | BT_IMM8 },
	{ LX, 3, 0xdf, 0xdf, P66, 0, V | BT_IMM8 },

	/* VEX 0F38. 49-4B, 5E are tiles, 90-93 gather, E0-EF add in memory. */
	{ X, 2, 0x00, 0x0f, P66, 0, V },
	{ X, 2, 0x13, 0x13, P66, 0, V },
	{ X, 2, 0x16, 0x1a, P66, 0, V },
	{ X, 2, 0x28, 0x41, P66, 0, V },
	{ X, 2, 0x45, 0x47, P66, 0, V },
	{ X, 2, 0x58, 0x5a, P66, 0, V },
	{ X, 2, 0x78, 0x79, P66, 0, V },
	{ X, 2, 0x8c, 0x8c, P66, 0, V },
	{ X, 2, 0x8e, 0x8e, P66, 0, V },
	{ X, 2, 0x96, 0x9f, P66, 0, V },
	{ X, 2, 0xa6, 0xaf, P66, 0, V },
	{ X, 2, 0xb6, 0xbf, P66, 0, V },
	{ X, 2, 0xf2, 0xf2, P0, 0, G | BT_VVVV | BT_RAISES }, /* ANDN */
	{ X, 2, 0xf3, 0xf3, P0, 0x0e,
	  BT_MODRM | BT_DIGIT | BT_RM | BT_VVVV | BT_RAISES }, /* BLSR … */
	{ X, 2, 0xf5, 0xf5, P0 | PF3 | PF2, 0, G | BT_VVVV | BT_RAISES },
	{ X, 2, 0xf6, 0xf6, PF2, 0, G | BT_VVVV | BT_RAISES }, /* MULX */
	{ X, 2, 0xf7, 0xf7, PALL, 0, G | BT_VVVV | BT_RAISES },

	/* VEX 0F3A */
	{ X, 3, 0x00, 0x02, P66, 0, V | BT_IMM8 },
	{ X, 3, 0x04, 0x06, P66, 0, V | BT_IMM8 },
	{ X, 3, 0x18, 0x19, P66, 0, V | BT_IMM8 },
	{ X, 3, 0x1d, 0x1d, P66, 0, V | BT_IMM8 },
	{ X, 3, 0x38, 0x39, P66, 0, V | BT_IMM8 },
	{ X, 3, 0x46, 0x46, P66, 0, V | BT_IMM8 },
	{ X, 3, 0x4a, 0x4c, P66, 0, V | BT_IMM8 },
	{ X, 3, 0xf0, 0xf0, PF2, 0, G | BT_IMM8 | BT_RAISES }, /* RORX */
};

/*
 * VEX 0F 7E is two instructions; so is 0F 7E: MOVD to a general register or
 * memory (66), MOVQ to a vector register (F3).
 */
static const struct bt_opcode movd = { V | BT_RM, P66, 0 };
static const struct bt_opcode movq = { V, PF3, 0 };

/*
 * Whose ModRM is all opcode: RDTSCP is 0F 01 F9; LFENCE, MFENCE, SFENCE are
 * 0F AE E8, F0, F8.
 */
static const struct bt_opcode rdtscp = {
	BT_MODRM | BT_DIGIT | BT_NO_MEMORY | BT_RAISES, P0, 0x80
};

static const struct bt_opcode fence = {
	BT_MODRM | BT_DIGIT | BT_NO_MEMORY | BT_RAISES, P0, 0xe0
};

/* CRC32 is F2 0F38 F0, where without it MOVBE is. */
static const struct bt_opcode crc32_8 = { G | BT_BYTE_RM | BT_RAISES, PF2, 0 };
static const struct bt_opcode crc32 = { G | BT_RAISES, PF2, 0 };

/*
 * Of group 3, TEST has an immediate; only NOT and NEG can be locked. Extension 1
 * is TEST as well, but in no manual.
 */
static const struct bt_opcode test8 = {
	BT_MODRM | BT_DIGIT | BT_RM | BT_BYTE_RM | BT_IMM8, P0, 0x01
};
static const struct bt_opcode test = {
	BT_MODRM | BT_DIGIT | BT_RM | BT_IMMZ, P0 | P66, 0x01
};

static struct bt_opcode opcodes[2][4][256];

/* Operation @n of the eight at 00-3F: ADD, OR, ADC, SBB, AND, SUB, XOR, CMP. */
static void arithmetic(u8 n)
{
	static const struct bt_opcode forms[6] = {
		{ G | BT_BYTE_REG | BT_BYTE_RM | BT_LOCKABLE, P0, 0 },
		{ G | BT_LOCKABLE, P0 | P66, 0 },
		{ G | BT_BYTE_REG | BT_BYTE_RM, P0, 0 },
		{ G, P0 | P66, 0 },
		{ BT_IMM8, P0, 0 },
		{ BT_IMMZ, P0 | P66, 0 },
	};

	memcpy(&opcodes[L][0][8 * n], forms, sizeof(forms));
}

void bt_opcodes_init(void)
{
	u8 n;
	int i, opcode;

	for (n = 0; n < 8; n++)
		arithmetic(n);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		const struct bt_opcode value = { row->what, row->prefixes,
						 row->digits };

		for (opcode = row->first; opcode <= row->last; opcode++) {
			if (row->encoding != X)
				opcodes[L][row->map][opcode] = value;
			if (row->encoding != L)
				opcodes[X][row->map][opcode] = value;
		}
	}
}

/* One element of a vector register: the prefix says of which kind. */
static bool is_scalar(const struct btshim_op *op)
{
	u8 low = op->opcode & 15;

	switch (op->map) {
	case 1:
		switch (op->opcode) {
		case 0x2e: /* UCOMISS */
		case 0x2f: /* COMISS */
			return true;
		case 0x10: /* MOVSS */
		case 0x11:
		case 0x2a: /* CVTSI2SS */
		case 0x2c: /* CVTTSS2SI */
		case 0x2d: /* CVTSS2SI */
		case 0x51 ... 0x5a: /* SQRTSS … CVTSS2SD */
		case 0x5c ... 0x5f: /* SUBSS … MAXSS */
		case 0xc2: /* CMPSS */
			return op->prefix > 1;
		}
		return false;
	case 2: /* the fused multiplications from 99 on */
		return op->opcode >= 0x99 && op->opcode <= 0xbf && low > 8 &&
		       low & 1;
	default: /* ROUNDSS, ROUNDSD */
		return op->opcode == 0x0a || op->opcode == 0x0b;
	}
}

/*
 * A length of 256 bits where there is none: "unpredictable behavior across
 * different processor generations" (SDM vol. 2, ADDSS).
 */
static bool has_senseless_length(const struct btshim_op *op)
{
	return op->encoding == X && op->wide & 2 && is_scalar(op);
}

const struct bt_opcode *bt_opcode_of(const struct btshim_op *op)
{
	if (op->encoding > BTSHIM_VEX || op->map > 3 || op->prefix > 3 ||
	    has_senseless_length(op))
		return NULL;
	if (op->map == 1 && op->opcode == 0x7e)
		return op->prefix == 1 ? &movd : op->prefix == 2 ? &movq : NULL;
	if (op->encoding == L && op->map == 1 && op->opcode == 0x01)
		return op->rm == 1 ? &rdtscp : NULL;
	if (op->encoding == L && op->map == 1 && op->opcode == 0xae)
		return op->rm == 0 ? &fence : NULL;
	if (op->encoding == L && op->map == 2 && op->prefix == 3) {
		if (op->opcode == 0xf0)
			return &crc32_8;
		return op->opcode == 0xf1 ? &crc32 : NULL;
	}
	if (op->encoding == L && op->map == 0 && op->reg == 0) {
		if (op->opcode == 0xf6)
			return &test8;
		if (op->opcode == 0xf7)
			return &test;
	}
	return &opcodes[op->encoding][op->map][op->opcode];
}
