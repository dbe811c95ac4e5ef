// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Where operands are: registers of the process that made code keeps in the
 * context, and addresses with their highest bit cleared.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "assemble.h"
#include "emit.h"

/* Registers whose place is taken: the process's value is in the context. */
int bt_context_place(u8 reg)
{
	switch (reg) {
	case RSP:
		return BT_RSP;
	case R10:
		return BT_R10;
	case R11:
		return BT_R11;
	case R15:
		return BT_R15;
	default:
		return -1;
	}
}

/* Loads a general register's value if it is not in the register. */
u8 bt_in_register(struct bt_unit *unit, u8 reg, u8 temporary)
{
	if (!bt_is_kept(reg))
		return reg;
	load_context(unit, temporary, bt_context_place(reg));
	return temporary;
}

/* Fields of a memory operand are what they may be. */
bool bt_is_operand(const struct btshim_op *op)
{
	if (op->base != BTSHIM_NONE && op->base != BTSHIM_PC &&
	    !bt_is_register(op->base))
		return false;
	if (op->index != BTSHIM_NONE &&
	    (!bt_is_register(op->index) || op->index == RSP ||
	     op->base == BTSHIM_PC))
		return false;
	return op->scale == 1 || op->scale == 2 || op->scale == 4 ||
	       op->scale == 8;
}

/* lea @to, the operand; @to may be r10 or r11. May change both. */
void bt_effective_address(struct bt_unit *unit, const struct btshim_op *op,
			  u8 to, u8 size)
{
	u8 first = to == R11 ? R11 : R10, second = to == R11 ? R10 : R11;
	u8 base = op->base, index = op->index, rex;

	if (base != BTSHIM_NONE)
		base = bt_in_register(unit, base, first);
	if (index != BTSHIM_NONE)
		index = bt_in_register(unit, index, second);
	note_change(unit, to);
	/* It is there already. */
	if (base == to && index == BTSHIM_NONE && !op->disp && size == 8 &&
	    !(op->flags & BTSHIM_ADDR32))
		return;
	if (op->flags & BTSHIM_ADDR32)
		put8(unit, 0x67);
	if (size == 2)
		put8(unit, 0x66);
	rex = 0x40 | (size == 8) << 3 | (to >> 3) << 2;
	if (index != BTSHIM_NONE)
		rex |= (index >> 3) << 1;
	if (base != BTSHIM_NONE)
		rex |= base >> 3;
	put8(unit, rex);
	put8(unit, 0x8d);
	if (base == BTSHIM_NONE) {
		put8(unit, 0x04 | (to & 7) << 3);
		put8(unit, ilog2(op->scale) << 6 |
			   (index == BTSHIM_NONE ? 4 : index & 7) << 3 | 5);
	} else if (index == BTSHIM_NONE && (base & 7) != 4) {
		put8(unit, 0x80 | (to & 7) << 3 | (base & 7));
	} else {
		put8(unit, 0x84 | (to & 7) << 3);
		put8(unit, ilog2(op->scale) << 6 |
			   (index == BTSHIM_NONE ? 4 : index & 7) << 3 |
			   (base & 7));
	}
	put(unit, (u32)op->disp, 4);
}

/* Clears the highest bit of r11. */
static int mask_address(struct bt_unit *unit, bool dead)
{
	if (!unit->is_masked)
		return 0;
	if (dead) {
		context_op(unit, 0x23, R11, BT_MASK); /* and r11, [mask] */
		return 0;
	}
	if (!boot_cpu_has(X86_FEATURE_BMI2))
		return -EOPNOTSUPP;
	PUT(unit, 0xc4, 0x43, 0xfb, 0xf0, 0xdb, 0x3f); /* rorx r11, r11, 63 */
	PUT(unit, 0xc4, 0x42, 0x83, 0xf7, 0xdb); /* shrx r11, r11, r15 */
	return 0;
}

/*
 * What is added after the mask leads from an address below 2^63 to one that is
 * a process's, or not canonical, or within the last 2 MiB, where the kernel maps
 * nothing (Documentation/x86/x86_64/mm.rst, "unused hole"): a displacement, and
 * what a unit's pushes take away.
 */
#define LOWEST_DISPLACEMENT (-(1 << 20))

static_assert(BTSHIM_MAX_OPS * 8 < 1 << 20);

