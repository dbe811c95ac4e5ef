/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What the files of the module share. The comment at the head of each says what it does.
 */
#ifndef BTSHIM_INTERNAL_H
#define BTSHIM_INTERNAL_H

/*
 * r15 points into the context, which is aligned to 64 bytes: so far in that most
 * fields have a displacement of one byte, and one byte further, so that a shift
 * by r15 is a shift by 1 (operand.c, mask_address()).
 */
#define BT_BIAS 0x81
#define BT_ALIGN 64

/*
 * Offsets in struct bt_context, which entry.S and made code use. run.c asserts
 * them.
 */
#define BT_R15 0x00
#define BT_R14 0x08
#define BT_R13 0x10
#define BT_R12 0x18
#define BT_RBP 0x20
#define BT_RBX 0x28
#define BT_R11 0x30
#define BT_R10 0x38
#define BT_R9 0x40
#define BT_R8 0x48
#define BT_RAX 0x50
#define BT_RCX 0x58
#define BT_RDX 0x60
#define BT_RSI 0x68
#define BT_RDI 0x70
#define BT_RIP 0x80
#define BT_RFLAGS 0x90
#define BT_RSP 0x98
#define BT_THREAD 0xa8
#define BT_MASK 0xb0
#define BT_KERNEL_SP 0xb8
#define BT_TABLE 0xc0
#define BT_HANDLERS 0xc8
#define BT_ADDRESS 0xd0
#define BT_SPILL 0xd8
#define BT_REASON 0xe0
#define BT_CALL 0xe4
#define BT_LOCKED 0xe8
#define BT_VECTOR_OK 0xe9
#define BT_COUNTS 0xf0

/* enum btshim_reason for entry.S; run.c asserts it. */
#define BT_REASON_MISSING 1

/*
 * Thread flags for which the kernel does something on its way to ring 3:
 * EXIT_TO_USER_MODE_WORK, which entry.S cannot include. run.c asserts it.
 */
#define BT_WORK                                                              \
	(_TIF_SIGPENDING | _TIF_NOTIFY_RESUME | _TIF_UPROBE |                \
	 _TIF_NEED_RESCHED | _TIF_PATCH_PENDING | _TIF_NOTIFY_SIGNAL)

/* Calls on the list are at most this many. */
#define BT_SLOTS 64

/* The code area: stretches, and bytes of each. */
#define BT_CHUNKS 64
#define BT_CHUNK_BYTES (64 * 1024)

/* Entries of the table of pcs, a power of two. */
#define BT_LABELS 16384

#ifndef __ASSEMBLY__

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>
#include <linux/spinlock.h>
#include <linux/thread_info.h>
#include <linux/types.h>

#include "uapi/btshim.h"

typedef long (*bt_handler)(const struct pt_regs *regs);

/*
 * One run: on the kernel stack of its thread, r15 in made code. The general
 * registers that made code keeps for itself (r10, r11, r15, rsp) have the
 * process's values in @regs throughout; the others while C code runs.
 */
struct bt_context {
	struct pt_regs regs;
	struct thread_info *thread;
	u64 mask;	      /* what addresses are and-ed with */
	u64 kernel_sp;
	struct bt_label *table;
	const bt_handler *handlers; /* by number, NULL: not allowed */
	u64 address;	      /* that faulted */
	u64 spill;
	u32 reason;
	u32 call;
	u8 locked;	      /* fpregs_lock() is held */
	u8 vector_ok;	      /* the vector state was looked at */
	u8 pad[6];
	u64 counts[BT_SLOTS]; /* calls by slot, of those in @slots */
	/* what made code does not see */
	long result;	      /* of the ioctl */
	u64 fault_pc;
	u64 fault_address;
	u32 fault_tries;
	u64 slots; /* calls that the code made when it was entered */
	u64 user_counts;
} __aligned(BT_ALIGN);

/* Where a pc's code is. Free: pc is ~0, no address of a process. */
struct bt_label {
	u64 pc;
	u64 code;
};

#define BT_NO_PC (~0ULL)

/* One stretch of the code area, with its share of the exception table. */
#define BT_CHUNK_FAULTS 3072
#define BT_MAX_CHUNKS 32 /* of one process */

struct bt_chunk {
	int index;
	u32 used;
	u32 faults;
};

/* A jump whose pc had no code when it was made. */
struct bt_exit {
	u64 pc;
	u64 site; /* address of the displacement */
};

/* Code of one process until it is dropped. */
struct bt_code {
	struct kref ref; /* one of the file, one of each run */
	struct bt_chunk chunk[BT_MAX_CHUNKS];
	int chunks;
	u32 labels;
	bool is_vector; /* has vector instructions */
	u64 slots; /* calls that the code makes */
	struct bt_exit *exits;
	u32 exit_count, exit_room;
	struct bt_label table[BT_LABELS];
	bt_handler handlers[BTSHIM_CALLS]; /* for BTSHIM_ANY_CALL */
};

/* One open file. */
struct bt_file {
	struct mm_struct *mm;
	const struct cred *cred;
	struct mutex load; /* one at a time adds or drops code */
	spinlock_t pin;	   /* code */
	struct bt_code *code;
	DECLARE_BITMAP(allowed, BTSHIM_CALLS);
	DECLARE_BITMAP(allowed_any, BTSHIM_CALLS);
};

