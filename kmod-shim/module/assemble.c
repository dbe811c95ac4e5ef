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
 * Hot code comes first, what is seldom needed ("stubs") behind it.
 */
#include <linux/errno.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "assemble.h"
#include "emit.h"

/* Room that one operation, or stub, needs at most. */
#define ROOM 256

/* Repetitions of a string instruction in ring 0 at most. */
#define MAX_REPEATS 0x4000

static u64 pc_of(const struct bt_unit *unit, const struct btshim_op *op)
{
	return unit->pc + op->at;
}

static u64 next_pc(const struct bt_unit *unit, const struct btshim_op *op)
{
	return pc_of(unit, op) + op->len;
}

static bool is_dead(const struct btshim_op *op)
{
	return op->flags & BTSHIM_FLAGS_DEAD;
}

static struct bt_stub *new_stub(struct bt_unit *unit, enum bt_stub_kind kind,
				u64 pc)
{
	struct bt_stub *stub = &unit->stubs[unit->stub_count++];

	*stub = (struct bt_stub){ .kind = kind, .pc = pc };
	return stub;
}

/* A jump to a stub, on a condition or always. */
static struct bt_stub *branch_to_stub(struct bt_unit *unit, int condition,
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

static void leave_if(struct bt_unit *unit, int condition, u64 pc, u32 reason)
{
	branch_to_stub(unit, condition, BT_STUB_LEAVE, pc)->reason = reason;
}

/*
 * The instruction that comes next may fault. With @kind BT_STUB_FAULT the
 * address in r11 is at fault, and the operation begins anew once it has been
 * dealt with.
 */
static void may_fault(struct bt_unit *unit, const struct btshim_op *op,
		      enum bt_stub_kind kind)
{
	struct bt_stub *stub = new_stub(unit, kind, pc_of(unit, op));

	stub->site = unit->len;
	stub->back = unit->start;
	stub->is_fault = true;
	stub->reason = BTSHIM_FAULT;
}

/* Registers whose place is taken: the process's value is in the context. */
static int context_place(u8 reg)
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

static bool is_kept(u8 reg)
{
	return context_place(reg) >= 0;
}

/* Loads a general register's value if it is not in the register. */
static u8 in_register(struct bt_unit *unit, u8 reg, u8 temporary)
{
	if (!is_kept(reg))
		return reg;
	load_context(unit, temporary, context_place(reg));
	return temporary;
}

static bool is_register(u8 reg)
{
	return reg < BTSHIM_REGS;
}

/* ---- addresses */

/* Fields of a memory operand are what they may be. */
static bool is_operand(const struct btshim_op *op)
{
	if (op->base != BTSHIM_NONE && op->base != BTSHIM_PC &&
	    !is_register(op->base))
		return false;
	if (op->index != BTSHIM_NONE &&
	    (!is_register(op->index) || op->index == RSP ||
	     op->base == BTSHIM_PC))
		return false;
	return op->scale == 1 || op->scale == 2 || op->scale == 4 ||
	       op->scale == 8;
}

/* lea @to, the operand; @to may be r10 or r11. Changes both. */
static void effective_address(struct bt_unit *unit, const struct btshim_op *op,
			      u8 to, u8 size)
{
	u8 base = op->base, index = op->index, rex;

	if (base != BTSHIM_NONE)
		base = in_register(unit, base, R11);
	if (index != BTSHIM_NONE)
		index = in_register(unit, index, R10);
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

/* r11 = the address of the memory operand, fit to be accessed. */
static int operand_address(struct bt_unit *unit, const struct btshim_op *op)
{
	if (!is_operand(op))
		return -EINVAL;
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
			return mask_address(unit, is_dead(op));
		}
		effective_address(unit, op, R11, 8);
		PUT(unit, 0xf3, 0x49, 0x0f, 0xae, 0xc2); /* rdfsbase r10 */
		PUT(unit, 0x4f, 0x8d, 0x1c, 0x13); /* lea r11, [r11 + r10] */
		return mask_address(unit, is_dead(op));
	}
	effective_address(unit, op, R11, 8);
	return mask_address(unit, is_dead(op));
}

/* r11 = rsp + @offset, fit to be accessed. */
static int stack_address(struct bt_unit *unit, s32 offset, bool dead)
{
	load_context(unit, R11, BT_RSP);
	if (offset)
		advance_address(unit, offset);
	return mask_address(unit, dead);
}

/* ---- jumps */

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
static void branch(struct bt_unit *unit, int condition, u64 pc, bool dead)
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

