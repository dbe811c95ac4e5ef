// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Operations that move the stack pointer or go elsewhere.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "assemble.h"
#include "emit.h"

/*
 * Goes on at the pc in r11, or r10. A hint, if not 0, is where that leads mostly;
 * @next is the operation after it, NULL for none.
 */
static void branch_to_address(struct bt_unit *unit, const struct btshim_op *op,
			      const struct btshim_op *next, u8 target)
{
	u64 hint = op->imm, dispatch;
	bool dead = bt_is_dead(op);
	u32 skip = 0;

	if (hint && dead) {
		load_value(unit, target == R10 ? R11 : R10, hint);
		PUT(unit, 0x4d, 0x39, 0xd3); /* cmp r11, r10 */
		bt_branch(unit, CC_E, hint, true);
	} else if (hint) {
		store_context(unit, BT_SPILL, RCX);
		load_value(unit, RCX, -hint);
		PUT(unit, 0x4a, 0x8d, 0x0c); /* lea rcx, [rcx + target] */
		put8(unit, (target & 7) << 3 | RCX);
		PUT(unit, 0xe3, 0); /* jrcxz */
		skip = unit->len;
		load_context(unit, RCX, BT_SPILL);
	}
	if (target != R11)
		move(unit, R11, target);
	dispatch = (u64)(unsigned long)(dead ? bt_dispatch : bt_dispatch_live);
	jump_to(unit, dispatch);
	if (!skip)
		return;
	unit->bytes[skip - 1] = unit->len - skip;
	load_context(unit, RCX, BT_SPILL);
	/* Falls into the block if it comes next. */
	if (!next || next->kind != BTSHIM_BLOCK || next->imm != hint)
		bt_branch(unit, BT_ALWAYS, hint, false);
}

/* It pushes or pops, and does not need the context's rsp for it. */
static bool continues(const struct btshim_op *op)
{
	return op && (op->kind == BTSHIM_POP ||
		      (op->kind == BTSHIM_PUSH && op->rm != BTSHIM_MEMORY &&
		       op->reg != RSP));
}

/* rsp has moved on by @count, and is written unless @next moves it as well. */
static void move_stack(struct bt_unit *unit, s32 count,
		       const struct btshim_op *next)
{
	bool is_based = unit->based == RSP;

	unit->ahead += count;
	unit->keeps_base = is_based;
	if (is_based && continues(next))
		return;
	if (unit->ahead)
		advance_address(unit, unit->ahead);
	store_context(unit, BT_RSP, R11);
	unit->ahead = 0;
	if (is_based)
		unit->based = RSP;
}

/* Pushes r10, a register, or a value. */
static int push(struct bt_unit *unit, const struct btshim_op *op, u8 reg,
		u64 value, const struct btshim_op *next)
{
	int err = bt_stack_address(unit, -8, bt_is_dead(op));

	if (err)
		return err;
	if (reg == BTSHIM_NONE) {
		load_value(unit, R10, value);
		reg = R10;
	}
	bt_may_fault(unit, op, BT_STUB_FAULT);
	store_operand(unit, reg);
	move_stack(unit, -8, next);
	return 0;
}

/* @to = the memory operand */
static int load(struct bt_unit *unit, const struct btshim_op *op, u8 to)
{
	int err = bt_operand_address(unit, op);

	if (err)
		return err;
	bt_may_fault(unit, op, BT_STUB_FAULT);
	load_operand(unit, to);
	return 0;
}

int bt_put_push(struct bt_unit *unit, const struct btshim_op *op,
		const struct btshim_op *next)
{
	int err;

	if (op->rm == BTSHIM_MEMORY) {
		err = load(unit, op, R10);
		return err ? err : push(unit, op, R10, 0, next);
	}
	if (op->reg == BTSHIM_NONE)
		return push(unit, op, BTSHIM_NONE, op->imm, next);
	if (!bt_is_register(op->reg))
		return -EINVAL;
	return push(unit, op, bt_in_register(unit, op->reg, R10), 0, next);
}

/* r10, or a register, = what is popped, and @more bytes are dropped. */
static int pop(struct bt_unit *unit, const struct btshim_op *op, u8 to,
	       s32 more, const struct btshim_op *next)
{
	int err = bt_stack_address(unit, 0, bt_is_dead(op));

	if (err)
		return err;
	bt_may_fault(unit, op, BT_STUB_FAULT);
	load_operand(unit, to);
	move_stack(unit, 8 + more, next);
	return 0;
}

int bt_put_pop(struct bt_unit *unit, const struct btshim_op *op,
	       const struct btshim_op *next)
{
	int err;

	if (!bt_is_register(op->reg) || op->reg == RSP)
		return -EINVAL;
	err = pop(unit, op, bt_is_kept(op->reg) ? R10 : op->reg, 0, next);
	if (!err && bt_is_kept(op->reg))
		store_context(unit, bt_context_place(op->reg), R10);
	return err;
}

int bt_put_ret(struct bt_unit *unit, const struct btshim_op *op,
	       const struct btshim_op *next)
{
	int err = pop(unit, op, R10, op->disp & 0xffff, NULL);

	if (err)
		return err;
	branch_to_address(unit, op, next, R10);
	return 0;
}

int bt_put_branch_to(struct bt_unit *unit, const struct btshim_op *op,
		     const struct btshim_op *next)
{
	int err;

	if (op->rm == BTSHIM_MEMORY) {
		err = load(unit, op, R11);
		if (err)
			return err;
	} else if (bt_is_register(op->reg)) {
		move(unit, R11, bt_in_register(unit, op->reg, R11));
	} else {
		return -EINVAL;
	}
	if (op->kind == BTSHIM_CALL_TO) {
		store_context(unit, BT_SPILL, R11);
		err = push(unit, op, BTSHIM_NONE, bt_next_pc(unit, op), NULL);
		if (err)
			return err;
		load_context(unit, R11, BT_SPILL);
	}
	branch_to_address(unit, op, next, R11);
	return 0;
}

int bt_put_call(struct bt_unit *unit, const struct btshim_op *op)
{
	int err = push(unit, op, BTSHIM_NONE, bt_next_pc(unit, op), NULL);

	if (!err)
		bt_branch(unit, BT_ALWAYS, op->imm, bt_is_dead(op));
	return err;
}