/* area.c: memory for code */
int bt_area_init(void);
void bt_area_exit(void);
int bt_area_take(void);
void bt_area_give(int index);
u64 bt_area_address(int index);
void bt_area_write(u64 address, const void *bytes, u32 count);
void bt_area_link(u64 site, s32 displacement);
void bt_area_fault(int index, u32 n, u64 insn, u64 fixup);

/* opcodes.c: which instructions there are */
#define BT_MODRM 0x0001	 /* has ModRM */
#define BT_REG 0x0002	 /* ModRM.reg is a general register */
#define BT_RM 0x0004	 /* ModRM.rm is one, if it is no memory operand */
#define BT_VVVV 0x0008	 /* VEX.vvvv is one */
#define BT_DIGIT 0x0010	 /* ModRM.reg is part of the opcode */
#define BT_BYTE_REG 0x0020
#define BT_BYTE_RM 0x0040
#define BT_IMM8 0x0080
#define BT_IMMZ 0x0100	 /* 4 bytes, 2 with 66 */
#define BT_IMMV 0x0200	 /* the same, 8 with REX.W */
#define BT_NO_MEMORY 0x0400
#define BT_MEMORY_ONLY 0x0800
#define BT_LOCKABLE 0x1000
#define BT_LOCKS 0x2000	 /* locks without being asked */
#define BT_IN_OPCODE 0x4000 /* a general register in the opcode's low bits */
#define BT_VECTOR 0x8000
#define BT_RAISES 0x10000 /* may fault without a memory operand; so may all
			   * that are not one-byte opcodes, with #UD */

struct bt_opcode {
	u32 what;    /* 0: not on the list */
	u8 prefixes; /* bit n: mandatory prefix n is possible */
	u8 digits;   /* bit n: with BT_DIGIT, extension n is possible */
};

void bt_opcodes_init(void);
const struct bt_opcode *bt_opcode_of(const struct btshim_op *op);

/* calls.c: the kernel's system calls */
int bt_calls_init(void);
void bt_calls_own(unsigned long *list);
bt_handler bt_call_handler(u32 nr);
bt_handler bt_call_landing(u32 nr);
int bt_call_slot(u32 nr);
extern u16 bt_slot_calls[BT_SLOTS]; /* number of each slot's call */
extern u8 bt_call_slots[BTSHIM_CALLS]; /* 0: none, else one more than the slot */

/* table.c: the table of pcs, of BT_LABELS entries */
void bt_table_clear(struct bt_label *table);
u64 bt_table_find(const struct bt_label *table, u64 pc);
bool bt_table_has_room(u32 used, u32 more);
void bt_table_add(struct bt_label *table, u64 pc, u64 address);

static inline u32 bt_hash(u64 pc)
{
	return (u32)pc & (BT_LABELS - 1);
}

/* assemble.c: operations to machine code */
struct bt_jump {
	u32 site; /* offset of the displacement */
	bool dead; /* the flags' values are not needed */
	u64 pc;
};

struct bt_fault {
	u32 insn;
	u32 fixup;
};

struct bt_unit {
	const struct btshim_op *ops;
	u32 count;
	u64 pc;
	u64 address; /* where the code will be */
	bool is_masked;
	bool is_vector; /* code before a call gives the vector registers back */
	bool has_vector; /* out: there are vector instructions */
	u8 *bytes;
	u32 len, room;
	struct bt_label *labels; /* out */
	u32 label_count;
	const struct bt_label *table; /* pcs that have code already */
	struct bt_jump *jumps; /* out: to pcs that have none */
	u32 jump_count;
	struct bt_fault *faults; /* out, in order */
	u32 fault_count;
	u32 refused; /* out: the operation */
	const unsigned long *allowed;
	u64 slots; /* in, out */
	struct bt_stub *stubs;
	u32 stub_count;
	bool vector_held;
	s32 displacement; /* of the operand from r11 */
	u32 start; /* where the code of the operation at hand begins */
	/*
	 * r11 is the value of this register less @ahead, fit to be accessed;
	 * BTSHIM_NONE: of none. Only rsp may be ahead, and only between pushes
	 * and pops: then the context's rsp lags as well.
	 */
	u8 based;
	s32 ahead;
	u8 start_based; /* the same where the operation at hand begins */
	s32 start_ahead;
	bool keeps_base; /* the operation at hand says that it still holds */
};

int bt_assemble(struct bt_unit *unit);

/* code.c: code of a process */
struct bt_code *bt_code_new(const struct bt_file *file);
void bt_code_put(struct bt_code *code);
int bt_code_load(struct bt_file *file, struct btshim_load *load,
		 const struct btshim_op *ops);
int bt_code_clear(struct bt_file *file, bool is_vector);

/* run.c: enters code, and what happens there */
long bt_run(struct bt_file *file, struct btshim_run __user *user);

/* run.c, called by entry.S: not 0 leaves ring 0 */
int bt_handle_fault(struct bt_context *context);
int bt_handle_string_fault(struct bt_context *context);
int bt_handle_poll(struct bt_context *context);
int bt_handle_after_call(struct bt_context *context);
int bt_handle_hold_vector(struct bt_context *context);
int bt_handle_release_vector(struct bt_context *context);

/* entry.S */
void bt_enter(struct bt_context *context, u64 code);
void bt_leave(void);
void bt_fault(void);
void bt_fault_string(void);
void bt_poll(void);
void bt_after_call(void);
void bt_hold_vector(void);
void bt_release_vector(void);
void bt_call(void);
void bt_missing(void);
void bt_dispatch(void);
void bt_dispatch_live(void);

#endif /* __ASSEMBLY__ */
#endif