/* r11 = a register's value, fit to be accessed. */
static int mask_register(struct bt_unit *unit, u8 reg, bool dead)
{
	int err;

	if (dead || !unit->is_masked) {
		if (bt_is_kept(reg))
			load_context(unit, R11, bt_context_place(reg));
		else
			move(unit, R11, reg);
		err = mask_address(unit, dead);
		/* What loads it once more keeps the flags. */
		if (!unit->is_masked || boot_cpu_has(X86_FEATURE_BMI2))
			unit->based = reg;
		return err;
	}
	if (!boot_cpu_has(X86_FEATURE_BMI2))
		return -EOPNOTSUPP;
	/* rorx r11, the register or its place, 63 */
	put8(unit, 0xc4);
	put8(unit, bt_is_kept(reg) || reg >> 3 ? 0x43 : 0x63);
	PUT(unit, 0xfb, 0xf0);
	if (bt_is_kept(reg))
		put_context(unit, R11, bt_context_place(reg));
	else
		put8(unit, 0xc0 | (R11 & 7) << 3 | (reg & 7));
	put8(unit, 0x3f);
	PUT(unit, 0xc4, 0x42, 0x83, 0xf7, 0xdb); /* shrx r11, r11, r15 */
	unit->based = reg;
	return 0;
}

/* A register's value with a displacement: unless r11 is it already. */
static int register_address(struct bt_unit *unit, u8 reg, s32 displacement,
			    bool dead)
{
	if (unit->based == reg) {
		unit->displacement = displacement + unit->ahead;
		return 0;
	}
	unit->displacement = displacement;
	return mask_register(unit, reg, dead);
}

/* r11 is what it was for an operation that began with @based and @ahead. */
void bt_base_anew(struct bt_unit *unit, u8 based, s32 ahead)
{
	if (based == BTSHIM_NONE)
		return;
	mask_register(unit, based, false);
	if (ahead)
		advance_address(unit, -ahead);
}

/* The operand is at r11 itself. */
void bt_settle_address(struct bt_unit *unit)
{
	if (unit->displacement)
		advance_address(unit, unit->displacement);
	unit->displacement = 0;
}

/*
 * r11 = the address of the memory operand less the unit's displacement, fit to
 * be accessed.
 */
int bt_operand_address(struct bt_unit *unit, const struct btshim_op *op)
{
	unit->displacement = 0;
	if (!bt_is_operand(op))
		return -EINVAL;
	if (bt_is_register(op->base) && op->index == BTSHIM_NONE &&
	    !(op->flags & (BTSHIM_FS | BTSHIM_ADDR32)) &&
	    op->disp >= LOWEST_DISPLACEMENT)
		return register_address(unit, op->base, op->disp, bt_is_dead(op));
	note_change(unit, R11);
	if (op->base == BTSHIM_PC) {
		u64 address = unit->pc + (s64)op->disp;

		if (op->flags & (BTSHIM_FS | BTSHIM_ADDR32) ||
		    address >= TASK_SIZE_MAX)
			return -EOPNOTSUPP;
		load_value(unit, R11, address);
		return 0;
	}
	if (op->flags & BTSHIM_FS) {
		if (!boot_cpu_has(X86_FEATURE_FSGSBASE) ||
		    op->flags & BTSHIM_ADDR32)
			return -EOPNOTSUPP;
		if (op->base == BTSHIM_NONE && op->index == BTSHIM_NONE) {
			PUT(unit, 0xf3, 0x49, 0x0f, 0xae, 0xc3); /* rdfsbase r11 */
			advance_address(unit, op->disp);
			return mask_address(unit, bt_is_dead(op));
		}
		bt_effective_address(unit, op, R11, 8);
		PUT(unit, 0xf3, 0x49, 0x0f, 0xae, 0xc2); /* rdfsbase r10 */
		PUT(unit, 0x4f, 0x8d, 0x1c, 0x13); /* lea r11, [r11 + r10] */
		return mask_address(unit, bt_is_dead(op));
	}
	bt_effective_address(unit, op, R11, 8);
	return mask_address(unit, bt_is_dead(op));
}

/* The same for rsp + @offset, which is small. */
int bt_stack_address(struct bt_unit *unit, s32 offset, bool dead)
{
	return register_address(unit, RSP, offset, dead);
}
