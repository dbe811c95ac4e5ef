// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Ways out of the code of one operation: branches to stubs and to other pcs, and
 * instructions that may fault. Each is noted in the unit; stubs.c makes what it
 * leads to once all hot code is there.
 */
#include <linux/kernel.h>

#include "assemble.h"
#include "emit.h"

static struct bt_stub *new_stub(struct bt_unit *unit, enum bt_stub_kind kind,
				u64 pc)
{
	struct bt_stub *stub = &unit->stubs[unit->stub_count++];

	*stub = (struct bt_stub){ .kind = kind, .pc = pc, .based = unit->based };
	return stub;
}

/* A jump to a stub, on a condition or always. */
struct bt_stub *bt_branch_to_stub(struct bt_unit *unit, int condition,
				  enum bt_stub_kind kind, u64 pc)
{
	struct bt_stub *stub = new_stub(unit, kind, pc);

	if (condition == BT_ALWAYS) {
		put8(unit, 0xe9);
	} else {
		put8(unit, 0x0f);
		put8(unit, 0x80 | condition);
	}
	stub->site = unit->len;
	put(unit, 0, 4);
	stub->back = unit->len;
	return stub;
}

void bt_leave_if(struct bt_unit *unit, int condition, u64 pc, u32 reason)
{
	bt_branch_to_stub(unit, condition, BT_STUB_LEAVE, pc)->reason = reason;
}

/*
 * The instruction that comes next may fault. With @kind BT_STUB_FAULT the
 * address in r11 is at fault, and the operation begins anew once it has been
 * dealt with.
 */
void bt_may_fault(struct bt_unit *unit, const struct btshim_op *op,
		  enum bt_stub_kind kind)
{
	struct bt_stub *stub = new_stub(unit, kind, bt_pc_of(unit, op));

	stub->site = unit->len;
	stub->back = unit->start;
	stub->is_fault = true;
	stub->displacement = unit->displacement;
	stub->based = unit->start_based;
	stub->ahead = unit->start_ahead;
	stub->reason = BTSHIM_FAULT;
}

/* The pc is in the unit. */
static bool has_block(const struct bt_unit *unit, u64 pc)
{
	u32 i;

	for (i = 0; i < unit->count; i++) {
		if (unit->ops[i].kind == BTSHIM_BLOCK && unit->ops[i].imm == pc)
			return true;
	}
	return false;
}

/* One instruction of up to three bytes that does nothing. */
static void put_nop(struct bt_unit *unit, u32 bytes)
{
	static const u8 nops[4][3] = {
		{ 0 }, { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }
	};
	u32 i;

	for (i = 0; i < bytes; i++)
		put8(unit, nops[bytes][i]);
}

/* A jump to a pc, on a condition or always. */
void bt_branch(struct bt_unit *unit, int condition, u64 pc, bool dead)
{
	struct bt_jump *jump = &unit->jumps[unit->jump_count++];
	int opcode_bytes = condition == BT_ALWAYS ? 1 : 2;

	/* A displacement that may be changed while it is executed is aligned. */
	if (!has_block(unit, pc))
		put_nop(unit, -(unit->len + opcode_bytes) & 3);
	if (condition == BT_ALWAYS) {
		put8(unit, 0xe9);
	} else {
		put8(unit, 0x0f);
		put8(unit, 0x80 | condition);
	}
	jump->site = unit->len;
	jump->pc = pc;
	jump->dead = dead;
	put(unit, 0, 4);
}
