// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The rarely executed half of a unit: what deals with faults and the kernel's
 * work, polls on the way back, and exits.
 *
 * A jump is forward if it leads to a higher address of its unit, or to a unit
 * loaded later. Every cycle of jumps contains one that is not, and these poll:
 * so code leaves ring 0, or lets others run, in bounded time.
 */
#include <linux/errno.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/thread_info.h>
#include <linux/version.h>
#include <asm/thread_info.h>

#include "assemble.h"
#include "emit.h"

#define STUB_ROOM 160

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define PREEMPT_COUNT ((u64)(unsigned long)&pcpu_hot.preempt_count)
#else
#define PREEMPT_COUNT ((u64)(unsigned long)&__preempt_count)
#endif
#define SOFTIRQ_PENDING ((u64)(unsigned long)&local_softirq_pending_ref)

/* What fpregs_lock() adds to the preemption count (asm/fpu/api.h). */
#define FPREGS_LOCK SOFTIRQ_DISABLE_OFFSET

/* Makes the displacement at @site, which ends its instruction, lead here. */
static void land(struct bt_unit *unit, u32 site)
{
	u32 distance = unit->len - (site + 4), i;

	for (i = 0; i < 4; i++)
		unit->bytes[site + i] = distance >> 8 * i;
}

static void aim(struct bt_unit *unit, u32 site, u64 target)
{
	u32 distance = target - (unit->address + site + 4), i;

	for (i = 0; i < 4; i++)
		unit->bytes[site + i] = distance >> 8 * i;
}

static void put_back(struct bt_unit *unit, const struct bt_stub *stub)
{
	bt_base_anew(unit, stub->based, stub->ahead);
	jump_to(unit, unit->address + stub->back);
}

/* The flags are as they were before, AC among them. */
static void call_with_pc(struct bt_unit *unit, u64 pc, void (*routine)(void))
{
	load_value(unit, R10, pc);
	call_to(unit, (u64)(unsigned long)routine);
	bt_take_flags(unit, BT_RFLAGS);
}

static void put_leave(struct bt_unit *unit, u64 pc, u32 reason)
{
	load_value(unit, R11, pc);
	load_value(unit, R10, reason);
	jump_to(unit, (u64)(unsigned long)bt_leave);
}

/* mov dword [r15 + @offset], @value */
static void store_word(struct bt_unit *unit, u32 offset, u32 value)
{
	PUT(unit, 0x41, 0xc7);
	put_context(unit, 0, offset);
	put(unit, value, 4);
}

/* mov byte [locked], @value */
static void note_held(struct bt_unit *unit, u8 value)
{
	PUT(unit, 0x41, 0xc6);
	put_context(unit, 0, BT_LOCKED);
	put8(unit, value);
}

/* ModRM for an absolute address, with @digit */
static void put_absolute(struct bt_unit *unit, u8 digit, u64 address)
{
	put8(unit, 0x04 | digit << 3);
	put8(unit, 0x25);
	put(unit, address, 4);
}

/* A short jump on a condition, to be landed. */
static u32 skip_if(struct bt_unit *unit, u8 condition)
{
	put8(unit, 0x0f);
	put8(unit, 0x80 | condition);
	put(unit, 0, 4);
	return unit->len - 4;
}

/*
 * fpregs_lock(), and the registers are the process's: as
 * bt_handle_hold_vector(), which does the rest.
 */
static void put_hold(struct bt_unit *unit, const struct bt_stub *stub)
{
	u32 slow[2];

	PUT(unit, 0x41, 0x80); /* cmp byte [vector_ok], 0 */
	put_context(unit, 7, BT_VECTOR_OK);
	put8(unit, 0);
	slow[0] = skip_if(unit, CC_E);
	PUT(unit, 0x65, 0x81); /* add dword gs:[preempt_count], lock */
	put_absolute(unit, 0, PREEMPT_COUNT);
	put(unit, FPREGS_LOCK, 4);
	note_held(unit, 1);
	load_context(unit, R11, BT_THREAD);
	PUT(unit, 0x41, 0xf7, 0x03); /* test dword [r11], need_fpu_load */
	put(unit, _TIF_NEED_FPU_LOAD, 4);
	slow[1] = skip_if(unit, CC_NE);
	if (stub->pops_flags)
		put8(unit, 0x9d); /* popfq: as they were pushed */
	put_back(unit, stub);
	land(unit, slow[0]);
	land(unit, slow[1]);
	if (stub->pops_flags)
		put8(unit, 0x9d);
	call_with_pc(unit, stub->pc, bt_hold_vector);
	put_back(unit, stub);
}

