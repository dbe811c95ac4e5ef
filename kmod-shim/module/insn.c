// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Operations that are one instruction of the process: those of the list in
 * opcodes.c, LEA, string instructions, and comparisons that leave.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "assemble.h"
#include "emit.h"

/* Repetitions of a string instruction in ring 0 at most. */
#define MAX_REPEATS 0x4000

/* The vector registers are the process's from here to the next call. */
static void hold_vector(struct bt_unit *unit, const struct btshim_op *op)
{
	struct bt_stub *stub;

	if (unit->vector_held)
		return;
	unit->vector_held = true;
	unit->has_vector = true;
	if (!bt_is_dead(op))
		put8(unit, 0x9c); /* pushfq */
	PUT(unit, 0x41, 0x80); /* cmp byte [locked], 0 */
	put_context(unit, 7, BT_LOCKED);
	put8(unit, 0);
	stub = bt_branch_to_stub(unit, CC_E, BT_STUB_HOLD, bt_pc_of(unit, op));
	stub->pops_flags = !bt_is_dead(op);
	if (stub->pops_flags)
		put8(unit, 0x9d); /* popfq: as they were pushed */
	stub->back = unit->len;
}

static u8 operand_bytes(const struct btshim_op *op, u32 what)
{
	if (what & (BT_BYTE_REG | BT_BYTE_RM))
		return 1;
	return op->wide & 1 ? 8 : op->prefix == 1 ? 2 : 4;
}

struct operands {
	u8 reg;
	u8 rm;
	u8 vvvv;
	bool in_memory;
};

/* Prefixes, opcode, ModRM of an instruction whose memory operand is [r11]. */
static int encode(struct bt_unit *unit, const struct btshim_op *op, u32 what,
		  const struct operands *x)
{
	static const u8 prefixes[4] = { 0, 0x66, 0xf3, 0xf2 };
	u8 rm = x->in_memory ? R11 : x->rm;
	u8 reg = x->reg;
	bool has_modrm = what & BT_MODRM;
	u8 high = (has_modrm ? (reg >> 3) << 2 | rm >> 3 :
		   what & BT_IN_OPCODE ? reg >> 3 : 0);

	if (op->encoding == BTSHIM_VEX) {
		put8(unit, 0xc4);
		put8(unit, (~high & 5) << 5 | 0x40 | op->map);
		put8(unit, (op->wide & 1) << 7 | (~x->vvvv & 15) << 3 |
			   (op->wide & 2) << 1 | op->prefix);
	} else {
		bool needs_rex = high || op->wide & 1;
		bool forbids_rex = false;

		/* Byte registers 4 to 7: with REX spl to dil, without ah to bh. */
		if (what & BT_BYTE_REG && reg >= 4 && reg < 8) {
			needs_rex |= !(op->flags & BTSHIM_HIGH_BYTE);
			forbids_rex |= op->flags & BTSHIM_HIGH_BYTE;
		}
		if (what & BT_BYTE_RM && !x->in_memory && rm >= 4 && rm < 8) {
			needs_rex |= !(op->flags & BTSHIM_HIGH_BYTE);
			forbids_rex |= op->flags & BTSHIM_HIGH_BYTE;
		}
		if (needs_rex && forbids_rex)
			return -EOPNOTSUPP;
		if (op->flags & BTSHIM_LOCK)
			put8(unit, 0xf0);
		if (op->prefix)
			put8(unit, prefixes[op->prefix]);
		if (needs_rex)
			put8(unit, 0x40 | (op->wide & 1) << 3 | high);
		if (op->map)
			put8(unit, 0x0f);
		if (op->map > 1)
			put8(unit, op->map == 2 ? 0x38 : 0x3a);
	}
	put8(unit, what & BT_IN_OPCODE ? (op->opcode & 0xf8) | (reg & 7) :
					 op->opcode);
	if (has_modrm && x->in_memory)
		put_operand(unit, reg);
	else if (has_modrm)
		put8(unit, 0xc0 | (reg & 7) << 3 | (rm & 7));
	if (what & BT_IMM8)
		put(unit, op->imm, 1);
	else if (what & BT_IMMZ)
		put(unit, op->imm, op->prefix == 1 && !(op->wide & 1) ? 2 : 4);
	else if (what & BT_IMMV)
		put(unit, op->imm,
		    op->wide & 1 ? 8 : op->prefix == 1 ? 2 : 4);
	return 0;
}