/*
 * Goes on at the pc in r11. @hint, if not 0, is where that leads mostly; @next
 * is the operation behind, NULL for none.
 */
static void branch_to_address(struct bt_unit *unit, const struct btshim_op *op,
			      const struct btshim_op *next)
{
	u64 hint = op->imm, dispatch;
	bool dead = is_dead(op);
	u32 skip = 0;

	if (hint && dead) {
		load_value(unit, R10, hint);
		PUT(unit, 0x4d, 0x39, 0xd3); /* cmp r11, r10 */
		branch(unit, CC_E, hint, true);
	} else if (hint) {
		store_context(unit, BT_SPILL, RCX);
		load_value(unit, RCX, -hint);
		PUT(unit, 0x4a, 0x8d, 0x0c, 0x19); /* lea rcx, [rcx + r11] */
		PUT(unit, 0xe3, 0); /* jrcxz */
		skip = unit->len;
		load_context(unit, RCX, BT_SPILL);
	}
	dispatch = (u64)(unsigned long)(dead ? bt_dispatch : bt_dispatch_live);
	jump_to(unit, dispatch);
	if (!skip)
		return;
	unit->bytes[skip - 1] = unit->len - skip;
	load_context(unit, RCX, BT_SPILL);
	/* Falls into the block if it comes next. */
	if (!next || next->kind != BTSHIM_BLOCK || next->imm != hint)
		branch(unit, BT_ALWAYS, hint, false);
}

/* ---- operations */

/* The vector registers are the process's from here to the next call. */
static void hold_vector(struct bt_unit *unit, const struct btshim_op *op)
{
	struct bt_stub *stub;
	u32 skip;

	if (unit->vector_held)
		return;
	unit->vector_held = true;
	unit->has_vector = true;
	if (!is_dead(op)) {
		store_context(unit, BT_SPILL, RCX);
		PUT(unit, 0x41, 0x0f, 0xb6); /* movzx ecx, byte [locked] */
		put_context(unit, RCX, BT_LOCKED);
		PUT(unit, 0xe3, 0); /* jrcxz */
		skip = unit->len;
		load_context(unit, RCX, BT_SPILL);
		PUT(unit, 0xeb, 0); /* jmp */
		unit->bytes[skip - 1] = unit->len - skip;
		skip = unit->len;
		load_context(unit, RCX, BT_SPILL);
		load_value(unit, R10, pc_of(unit, op));
		call_to(unit, (u64)(unsigned long)bt_hold_vector);
		unit->bytes[skip - 1] = unit->len - skip;
		return;
	}
	PUT(unit, 0x41, 0x80); /* cmp byte [locked], 0 */
	put_context(unit, 7, BT_LOCKED);
	put8(unit, 0);
	stub = branch_to_stub(unit, CC_E, BT_STUB_HOLD, pc_of(unit, op));
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
	if (has_modrm)
		put8(unit, (x->in_memory ? 0 : 0xc0) | (reg & 7) << 3 | (rm & 7));
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
		       (in_memory || is_register(op->rm));
	if (what & BT_IN_OPCODE)
		return is_register(op->reg);
	if (what & BT_MODRM)
		return is_register(op->reg) && (in_memory || is_register(op->rm));
	return true;
}

static bool is_high_byte(const struct btshim_op *op, u8 reg)
{
	return op->flags & BTSHIM_HIGH_BYTE && reg >= 4 && reg < 8;
}

