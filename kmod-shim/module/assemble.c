// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Operations to machine code.
 *
 * What made code can do is decided here and in opcodes.c, not by who gives the
 * operations. Each access to memory goes through an address whose highest bit
 * has been cleared, and has an entry in the exception table; each way to
 * code executed before passes a poll; registers that hold the kernel's values
 * are never an operand.
 *
 * Hot code comes first, what is rarely needed ("stubs") after it.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/ibt.h>
#include <asm/processor.h>

#include "assemble.h"
#include "emit.h"

/* Room that one operation, or stub, needs at most. */
#define ROOM 256

/* Where indirect branches lead. */
static void put_landing(struct bt_unit *unit)
{
#ifdef CONFIG_X86_KERNEL_IBT
	if (boot_cpu_has(X86_FEATURE_IBT))
		put(unit, gen_endbr(), 4);
#endif
}

static int put_block(struct bt_unit *unit, const struct btshim_op *op)
{
	struct bt_label *label = &unit->labels[unit->label_count++];

	if (op->imm >= TASK_SIZE_MAX || op->at)
		return -EINVAL;
	unit->pc = op->imm;
	label->pc = op->imm;
	label->code = unit->len;
	put_landing(unit);
	unit->vector_held = false;
	return 0;
}

static int put_op(struct bt_unit *unit, const struct btshim_op *op,
		  const struct btshim_op *next)
{
	switch ((enum btshim_kind)op->kind) {
	case BTSHIM_BLOCK:
		return put_block(unit, op);
	case BTSHIM_INSN:
		return bt_put_insn(unit, op);
	case BTSHIM_LEA:
		return bt_put_lea(unit, op);
	case BTSHIM_PUSH:
		return bt_put_push(unit, op, next);
	case BTSHIM_POP:
		return bt_put_pop(unit, op, next);
	case BTSHIM_JUMP:
		bt_branch(unit, BT_ALWAYS, op->imm, bt_is_dead(op));
		return 0;
	case BTSHIM_JCC:
		if (op->opcode > 15)
			return -EINVAL;
		bt_branch(unit, op->opcode, op->imm, bt_is_dead(op));
		unit->keeps_base = true;
		return 0;
	case BTSHIM_CALL:
		return bt_put_call(unit, op);
	case BTSHIM_JUMP_TO:
	case BTSHIM_CALL_TO:
		return bt_put_branch_to(unit, op, next);
	case BTSHIM_RET:
		return bt_put_ret(unit, op, next);
	case BTSHIM_SYSCALL:
		return bt_put_syscall(unit, op, next);
	case BTSHIM_LEAVE:
		bt_leave_if(unit, BT_ALWAYS, bt_pc_of(unit, op), BTSHIM_UNTRANSLATED);
		return 0;
	case BTSHIM_STRING:
		return bt_put_string(unit, op);
	case BTSHIM_CHECK:
		return bt_put_check(unit, op);
	case BTSHIM_KINDS:
		break;
	}
	return -EINVAL;
}

static bool ends(const struct btshim_op *op)
{
	switch (op->kind) {
	case BTSHIM_JUMP:
	case BTSHIM_CALL:
	case BTSHIM_JUMP_TO:
	case BTSHIM_CALL_TO:
	case BTSHIM_RET:
	case BTSHIM_LEAVE:
		return true;
	default:
		return false;
	}
}

/*
 * Makes a unit's code. -EINVAL: operation @refused is not one;
 * -EOPNOTSUPP: it cannot be made here, give a BTSHIM_LEAVE instead;
 * -ENOSPC: the code does not fit.
 */
int bt_assemble(struct bt_unit *unit)
{
	u32 i;
	int err;

	unit->based = BTSHIM_NONE;
	unit->ahead = 0;
	for (i = 0; i < unit->count; i++) {
		const struct btshim_op *op = &unit->ops[i];

		unit->refused = i;
		if (unit->len + ROOM > unit->room)
			return -ENOSPC;
		if (op->flags & ~BTSHIM_ALL_FLAGS || op->reserved || op->len > 15)
			return -EINVAL;
		if (i == 0 && op->kind != BTSHIM_BLOCK)
			return -EINVAL;
		unit->start = unit->len;
		unit->displacement = 0;
		unit->start_based = unit->based;
		unit->start_ahead = unit->ahead;
		unit->keeps_base = false;
		err = put_op(unit, op, i + 1 < unit->count ? op + 1 : NULL);
		if (err)
			return err;
		if (!unit->keeps_base)
			unit->based = BTSHIM_NONE;
	}
	if (!ends(&unit->ops[unit->count - 1]))
		bt_branch(unit, BT_ALWAYS,
			  bt_next_pc(unit, &unit->ops[unit->count - 1]), false);
	return bt_finish_unit(unit);
}