/* The fields are what the opcode's row says. */
static bool is_on_list(const struct btshim_op *op,
		       const struct bt_opcode *opcode)
{
	u32 what = opcode->what;
	bool in_memory = op->rm == BTSHIM_MEMORY;

	if (!(opcode->prefixes & (1 << op->prefix)) || op->wide > 3)
		return false;
	if (in_memory ? !(what & BT_MODRM) || what & BT_NO_MEMORY :
			what & BT_MEMORY_ONLY)
		return false;
	if (op->flags & BTSHIM_LOCK && !(in_memory && what & BT_LOCKABLE))
		return false;
	if (what & BT_DIGIT)
		return op->reg < 8 && opcode->digits >> op->reg & 1 &&
		       (in_memory || bt_is_register(op->rm));
	if (what & BT_IN_OPCODE)
		return bt_is_register(op->reg);
	if (what & BT_MODRM)
		return bt_is_register(op->reg) && (in_memory || bt_is_register(op->rm));
	return true;
}

static bool is_high_byte(const struct btshim_op *op, u8 reg)
{
	return op->flags & BTSHIM_HIGH_BYTE && reg >= 4 && reg < 8;
}

/*
 * The instruction may change general register @reg: it is one of its operands,
 * or one that an opcode implies.
 */
static bool may_change(const struct btshim_op *op, u32 what, u8 reg)
{
	/* rax to rbx are also those of ah to bh. */
	if (reg <= RBX && what & (BT_BYTE_REG | BT_BYTE_RM) &&
	    op->flags & BTSHIM_HIGH_BYTE)
		return true;
	if (what & (BT_REG | BT_IN_OPCODE) && op->reg == reg)
		return true;
	if (what & BT_RM && op->rm == reg)
		return true;
	if (what & BT_VVVV && (op->vvvv & 15) == reg)
		return true;
	if (reg > RDX)
		return false;
	/* Accumulators, multiplications, RDTSC, PCMPESTRI and the like */
	return !(what & BT_MODRM) ||
	       (op->encoding == BTSHIM_LEGACY &&
		((op->map == 0 && op->opcode >= 0xf6) ||
		 (op->map == 1 && (op->opcode == 0x01 || (op->opcode & ~1) == 0xb0)) ||
		 op->map == 3)) ||
	       (op->encoding == BTSHIM_VEX && op->map == 3);
}

/*
 * A locked access that crosses a cache line may raise #AC, which the kernel does
 * not forgive itself: the code leaves unless the address in r11 is a multiple of
 * @bytes.
 */
static void expect_aligned(struct bt_unit *unit, const struct btshim_op *op,
			   u8 bytes)
{
	bool dead = bt_is_dead(op);

	bt_settle_address(unit);
	if (!dead)
		put8(unit, 0x9c); /* pushfq */
	PUT(unit, 0x41, 0xf6, 0xc3); /* test r11b, imm8 */
	put8(unit, bytes - 1);
	bt_branch_to_stub(unit, CC_NE,
			  dead ? BT_STUB_LEAVE : BT_STUB_POP_LEAVE,
			  bt_pc_of(unit, op))->reason = BTSHIM_UNTRANSLATED;
	if (!dead)
		put8(unit, 0x9d); /* popfq: as they were */
}

/* Registers of the process that r10 and r11 hold while an instruction runs. */
struct kept {
	u8 reg[3];
	u8 at[3];
	int count;
};

static void keep(struct kept *kept, u8 reg, u8 at)
{
	kept->reg[kept->count] = reg;
	kept->at[kept->count++] = at;
}

/*
 * Operands that are registers whose place is taken become r10 or r11.
 * -EOPNOTSUPP: both are taken as well.
 */
