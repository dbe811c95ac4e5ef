/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * btshim: runs translated code of one process in ring 0, where a system call
 * is a function call.
 *
 * A process opens /dev/btshim, describes code of its own as operations
 * (BTSHIM_IOC_LOAD), and enters it (BTSHIM_RUN). Operations are not machine code:
 * the module makes the machine code from them, and with it every check that
 * keeps the code inside the process's own memory. What an operation can say is
 * no more than what the process could do in ring 3.
 *
 * All structures have fixed-width fields, no implicit padding, and reserved
 * fields that must be zero.
 */
#ifndef _UAPI_BTSHIM_H
#define _UAPI_BTSHIM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BTSHIM_VERSION 1
#define BTSHIM_DEVICE "/dev/btshim"

/*
 * General registers are numbered as instructions encode them: 0 rax, 1 rcx,
 * 2 rdx, 3 rbx, 4 rsp, 5 rbp, 6 rsi, 7 rdi, 8 r8 ... 15 r15.
 */
#define BTSHIM_REGS 16

/* What an operation is. */
enum btshim_kind {
	/*
	 * A block begins, at the pc @imm: other blocks and BTSHIM_RUN reach it
	 * by that.
	 */
	BTSHIM_BLOCK = 0,
	/*
	 * An instruction of the list of those that are safe: @encoding, @map,
	 * @opcode, @prefix, @wide, @reg, @rm, @vvvv, @imm, and the memory operand
	 * if @rm is BTSHIM_MEMORY.
	 */
	BTSHIM_INSN = 1,
	/* @reg = the address of the memory operand, of @size bytes. */
	BTSHIM_LEA = 2,
	/*
	 * Pushes the register @reg, the memory operand if @rm is BTSHIM_MEMORY,
	 * or @imm if @reg is BTSHIM_NONE. Eight bytes.
	 */
	BTSHIM_PUSH = 3,
	/* Pops into @reg, not rsp. */
	BTSHIM_POP = 4,
	/* Goes on at the pc @imm. */
	BTSHIM_JUMP = 5,
	/* The same if the condition @opcode (0 to 15, as in Jcc) holds. */
	BTSHIM_JCC = 6,
	/* Pushes the pc after the instruction and goes on at the pc @imm. */
	BTSHIM_CALL = 7,
	/*
	 * Goes on at the pc in the register @reg or the memory operand; @imm, if
	 * not 0, is the pc to compare with first.
	 */
	BTSHIM_JUMP_TO = 8,
	/* The same, and pushes the pc after the instruction. */
	BTSHIM_CALL_TO = 9,
	/* Pops the pc to go on at, then adds @disp to rsp; @imm as above. */
	BTSHIM_RET = 10,
	/* A system call; @imm is its number, or BTSHIM_ANY_CALL: that in eax. */
	BTSHIM_SYSCALL = 11,
	/* Leaves to ring 3 at this pc, with BTSHIM_UNTRANSLATED. */
	BTSHIM_LEAVE = 12,
	/*
	 * MOVS (@opcode a4, a5) or STOS (aa, ab) of @size bytes, repeated if
	 * @prefix is 2.
	 */
	BTSHIM_STRING = 13,
	/*
	 * Leaves to ring 3 at this pc, with BTSHIM_CHECKED, if the condition
	 * @opcode holds after comparing the low 32 bits of @reg with @imm; @size is
	 * 4. If @rm is BTSHIM_MEMORY the operand is @size bytes of memory, 1 or 4.
	 */
	BTSHIM_CHECK = 14,
	BTSHIM_KINDS
};

/* Values of @reg, @rm, @base, @index beside the registers. */
#define BTSHIM_MEMORY 0x40 /* @rm: the memory operand */
#define BTSHIM_PC 0x41	   /* @base: the block's pc */
#define BTSHIM_NONE 0xff

#define BTSHIM_ANY_CALL (~0ULL)

/* @encoding */
#define BTSHIM_LEGACY 0
#define BTSHIM_VEX 1

/* @flags */
#define BTSHIM_FLAGS_DEAD 0x01	/* no flag's value is needed from here on */
#define BTSHIM_FS 0x02		/* the memory operand is relative to fs */
#define BTSHIM_ADDR32 0x04	/* its address has 32 bits */
#define BTSHIM_LOCK 0x08	/* LOCK */
#define BTSHIM_HIGH_BYTE 0x10	/* byte registers 4 to 7 are ah, ch, dh, bh */
#define BTSHIM_ALL_FLAGS 0x1f

/* One operation. */
struct btshim_op {
	__u8 kind;
	__u8 flags;
	__u8 size;     /* bytes of a general-register or memory operand */
	__u8 encoding;
	__u8 map;      /* 0 one-byte opcodes, 1 0F, 2 0F38, 3 0F3A */
	__u8 opcode;
	__u8 prefix;   /* mandatory prefix: 0 none, 1 66, 2 F3, 3 F2 */
	__u8 wide;     /* bit 0 REX.W or VEX.W, bit 1 VEX.L */
	__u8 reg;      /* ModRM.reg, a register or an opcode extension */
	__u8 rm;       /* ModRM.rm, a register or BTSHIM_MEMORY */
	__u8 vvvv;     /* VEX.vvvv */
	__u8 base;
	__u8 index;
	__u8 scale;    /* 1, 2, 4, 8 */
	__u8 len;      /* bytes of the instruction that it is made from */
	__u8 reserved; /* 0 */
	__s32 disp;
	__u32 at;      /* the instruction's pc, from the block's on */
	__u64 imm;
};

