/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What the two halves of the assembler share: hot code in assemble.c, stubs and
 * jumps in stubs.c.
 */
#ifndef BTSHIM_ASSEMBLE_H
#define BTSHIM_ASSEMBLE_H

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
	bool keeps_call;   /* the call's number is in the context already */
	u32 site;
	u32 back;
	u32 reason;
	u32 call;
	u64 pc;
};

/* Stubs and jumps behind the hot code. */
int bt_finish_unit(struct bt_unit *unit);

#endif