static int put_insn(struct bt_unit *unit, const struct btshim_op *op)
{
	const struct bt_opcode *opcode = bt_opcode_of(op);
	struct operands x = { op->reg, op->rm, op->vvvv & 15,
			      op->rm == BTSHIM_MEMORY };
	bool r10_taken = false, r11_taken = x.in_memory;
	u8 keeps[3][2]; /* register of the process, where it is meanwhile */
	int kept = 0, err;
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

		err = operand_address(unit, op);
		if (err)
			return err;
		if (locks && bytes > 1) {
			/* A locked access that crosses a cache line may raise
			 * #AC, which the kernel does not forgive itself. */
			if (!is_dead(op))
				put8(unit, 0x9c); /* pushfq */
			PUT(unit, 0x41, 0xf6, 0xc3); /* test r11b, imm8 */
			put8(unit, bytes - 1);
			branch_to_stub(unit, CC_NE,
				       is_dead(op) ? BT_STUB_LEAVE :
						     BT_STUB_POP_LEAVE,
				       pc_of(unit, op))->reason =
				BTSHIM_UNTRANSLATED;
			if (!is_dead(op))
				put8(unit, 0x9d); /* popfq: as they were */
		}
	}
	if (what & (BT_REG | BT_IN_OPCODE) && is_kept(op->reg) &&
	    !(what & BT_BYTE_REG && is_high_byte(op, op->reg))) {
		x.reg = R10;
		r10_taken = true;
		keeps[kept][0] = op->reg;
		keeps[kept++][1] = R10;
	}
	if (what & BT_RM && !x.in_memory && is_kept(op->rm) &&
	    !(what & BT_BYTE_RM && is_high_byte(op, op->rm))) {
		if (r10_taken && op->reg == op->rm) {
			x.rm = R10;
		} else {
			x.rm = R11;
			r11_taken = true;
			keeps[kept][0] = op->rm;
			keeps[kept++][1] = R11;
		}
	}
	if (what & BT_VVVV && is_kept(x.vvvv)) {
		if (kept && keeps[0][0] == x.vvvv) {
			x.vvvv = keeps[0][1];
		} else if (kept > 1 && keeps[1][0] == x.vvvv) {
			x.vvvv = keeps[1][1];
		} else if (!r10_taken || !r11_taken) {
			u8 at = r10_taken ? R11 : R10;

			keeps[kept][0] = x.vvvv;
			keeps[kept++][1] = at;
			x.vvvv = at;
		} else {
			return -EOPNOTSUPP;
		}
	}
	for (err = 0; err < kept; err++)
		load_context(unit, keeps[err][1], context_place(keeps[err][0]));
	if (x.in_memory)
		may_fault(unit, op, BT_STUB_FAULT);
	else if (what & BT_RAISES || op->map || op->encoding == BTSHIM_VEX)
		may_fault(unit, op, BT_STUB_LEAVE);
	err = encode(unit, op, what, &x);
	if (err)
		return err;
	while (kept-- > 0)
		store_context(unit, context_place(keeps[kept][0]),
			      keeps[kept][1]);
	return 0;
}

static int put_lea(struct bt_unit *unit, const struct btshim_op *op)
{
	u8 to = is_kept(op->reg) ? R10 : op->reg;

	if (!is_operand(op) || !is_register(op->reg) || op->flags & BTSHIM_FS ||
	    (op->size != 2 && op->size != 4 && op->size != 8))
		return -EINVAL;
	if (op->base == BTSHIM_PC) {
		u64 value = unit->pc + (s64)op->disp;

		if (op->size == 2)
			return -EOPNOTSUPP;
		load_value(unit, to, op->size == 8 ? value : (u32)value);
	} else if (op->size == 2 && is_kept(op->reg)) {
		return -EOPNOTSUPP; /* the upper part stays */
	} else {
		effective_address(unit, op, to, op->size);
	}
	if (is_kept(op->reg))
		store_context(unit, context_place(op->reg), to);
	return 0;
}

/* Pushes r10, a register, or a value. */
static int push(struct bt_unit *unit, const struct btshim_op *op, u8 reg,
		u64 value)
{
	int err = stack_address(unit, -8, is_dead(op));

	if (err)
		return err;
	if (reg == BTSHIM_NONE) {
		load_value(unit, R10, value);
		reg = R10;
	}
	may_fault(unit, op, BT_STUB_FAULT);
	at_address(unit, 0x89, reg);
	store_context(unit, BT_RSP, R11);
	return 0;
}

static int put_push(struct bt_unit *unit, const struct btshim_op *op)
{
	int err;

	if (op->rm == BTSHIM_MEMORY) {
		err = operand_address(unit, op);
		if (err)
			return err;
		may_fault(unit, op, BT_STUB_FAULT);
		at_address(unit, 0x8b, R10);
		return push(unit, op, R10, 0);
	}
	if (op->reg == BTSHIM_NONE)
		return push(unit, op, BTSHIM_NONE, op->imm);
	if (!is_register(op->reg))
		return -EINVAL;
	return push(unit, op, in_register(unit, op->reg, R10), 0);
}

/* r10, or a register, = what is popped; then rsp is advanced. */
static int pop(struct bt_unit *unit, const struct btshim_op *op, u8 to,
	       s32 more)
{
	int err = stack_address(unit, 0, is_dead(op));

	if (err)
		return err;
	may_fault(unit, op, BT_STUB_FAULT);
	at_address(unit, 0x8b, to);
	advance_address(unit, 8 + more);
	store_context(unit, BT_RSP, R11);
	return 0;
}

static int put_pop(struct bt_unit *unit, const struct btshim_op *op)
{
	int err;

	if (!is_register(op->reg) || op->reg == RSP)
		return -EINVAL;
	err = pop(unit, op, is_kept(op->reg) ? R10 : op->reg, 0);
	if (!err && is_kept(op->reg))
		store_context(unit, context_place(op->reg), R10);
	return err;
}