/* BTSHIM_IOC_LOAD: adds code. */
struct btshim_load {
	__u64 ops;	/* address of the operations */
	__u32 count;	/* how many; the first is a BTSHIM_BLOCK */
	__u32 flags;	/* BTSHIM_LOAD_* */
	/*
	 * Out: bytes of code made; on -EINVAL and -EOPNOTSUPP the operation that
	 * was refused.
	 */
	__u32 code_bytes;
	__u32 refused;
	__u64 reserved[2]; /* 0 */
};

/*
 * Measurement only: no masks on addresses, so no protection. Needs the module
 * parameter allow_unmasked.
 */
#define BTSHIM_LOAD_UNMASKED 0x1

#define BTSHIM_MAX_OPS 4096

/* Why ring 0 was left. */
enum btshim_reason {
	/* The pc has no code. */
	BTSHIM_MISSING = 1,
	/* A BTSHIM_LEAVE. */
	BTSHIM_UNTRANSLATED = 2,
	/* A system call that ring 3 has to make: not on the list. */
	BTSHIM_NATIVE = 3,
	/* The same: a filter, a tracer or an auditor is to see it. */
	BTSHIM_WATCHED = 4,
	/*
	 * A system call was interrupted: what lseek(2) returns is the call's,
	 * restarts included. Never seen with a result that is not the call's.
	 */
	BTSHIM_IN_CALL = 5,
	/* The kernel has work to do at the boundary: a signal, a reschedule. */
	BTSHIM_WORK = 6,
	/* The instruction faults: made in ring 3, it raises what it should. */
	BTSHIM_FAULT = 7,
	/*
	 * A vector instruction, but the vector state is not fit for ring 0:
	 * exceptions are not masked.
	 */
	BTSHIM_VECTOR = 8,
	/* A BTSHIM_CHECK. */
	BTSHIM_CHECKED = 9,
	/* The state is not fit for ring 0: DF, TF, AC, NT; PR_SET_TSC. */
	BTSHIM_STATE = 10,
	BTSHIM_REASONS
};

/* Calls that ring 0 can make have one of these slots each. */
#define BTSHIM_CALLS 512

/*
 * Enters code: lseek(2) with the address of the structure, in and out, as offset
 * and BTSHIM_RUN, which is SEEK_SET, as whence. Returns 0, or for BTSHIM_IN_CALL
 * what the call returns.
 */
#define BTSHIM_RUN 0

struct btshim_run {
	__u64 regs[BTSHIM_REGS];
	__u64 pc;
	__u64 flags;
	__u32 reason;	/* out: enum btshim_reason */
	__u32 call;	/* out: number of the call, for NATIVE, WATCHED, IN_CALL */
	__u64 calls;	/* out: calls made */
	__u64 counts;	/* in: 0, or address of BTSHIM_CALLS u64 to which each
			 * number's calls are added */
	__u64 reserved;	/* 0 */
};

/*
 * BTSHIM_IOC_ALLOW: which calls ring 0 may make, among those of the module's own
 * list; all before. Holds for what is loaded after the next BTSHIM_IOC_CLEAR.
 */
struct btshim_allow {
	__u64 calls[BTSHIM_CALLS / 64]; /* in: wanted; out: granted */
	__u64 any[BTSHIM_CALLS / 64];	/* of these, by a BTSHIM_ANY_CALL */
};

/* BTSHIM_IOC_INFO */
struct btshim_info {
	__u32 version;
	__u32 size_of_op;
	__u32 size_of_load;
	__u32 size_of_run;
	__u32 size_of_allow;
	__u32 flags;		/* BTSHIM_CAN_* */
	__u64 code_bytes;	/* room for code, of all processes */
	__u64 calls[BTSHIM_CALLS / 64]; /* the module's own list */
	__u64 reserved[4];
};

#define BTSHIM_CAN_FS 0x1	/* operands relative to fs */
#define BTSHIM_CAN_UNMASKED 0x2	/* the module was loaded with allow_unmasked */

#define BTSHIM_IOC_INFO _IOR(0xbb, 0x00, struct btshim_info)
#define BTSHIM_IOC_LOAD _IOWR(0xbb, 0x01, struct btshim_load)
#define BTSHIM_IOC_ALLOW _IOWR(0xbb, 0x02, struct btshim_allow)
/*
 * Drops all code: nothing enters it any more. Threads inside leave at the next
 * poll, or when the call that they make ends.
 */
#define BTSHIM_IOC_CLEAR _IO(0xbb, 0x03)

#endif