static int replace_kept(const struct btshim_op *op, u32 what,
			struct operands *x, struct kept *kept)
{
	bool r10_taken = false, r11_taken = x->in_memory;

	if (what & (BT_REG | BT_IN_OPCODE) && bt_is_kept(op->reg) &&
	    !(what & BT_BYTE_REG && is_high_byte(op, op->reg))) {
		x->reg = R10;
		r10_taken = true;
		keep(kept, op->reg, R10);
	}
	if (what & BT_RM && !x->in_memory && bt_is_kept(op->rm) &&
	    !(what & BT_BYTE_RM && is_high_byte(op, op->rm))) {
		if (r10_taken && op->reg == op->rm) {
			x->rm = R10;
		} else {
			x->rm = R11;
			r11_taken = true;
			keep(kept, op->rm, R11);
		}
	}
	if (what & BT_VVVV && bt_is_kept(x->vvvv)) {
		if (kept->count && kept->reg[0] == x->vvvv) {
			x->vvvv = kept->at[0];
		} else if (kept->count > 1 && kept->reg[1] == x->vvvv) {
			x->vvvv = kept->at[1];
		} else if (!r10_taken || !r11_taken) {
			u8 at = r10_taken ? R11 : R10;

			keep(kept, x->vvvv, at);
			x->vvvv = at;
		} else {
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

int bt_put_insn(struct bt_unit *unit, const struct btshim_op *op)
{
	const struct bt_opcode *opcode = bt_opcode_of(op);
	struct operands x = { op->reg, op->rm, op->vvvv & 15,
			      op->rm == BTSHIM_MEMORY };
	struct kept kept = { .count = 0 };
	int err, i;
	u32 what;

	if (!opcode || !opcode->prefixes || !is_on_list(op, opcode))
		return -EINVAL;
	what = opcode->what;
	if (what & BT_VECTOR) {
		hold_vector(unit, op);
		unit->start = unit->len;
	}
	if (x.in_memory) {
		bool locks = op->flags & BTSHIM_LOCK || what & BT_LOCKS;
		u8 bytes = operand_bytes(op, what);

		err = bt_operand_address(unit, op);
		if (err)
			return err;
		if (locks && bytes > 1)
			expect_aligned(unit, op, bytes);
	}
	err = replace_kept(op, what, &x, &kept);
	if (err)
		return err;
	for (i = 0; i < kept.count; i++)
		load_context(unit, kept.at[i], bt_context_place(kept.reg[i]));
	if (x.in_memory)
		bt_may_fault(unit, op, BT_STUB_FAULT);
	else if (what & BT_RAISES || op->map || op->encoding == BTSHIM_VEX)
		bt_may_fault(unit, op, BT_STUB_LEAVE);
	err = encode(unit, op, what, &x);
	if (err)
		return err;
	for (i = kept.count - 1; i >= 0; i--)
		store_context(unit, bt_context_place(kept.reg[i]), kept.at[i]);
	unit->keeps_base = !may_change(op, what, unit->based);
	return 0;
}

int bt_put_lea(struct bt_unit *unit, const struct btshim_op *op)
{
	u8 to = bt_is_kept(op->reg) ? R10 : op->reg;

	if (!bt_is_operand(op) || !bt_is_register(op->reg) || op->flags & BTSHIM_FS ||
	    (op->size != 2 && op->size != 4 && op->size != 8))
		return -EINVAL;
	if (op->base == BTSHIM_PC) {
		u64 value = unit->pc + (s64)op->disp;

		if (op->size == 2)
			return -EOPNOTSUPP;
		load_value(unit, to, op->size == 8 ? value : (u32)value);
	} else if (op->size == 2 && bt_is_kept(op->reg)) {
		return -EOPNOTSUPP; /* the upper part stays */
	} else {
		bt_effective_address(unit, op, to, op->size);
	}
	if (bt_is_kept(op->reg))
		store_context(unit, bt_context_place(op->reg), to);
	unit->keeps_base = op->reg != unit->based;
	return 0;
}

int bt_put_check(struct bt_unit *unit, const struct btshim_op *op)
{
	int err;

	if (op->opcode > 15)
		return -EINVAL;
	if (op->rm == BTSHIM_MEMORY) {
		if (op->size != 1 && op->size != 4)
			return -EINVAL;
		err = bt_operand_address(unit, op);
		if (err)
			return err;
		bt_settle_address(unit);
		bt_may_fault(unit, op, BT_STUB_FAULT);
		if (op->size == 1)
			PUT(unit, 0x45, 0x0f, 0xb6, 0x13); /* movzx r10d, [r11] */
		else
			PUT(unit, 0x45, 0x8b, 0x13); /* mov r10d, [r11] */
	} else if (bt_is_register(op->reg) && op->size == 4) {
		move(unit, R10, bt_in_register(unit, op->reg, R10));
	} else {
		return -EINVAL;
	}
	if (!bt_is_dead(op))
		put8(unit, 0x9c); /* pushfq */
	PUT(unit, 0x41, 0x81, 0xfa); /* cmp r10d, imm32 */
	put(unit, op->imm, 4);
	bt_branch_to_stub(unit, op->opcode,
			  bt_is_dead(op) ? BT_STUB_LEAVE : BT_STUB_POP_LEAVE,
		       bt_pc_of(unit, op))->reason = BTSHIM_CHECKED;
	if (!bt_is_dead(op))
		put8(unit, 0x9d); /* popfq: as they were pushed */
	return 0;
}

int bt_put_string(struct bt_unit *unit, const struct btshim_op *op)
{
	bool moves = op->opcode == 0xa4 || op->opcode == 0xa5;
	bool bytes = op->opcode == 0xa4 || op->opcode == 0xaa;

	if (!moves && op->opcode != 0xaa && op->opcode != 0xab)
		return -EINVAL;
	if (op->prefix != 0 && op->prefix != 2)
		return -EINVAL;
	if (bytes ? op->size != 1 :
		    op->size != 2 && op->size != 4 && op->size != 8)
		return -EINVAL;
	if (op->flags & BTSHIM_FS || op->flags & BTSHIM_ADDR32)
		return -EOPNOTSUPP;
	if (!bt_is_dead(op))
		put8(unit, 0x9c); /* pushfq */
	/*
	 * DF is clear: from an address of a process on upwards, what comes next
	 * above its addresses is not canonical.
	 */
	move(unit, R11, RDI);
	if (moves)
		PUT(unit, 0x49, 0x09, 0xf3); /* or r11, rsi */
	PUT(unit, 0x4d, 0x85, 0xdb); /* test r11, r11 */
	bt_branch_to_stub(unit, CC_S,
			  bt_is_dead(op) ? BT_STUB_LEAVE : BT_STUB_POP_LEAVE,
		       bt_pc_of(unit, op))->reason = BTSHIM_UNTRANSLATED;
	if (op->prefix) {
		/*
		 * A long one would keep everybody waiting: interrupts strike it,
		 * but ring 0 is not left.
		 */
		PUT(unit, 0x48, 0x81, 0xf9); /* cmp rcx, imm32 */
		put(unit, MAX_REPEATS, 4);
		bt_branch_to_stub(unit, CC_A,
				  bt_is_dead(op) ? BT_STUB_LEAVE : BT_STUB_POP_LEAVE,
			       bt_pc_of(unit, op))->reason = BTSHIM_UNTRANSLATED;
	}
	if (unit->is_masked) {
		/* Nor by speculation. */
		context_op(unit, 0x23, RDI, BT_MASK);
		if (moves)
			context_op(unit, 0x23, RSI, BT_MASK);
	}
	if (!bt_is_dead(op))
		put8(unit, 0x9d); /* popfq: as they were pushed */
	bt_may_fault(unit, op, BT_STUB_FAULT_STRING);
	if (op->size == 2)
		put8(unit, 0x66);
	if (op->prefix)
		put8(unit, 0xf3);
	if (op->size == 8)
		put8(unit, 0x48);
	put8(unit, op->opcode);
	return 0;
}