static int put_ret(struct bt_unit *unit, const struct btshim_op *op,
		   const struct btshim_op *next)
{
	int err = pop(unit, op, R10, op->disp & 0xffff);

	if (err)
		return err;
	move(unit, R11, R10);
	branch_to_address(unit, op, next);
	return 0;
}

static int put_branch_to(struct bt_unit *unit, const struct btshim_op *op,
			 const struct btshim_op *next)
{
	int err;

	if (op->rm == BTSHIM_MEMORY) {
		err = operand_address(unit, op);
		if (err)
			return err;
		may_fault(unit, op, BT_STUB_FAULT);
		at_address(unit, 0x8b, R11);
	} else if (is_register(op->reg)) {
		move(unit, R11, in_register(unit, op->reg, R11));
	} else {
		return -EINVAL;
	}
	if (op->kind == BTSHIM_CALL_TO) {
		store_context(unit, BT_SPILL, R11);
		err = push(unit, op, BTSHIM_NONE, next_pc(unit, op));
		if (err)
			return err;
		load_context(unit, R11, BT_SPILL);
	}
	branch_to_address(unit, op, next);
	return 0;
}

static int put_call(struct bt_unit *unit, const struct btshim_op *op)
{
	int err = push(unit, op, BTSHIM_NONE, next_pc(unit, op));

	if (!err)
		branch(unit, BT_ALWAYS, op->imm, is_dead(op));
	return err;
}

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
	stub = branch_to_stub(unit, CC_E, BT_STUB_LEAVE, pc);
	stub->reason = BTSHIM_NATIVE;
	stub->keeps_call = stub->return_flags = true;
	load_context(unit, R10, BT_HANDLERS);
	PUT(unit, 0x4f, 0x8b, 0x14, 0xda); /* mov r10, [r10 + r11 * 8] */
	PUT(unit, 0x4d, 0x85, 0xd2); /* test r10, r10 */
	stub = branch_to_stub(unit, CC_E, BT_STUB_LEAVE, pc);
	stub->reason = BTSHIM_NATIVE;
	stub->keeps_call = stub->return_flags = true;
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
static int put_syscall(struct bt_unit *unit, const struct btshim_op *op,
		       const struct btshim_op *next_op)
{
	static const u8 saved[5][2] = { { RDI, BT_RDI }, { RSI, BT_RSI },
					{ RDX, BT_RDX }, { R8, BT_R8 },
					{ R9, BT_R9 } };
	u64 pc = pc_of(unit, op), next = next_pc(unit, op);
	bool any = op->imm == BTSHIM_ANY_CALL;
	bt_handler handler = NULL;
	struct bt_stub *stub;
	int i, slot = 0;

	if (!any) {
		if (op->imm >= BTSHIM_CALLS)
			return -EINVAL;
		handler = bt_call_handler(op->imm);
		if (!handler || !test_bit(op->imm, unit->allowed)) {
			stub = branch_to_stub(unit, BT_ALWAYS, BT_STUB_LEAVE, pc);
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
		stub = branch_to_stub(unit, CC_NE, BT_STUB_RELEASE, pc);
		stub->back = unit->len;
	}
	unit->vector_held = false;
	if (any)
		find_handler(unit, pc);
	load_context(unit, R11, BT_THREAD);
	PUT(unit, 0x49, 0x83, 0x7b); /* cmp qword [r11 + syscall_work], 0 */
	put8(unit, offsetof(struct thread_info, syscall_work));
	put8(unit, 0);
	stub = branch_to_stub(unit, CC_NE, BT_STUB_LEAVE, pc);
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
	stub = branch_to_stub(unit, CC_NE, BT_STUB_AFTER_CALL, next);
	stub->call = op->imm;
	stub->keeps_call = any;
	if (!next_op || !is_dead(next_op)) {
		call_to(unit, (u64)(unsigned long)bt_return_flags);
		open_user_memory(unit);
	}
	return 0;
}

static int put_check(struct bt_unit *unit, const struct btshim_op *op)
{
	int err;

	if (op->opcode > 15)
		return -EINVAL;
	if (op->rm == BTSHIM_MEMORY) {
		if (op->size != 1 && op->size != 4)
			return -EINVAL;
		err = operand_address(unit, op);
		if (err)
			return err;
		may_fault(unit, op, BT_STUB_FAULT);
		if (op->size == 1)
			PUT(unit, 0x45, 0x0f, 0xb6, 0x13); /* movzx r10d, [r11] */
		else
			PUT(unit, 0x45, 0x8b, 0x13); /* mov r10d, [r11] */
	} else if (is_register(op->reg) && op->size == 4) {
		move(unit, R10, in_register(unit, op->reg, R10));
	} else {
		return -EINVAL;
	}
	if (!is_dead(op))
		put8(unit, 0x9c); /* pushfq */
	PUT(unit, 0x41, 0x81, 0xfa); /* cmp r10d, imm32 */
	put(unit, op->imm, 4);
	branch_to_stub(unit, op->opcode,
		       is_dead(op) ? BT_STUB_LEAVE : BT_STUB_POP_LEAVE,
		       pc_of(unit, op))->reason = BTSHIM_CHECKED;
	if (!is_dead(op))
		put8(unit, 0x9d); /* popfq: as they were pushed */
	return 0;
}

static int put_string(struct bt_unit *unit, const struct btshim_op *op)
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
	if (!is_dead(op))
		put8(unit, 0x9c); /* pushfq */
	/* DF is clear: from an address of a process on upwards, what comes next
	 * above its addresses is not canonical. */
	move(unit, R11, RDI);
	if (moves)
		PUT(unit, 0x49, 0x09, 0xf3); /* or r11, rsi */
	PUT(unit, 0x4d, 0x85, 0xdb); /* test r11, r11 */
	branch_to_stub(unit, CC_S,
		       is_dead(op) ? BT_STUB_LEAVE : BT_STUB_POP_LEAVE,
		       pc_of(unit, op))->reason = BTSHIM_UNTRANSLATED;
	if (op->prefix) {
		/* A long one would keep everybody waiting: interrupts strike it,
		 * but ring 0 is not left. */
		PUT(unit, 0x48, 0x81, 0xf9); /* cmp rcx, imm32 */
		put(unit, MAX_REPEATS, 4);
		branch_to_stub(unit, CC_A,
			       is_dead(op) ? BT_STUB_LEAVE : BT_STUB_POP_LEAVE,
			       pc_of(unit, op))->reason = BTSHIM_UNTRANSLATED;
	}
	if (unit->is_masked) {
		/* Nor by speculation. */
		context_op(unit, 0x23, RDI, BT_MASK);
		if (moves)
			context_op(unit, 0x23, RSI, BT_MASK);
	}
	if (!is_dead(op))
		put8(unit, 0x9d); /* popfq: as they were pushed */
	may_fault(unit, op, BT_STUB_FAULT_STRING);
	if (op->size == 2)
		put8(unit, 0x66);
	if (op->prefix)
		put8(unit, 0xf3);
	if (op->size == 8)
		put8(unit, 0x48);
	put8(unit, op->opcode);
	return 0;
}

