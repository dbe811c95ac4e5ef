/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Bytes of machine code. Register contract of made code: see entry.S.
 */
#ifndef BTSHIM_EMIT_H
#define BTSHIM_EMIT_H

#include "internal.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R15 = 15 };

/* Condition codes as in Jcc; BT_ALWAYS makes a jump of it. */
#define CC_AE 3
#define CC_E 4
#define CC_NE 5
#define CC_A 7
#define CC_S 8
#define BT_ALWAYS 16

static inline void put8(struct bt_unit *unit, u8 byte)
{
	if (unit->len < unit->room)
		unit->bytes[unit->len] = byte;
	unit->len++;
}

static inline void put(struct bt_unit *unit, u64 value, int count)
{
	while (count-- > 0) {
		put8(unit, (u8)value);
		value >>= 8;
	}
}

/* Bytes given in the order in which they are executed. */
#define PUT(unit, ...)                                                   \
	do {                                                             \
		static const u8 bytes_[] = { __VA_ARGS__ };              \
		int i_;                                                  \
		for (i_ = 0; i_ < sizeof(bytes_); i_++)                  \
			put8(unit, bytes_[i_]);                          \
	} while (0)

static inline u64 here(const struct bt_unit *unit)
{
	return unit->address + unit->len;
}

/* An instruction that changes @reg comes next. */
static inline void note_change(struct bt_unit *unit, u8 reg)
{
	if (reg == R11)
		unit->based = BTSHIM_NONE;
}

/* A displacement of four bytes that ends an instruction. */
static inline void put_relative(struct bt_unit *unit, u64 target)
{
	put(unit, (u32)(target - (here(unit) + 4)), 4);
}

static inline void call_to(struct bt_unit *unit, u64 target)
{
	put8(unit, 0xe8);
	put_relative(unit, target);
}

static inline void jump_to(struct bt_unit *unit, u64 target)
{
	put8(unit, 0xe9);
	put_relative(unit, target);
}

/* ModRM and displacement of the context's field at @offset. */
static inline void put_context(struct bt_unit *unit, u8 reg, u32 offset)
{
	s32 displacement = (s32)offset - BT_BIAS;
	bool is_short = displacement == (s8)displacement;

	put8(unit, (is_short ? 0x40 : 0x80) | (reg & 7) << 3 | 7);
	put(unit, (u32)displacement, is_short ? 1 : 4);
}

/* @opcode with that field, of eight bytes */
static inline void context_op(struct bt_unit *unit, u8 opcode, u8 reg,
			      u32 offset)
{
	put8(unit, 0x49 | (reg >> 3) << 2);
	put8(unit, opcode);
	put_context(unit, reg, offset);
}

static inline void load_context(struct bt_unit *unit, u8 reg, u32 offset)
{
	note_change(unit, reg);
	context_op(unit, 0x8b, reg, offset);
}

static inline void store_context(struct bt_unit *unit, u32 offset, u8 reg)
{
	context_op(unit, 0x89, reg, offset);
}

/* reg = value, without changing flags */
static inline void load_value(struct bt_unit *unit, u8 reg, u64 value)
{
	note_change(unit, reg);
	if (value == (u32)value) {
		if (reg >> 3)
			put8(unit, 0x41);
		put8(unit, 0xb8 | (reg & 7));
		put(unit, value, 4);
	} else if (value == (u64)(s64)(s32)value) {
		put8(unit, 0x48 | reg >> 3);
		put8(unit, 0xc7);
		put8(unit, 0xc0 | (reg & 7));
		put(unit, value, 4);
	} else {
		put8(unit, 0x48 | reg >> 3);
		put8(unit, 0xb8 | (reg & 7));
		put(unit, value, 8);
	}
}

/* mov @to, @from */
static inline void move(struct bt_unit *unit, u8 to, u8 from)
{
	note_change(unit, to);
	put8(unit, 0x48 | (from >> 3) << 2 | to >> 3);
	put8(unit, 0x89);
	put8(unit, 0xc0 | (from & 7) << 3 | (to & 7));
}

/* ModRM and displacement of the operand whose address r11 holds */
static inline void put_operand(struct bt_unit *unit, u8 reg)
{
	s32 displacement = unit->displacement;
	bool is_short = displacement == (s8)displacement;
	u8 mod = !displacement ? 0 : is_short ? 0x40 : 0x80;

	put8(unit, mod | (reg & 7) << 3 | 3);
	if (displacement)
		put(unit, (u32)displacement, is_short ? 1 : 4);
}

/* mov @reg, that operand */
static inline void load_operand(struct bt_unit *unit, u8 reg)
{
	note_change(unit, reg);
	put8(unit, 0x49 | (reg >> 3) << 2);
	put8(unit, 0x8b);
	put_operand(unit, reg);
}

/* mov that operand, @reg */
static inline void store_operand(struct bt_unit *unit, u8 reg)
{
	put8(unit, 0x49 | (reg >> 3) << 2);
	put8(unit, 0x89);
	put_operand(unit, reg);
}

/* r11 += @count, without changing flags */
static inline void advance_address(struct bt_unit *unit, s32 count)
{
	note_change(unit, R11);
	PUT(unit, 0x4d, 0x8d, 0x9b); /* lea r11, [r11 + disp32] */
	put(unit, (u32)count, 4);
}

#endif
