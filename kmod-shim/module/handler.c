// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A system call of the process: the kernel's handler is called.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/thread_info.h>
#include <asm/cpufeature.h>
#include <asm/thread_info.h>

#include "assemble.h"
#include "emit.h"

static void open_user_memory(struct bt_unit *unit)
{
	if (boot_cpu_has(X86_FEATURE_SMAP))
		PUT(unit, 0x0f, 0x01, 0xcb); /* stac */
}

/*
 * r10 = the handler of the call whose number is in eax, which is noted in the
 * context. Without one it is ring 3's, and has its flags in r11's place.
 */
static void find_handler(struct bt_unit *unit, u64 pc)
{
	struct bt_stub *stub;

	PUT(unit, 0x41, 0x89, 0xc3); /* mov r11d, eax */
	PUT(unit, 0x45, 0x89); /* mov [call], r11d */
	put_context(unit, R11, BT_CALL);
	PUT(unit, 0x41, 0x81, 0xfb); /* cmp r11d, calls */
	put(unit, BTSHIM_CALLS, 4);
	/* What lies beyond the table is not read by speculation either. */
	PUT(unit, 0x4d, 0x19, 0xd2); /* sbb r10, r10 */
	PUT(unit, 0x4d, 0x21, 0xd3); /* and r11, r10 */
	PUT(unit, 0x4d, 0x85, 0xd2); /* test r10, r10 */
	stub = bt_branch_to_stub(unit, CC_E, BT_STUB_LEAVE, pc);
	stub->reason = BTSHIM_NATIVE;
	stub->keeps_call = true;
	stub->return_flags = true;
	load_context(unit, R10, BT_HANDLERS);
	PUT(unit, 0x4f, 0x8b, 0x14, 0xda); /* mov r10, [r10 + r11 * 8] */
	PUT(unit, 0x4d, 0x85, 0xd2); /* test r10, r10 */
	stub = bt_branch_to_stub(unit, CC_E, BT_STUB_LEAVE, pc);
	stub->reason = BTSHIM_NATIVE;
	stub->keeps_call = true;
	stub->return_flags = true;
}

/* Counts the call whose number the context holds. */
static void count_any(struct bt_unit *unit)
{
	PUT(unit, 0x45, 0x8b); /* mov r11d, [call] */
	put_context(unit, R11, BT_CALL);
	load_value(unit, R10, (u64)(unsigned long)bt_call_slots);
	PUT(unit, 0x47, 0x0f, 0xb6, 0x1c, 0x1a); /* movzx r11d, [r10 + r11] */
	/* inc qword [counts + r11 * 8], of one slot less */
	PUT(unit, 0x4b, 0xff, 0x84, 0xdf);
	put(unit, BT_COUNTS - 8 - BT_BIAS, 4);
}

/*
 * A system call: the registers that hold arguments, or that C code may change,
 * go into the context's pt_regs, and the kernel's handler is called with it, as
 * do_syscall_64() does (arch/x86/entry/common.c).
 */
int bt_put_syscall(struct bt_unit *unit, const struct btshim_op *op,
		   const struct btshim_op *next_op)
{
	static const u8 saved[5][2] = { { RDI, BT_RDI }, { RSI, BT_RSI },
					{ RDX, BT_RDX }, { R8, BT_R8 },
					{ R9, BT_R9 } };
	u64 pc = bt_pc_of(unit, op), next = bt_next_pc(unit, op);
	bool any = op->imm == BTSHIM_ANY_CALL;
	bt_handler handler = NULL;
	struct bt_stub *stub;
	int i, slot = 0;

	note_change(unit, R11);
	if (!any) {
		if (op->imm >= BTSHIM_CALLS)
			return -EINVAL;
		handler = bt_call_handler(op->imm);
		if (!handler || !test_bit(op->imm, unit->allowed)) {
			stub = bt_branch_to_stub(unit, BT_ALWAYS, BT_STUB_LEAVE, pc);
			stub->reason = BTSHIM_NATIVE;
			stub->call = op->imm;
			return 0;
		}
		slot = bt_call_slot(op->imm);
	}
	unit->slots |= any ? ~0ULL : BIT_ULL(slot);
	if (boot_cpu_has(X86_FEATURE_SMAP))
		PUT(unit, 0x0f, 0x01, 0xca); /* clac */
	/* The instruction leaves the flags in r11, and rcx = the next pc. */
	put8(unit, 0x9c); /* pushfq */
	PUT(unit, 0x41, 0x8f); /* pop [r11's place] */
	put_context(unit, 0, BT_R11);
	if (unit->is_vector) {
		PUT(unit, 0x41, 0x80); /* cmp byte [locked], 0 */
		put_context(unit, 7, BT_LOCKED);
		put8(unit, 0);
		stub = bt_branch_to_stub(unit, CC_NE, BT_STUB_RELEASE, pc);
		stub->back = unit->len;
	}
	unit->vector_held = false;
	if (any)
		find_handler(unit, pc);
	load_context(unit, R11, BT_THREAD);
	PUT(unit, 0x49, 0x83, 0x7b); /* cmp qword [r11 + syscall_work], 0 */
	put8(unit, offsetof(struct thread_info, syscall_work));
	put8(unit, 0);
	stub = bt_branch_to_stub(unit, CC_NE, BT_STUB_LEAVE, pc);
	stub->reason = BTSHIM_WATCHED;
	stub->call = op->imm;
	stub->keeps_call = any;
	stub->return_flags = true;
	for (i = 0; i < ARRAY_SIZE(saved); i++)
		store_context(unit, saved[i][1], saved[i][0]);
	PUT(unit, 0x49, 0x8d, 0xbf); /* lea rdi, [r15 - bias]: the registers */
	put(unit, (u32)-BT_BIAS, 4);
	call_to(unit, any ? (u64)(unsigned long)bt_call :
			    (u64)(unsigned long)handler);
	open_user_memory(unit);
	for (i = 0; i < ARRAY_SIZE(saved); i++)
		load_context(unit, saved[i][0], saved[i][1]);
	load_value(unit, RCX, next);
	if (any) {
		count_any(unit);
	} else {
		PUT(unit, 0x49, 0xff); /* inc qword [count] */
		put_context(unit, 0, BT_COUNTS + 8 * slot);
	}
	load_context(unit, R11, BT_THREAD);
	PUT(unit, 0x41, 0xf7, 0x03); /* test dword [r11 + flags], work */
	put(unit, BT_WORK, 4);
	stub = bt_branch_to_stub(unit, CC_NE, BT_STUB_AFTER_CALL, next);
	stub->call = op->imm;
	stub->keeps_call = any;
	if (!next_op || !bt_is_dead(next_op)) {
		bt_take_flags(unit, BT_R11); /* with AC clear */
		open_user_memory(unit);
	}
	return 0;
}