static int put_block(struct bt_unit *unit, const struct btshim_op *op)
{
	struct bt_label *label = &unit->labels[unit->label_count++];

	if (op->imm >= TASK_SIZE_MAX || op->at)
		return -EINVAL;
	unit->pc = op->imm;
	label->pc = op->imm;
	label->code = unit->len;
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
		return put_insn(unit, op);
	case BTSHIM_LEA:
		return put_lea(unit, op);
	case BTSHIM_PUSH:
		return put_push(unit, op);
	case BTSHIM_POP:
		return put_pop(unit, op);
	case BTSHIM_JUMP:
		branch(unit, BT_ALWAYS, op->imm, is_dead(op));
		return 0;
	case BTSHIM_JCC:
		if (op->opcode > 15)
			return -EINVAL;
		branch(unit, op->opcode, op->imm, is_dead(op));
		return 0;
	case BTSHIM_CALL:
		return put_call(unit, op);
	case BTSHIM_JUMP_TO:
	case BTSHIM_CALL_TO:
		return put_branch_to(unit, op, next);
	case BTSHIM_RET:
		return put_ret(unit, op, next);
	case BTSHIM_SYSCALL:
		return put_syscall(unit, op, next);
	case BTSHIM_LEAVE:
		leave_if(unit, BT_ALWAYS, pc_of(unit, op), BTSHIM_UNTRANSLATED);
		return 0;
	case BTSHIM_STRING:
		return put_string(unit, op);
	case BTSHIM_CHECK:
		return put_check(unit, op);
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
		err = put_op(unit, op, i + 1 < unit->count ? op + 1 : NULL);
		if (err)
			return err;
	}
	if (!ends(&unit->ops[unit->count - 1]))
		branch(unit, BT_ALWAYS,
		       next_pc(unit, &unit->ops[unit->count - 1]), false);
	return bt_finish_unit(unit);
}