/* fpregs_unlock(), if nothing waits for it. */
static void put_release(struct bt_unit *unit, const struct bt_stub *stub)
{
	u32 slow;

	PUT(unit, 0x65, 0x66, 0x83); /* cmp word gs:[softirq_pending], 0 */
	put_absolute(unit, 7, SOFTIRQ_PENDING);
	put8(unit, 0);
	slow = skip_if(unit, CC_NE);
	note_held(unit, 0);
	PUT(unit, 0x65, 0x81); /* sub dword gs:[preempt_count], lock */
	put_absolute(unit, 5, PREEMPT_COUNT);
	put(unit, FPREGS_LOCK, 4);
	/* If a reschedule is due, the work flags tell after the call. */
	put_back(unit, stub);
	land(unit, slow);
	call_with_pc(unit, stub->pc, bt_release_vector);
	put_back(unit, stub);
}

static void put_stub(struct bt_unit *unit, const struct bt_stub *stub)
{
	if (stub->is_fault) {
		struct bt_fault *fault = &unit->faults[unit->fault_count++];

		fault->insn = stub->site;
		fault->fixup = unit->len;
	} else {
		land(unit, stub->site);
	}
	switch (stub->kind) {
	case BT_STUB_POP_LEAVE:
		put8(unit, 0x9d); /* popfq: as they were pushed */
		fallthrough;
	case BT_STUB_LEAVE:
		if (stub->return_flags)
			bt_take_flags(unit, BT_R11); /* with AC clear */
		if (!stub->keeps_call)
			store_word(unit, BT_CALL, stub->call);
		put_leave(unit, stub->pc, stub->reason);
		break;
	case BT_STUB_FAULT:
		if (stub->ahead) {
			PUT(unit, 0x4d, 0x8d, 0x93); /* lea r10, [r11 + ahead] */
			put(unit, (u32)stub->ahead, 4);
			store_context(unit, BT_RSP, R10);
		}
		if (stub->displacement)
			advance_address(unit, stub->displacement);
		call_with_pc(unit, stub->pc, bt_fault);
		put_back(unit, stub);
		break;
	case BT_STUB_FAULT_STRING:
		call_with_pc(unit, stub->pc, bt_fault_string);
		put_back(unit, stub);
		break;
	case BT_STUB_HOLD:
		put_hold(unit, stub);
		break;
	case BT_STUB_RELEASE:
		put_release(unit, stub);
		break;
	case BT_STUB_AFTER_CALL:
		if (!stub->keeps_call)
			store_word(unit, BT_CALL, stub->call);
		call_with_pc(unit, stub->pc, bt_after_call);
		put_back(unit, stub);
		break;
	}
}

/* A jump to code that may have been executed before. */
static void put_polled(struct bt_unit *unit, const struct bt_jump *jump,
		       u64 target)
{
	u32 work, softirq = 0;

	land(unit, jump->site);
	if (!jump->dead)
		put8(unit, 0x9c); /* pushfq */
	load_context(unit, R11, BT_THREAD);
	PUT(unit, 0x41, 0xf7, 0x03); /* test dword [r11], work */
	put(unit, BT_WORK, 4);
	work = skip_if(unit, CC_NE);
	if (unit->is_vector) {
		/* They wait for the vector registers to be let go of. */
		PUT(unit, 0x65, 0x66, 0x83);
		put_absolute(unit, 7, SOFTIRQ_PENDING);
		put8(unit, 0);
		softirq = skip_if(unit, CC_NE);
	}
	if (!jump->dead)
		put8(unit, 0x9d); /* popfq: as they were pushed */
	jump_to(unit, target);
	land(unit, work);
	if (unit->is_vector)
		land(unit, softirq);
	if (!jump->dead)
		put8(unit, 0x9d);
	call_with_pc(unit, jump->pc, bt_poll);
	jump_to(unit, target);
}

static const struct bt_label *label_of(const struct bt_unit *unit, u64 pc)
{
	u32 i;

	for (i = 0; i < unit->label_count; i++) {
		if (unit->labels[i].pc == pc)
			return &unit->labels[i];
	}
	return NULL;
}

/* Returns whether the jump is to be linked once its pc has code. */
static bool put_jump(struct bt_unit *unit, const struct bt_jump *jump)
{
	const struct bt_label *label = label_of(unit, jump->pc);
	u64 known;

	if (label) {
		if (label->code > jump->site)
			aim(unit, jump->site, unit->address + label->code);
		else
			put_polled(unit, jump, unit->address + label->code);
		return false;
	}
	known = bt_table_find(unit->table, jump->pc);
	if (known) {
		put_polled(unit, jump, known);
		return false;
	}
	land(unit, jump->site);
	put_leave(unit, jump->pc, BTSHIM_MISSING);
	return true;
}

int bt_finish_unit(struct bt_unit *unit)
{
	u32 i, open = 0;

	for (i = 0; i < unit->stub_count; i++) {
		if (unit->len + STUB_ROOM > unit->room)
			return -ENOSPC;
		put_stub(unit, &unit->stubs[i]);
	}
	for (i = 0; i < unit->jump_count; i++) {
		if (unit->len + STUB_ROOM > unit->room)
			return -ENOSPC;
		if (put_jump(unit, &unit->jumps[i]))
			unit->jumps[open++] = unit->jumps[i];
	}
	unit->jump_count = open;
	return 0;
}
