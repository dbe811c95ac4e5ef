/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What the parts of the assembler share: each kind of operation (insn.c, flow.c,
 * handler.c) with its operands (operand.c) and the ways out of it (branch.c), and
 * the stubs after the hot code (stubs.c).
 */
#ifndef BTSHIM_ASSEMBLE_H
#define BTSHIM_ASSEMBLE_H

#include "emit.h"
#include "internal.h"

enum bt_stub_kind {
	BT_STUB_LEAVE,	       /* leaves at @pc with @reason */
	BT_STUB_POP_LEAVE,     /* the same; the flags are on the stack */
	BT_STUB_FAULT,	       /* deals with the fault, then @back */
	BT_STUB_FAULT_STRING,
	BT_STUB_HOLD,	       /* takes the vector registers, then @back */
	BT_STUB_RELEASE,       /* lets go of them, then @back */
	BT_STUB_AFTER_CALL,    /* the kernel has work, then @back */
};

struct bt_stub {
	enum bt_stub_kind kind;
	bool is_fault;	   /* @site is an instruction, not a displacement */
	bool return_flags; /* the flags are in r11's place */
	bool pops_flags;   /* the flags are on the stack */
	bool keeps_call;   /* the call's number is in the context already */
	u32 site;
	u32 back;
	u32 reason;
	u32 call;
	s32 displacement; /* of the operand that faulted, from r11 */
	u8 based; /* what is to be in r11 at @back: see struct bt_unit */
	s32 ahead;
	u64 pc;
};

static inline u64 bt_pc_of(const struct bt_unit *unit, const struct btshim_op *op)
{
	return unit->pc + op->at;
}

static inline u64 bt_next_pc(const struct bt_unit *unit, const struct btshim_op *op)
{
	return bt_pc_of(unit, op) + op->len;
}

static inline bool bt_is_dead(const struct btshim_op *op)
{
	return op->flags & BTSHIM_FLAGS_DEAD;
}

/* branch.c: ways out of the code of an operation */
struct bt_stub *bt_branch_to_stub(struct bt_unit *unit, int condition,
				  enum bt_stub_kind kind, u64 pc);
void bt_leave_if(struct bt_unit *unit, int condition, u64 pc, u32 reason);
void bt_may_fault(struct bt_unit *unit, const struct btshim_op *op,
		  enum bt_stub_kind kind);
void bt_branch(struct bt_unit *unit, int condition, u64 pc, bool dead);

/* The flags are those in the context's field at @offset. */
static inline void bt_take_flags(struct bt_unit *unit, u32 offset)
{
	PUT(unit, 0x41, 0xff); /* push [field] */
	put_context(unit, 6, offset);
	put8(unit, 0x9d); /* popfq */
}

/* operand.c */
int bt_context_place(u8 reg);
u8 bt_in_register(struct bt_unit *unit, u8 reg, u8 temporary);
bool bt_is_operand(const struct btshim_op *op);
void bt_effective_address(struct bt_unit *unit, const struct btshim_op *op,
			  u8 to, u8 size);
int bt_operand_address(struct bt_unit *unit, const struct btshim_op *op);
void bt_settle_address(struct bt_unit *unit);
int bt_stack_address(struct bt_unit *unit, s32 offset, bool dead);
void bt_base_anew(struct bt_unit *unit, u8 based, s32 ahead);

static inline bool bt_is_register(u8 reg)
{
	return reg < BTSHIM_REGS;
}

/* The process's value is in the context. */
static inline bool bt_is_kept(u8 reg)
{
	return bt_context_place(reg) >= 0;
}

/*
 * insn.c, flow.c, handler.c: one operation each; @next is the one after it, NULL
 * for none
 */
int bt_put_insn(struct bt_unit *unit, const struct btshim_op *op);
int bt_put_lea(struct bt_unit *unit, const struct btshim_op *op);
int bt_put_check(struct bt_unit *unit, const struct btshim_op *op);
int bt_put_string(struct bt_unit *unit, const struct btshim_op *op);
int bt_put_push(struct bt_unit *unit, const struct btshim_op *op,
		const struct btshim_op *next);
int bt_put_pop(struct bt_unit *unit, const struct btshim_op *op,
	       const struct btshim_op *next);
int bt_put_ret(struct bt_unit *unit, const struct btshim_op *op,
	       const struct btshim_op *next);
int bt_put_branch_to(struct bt_unit *unit, const struct btshim_op *op,
		     const struct btshim_op *next);
int bt_put_call(struct bt_unit *unit, const struct btshim_op *op);
int bt_put_syscall(struct bt_unit *unit, const struct btshim_op *op,
		   const struct btshim_op *next);

/* stubs.c: what lies after the hot code */
int bt_finish_unit(struct bt_unit *unit);

#endif
