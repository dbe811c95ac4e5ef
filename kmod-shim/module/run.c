// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * One run: entering made code with the process's registers, what happens in
 * there, and leaving.
 *
 * While made code runs the thread is a thread in a system call, preemptible and
 * with interrupts on, unless it holds the vector registers: then it is as
 * within fpregs_lock(), because the scheduler and kernel code that uses vector
 * registers would otherwise take them for saved.
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/entry-common.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <asm/fpu/api.h>
#include <asm/processor-flags.h>

#include "internal.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#error "since Linux 6.15 interrupts may use vector registers within fpregs_lock()"
#endif

#ifdef CONFIG_PREEMPT_RT
#error "fpregs_lock() of made code (stubs.c) is not that of PREEMPT_RT"
#endif

/* SIMD exceptions that are masked (SDM vol. 1, 10.2.3): all six. */
#define MXCSR_MASKS 0x1f80

#define ARITHMETIC                                                       \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
	 X86_EFLAGS_SF | X86_EFLAGS_OF)

/* With these the process's code does not mean the same in ring 0. */
#define UNFIT                                                            \
	(X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_AC | \
	 X86_EFLAGS_RF)

/* Tries to have a page at hand before the fault is taken for real. */
#define FAULT_TRIES 4

static int leave(struct bt_context *context, u32 reason)
{
	context->reason = reason;
	return 1;
}

/* ---- vector registers */

static void release_vector(struct bt_context *context)
{
	context->locked = 0;
	fpregs_unlock();
}

/* Returns whether they were held. */
static bool let_go(struct bt_context *context)
{
	bool was_held = context->locked;

	if (was_held)
		release_vector(context);
	return was_held;
}

static void hold_vector(struct bt_context *context)
{
	if (!context->locked) {
		fpregs_lock();
		context->locked = 1;
	}
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
}

int bt_handle_hold_vector(struct bt_context *context)
{
	u32 mxcsr;

	hold_vector(context);
	if (context->vector_ok)
		return 0;
	/* An exception would be taken in ring 0, and is none of the kernel's. */
	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	if ((mxcsr & MXCSR_MASKS) != MXCSR_MASKS)
		return leave(context, BTSHIM_VECTOR);
	context->vector_ok = 1;
	return 0;
}

int bt_handle_release_vector(struct bt_context *context)
{
	release_vector(context);
	return 0;
}

/* ---- faults */

static bool have_page(u64 address, bool write)
{
	bool unlocked = false;
	int err;

	if (address >= TASK_SIZE_MAX)
		return false;
	mmap_read_lock(current->mm);
	err = fixup_user_fault(current->mm, address,
			       write ? FAULT_FLAG_WRITE : 0, &unlocked);
	mmap_read_unlock(current->mm);
	return !err;
}

/* Whether the fault is one that was looked at before; counts. */
static u32 count_tries(struct bt_context *context, u64 address)
{
	if (context->fault_pc != context->regs.ip ||
	    context->fault_address != address) {
		context->fault_pc = context->regs.ip;
		context->fault_address = address;
		context->fault_tries = 0;
	}
	return context->fault_tries++;
}

/*
 * What the instruction does with the page is not known, nor whether it reaches
 * into the next: one after the other is tried. Without a lock held the kernel's
 * own handler has done all that before.
 */
static int try_page(struct bt_context *context)
{
	u64 address = context->address;
	u32 n;

	while ((n = count_tries(context, address)) < FAULT_TRIES) {
		if (signal_pending(current))
			return leave(context, BTSHIM_WORK);
		if (have_page(address + (n & 2 ? 63 : 0), n & 1))
			return 0;
	}
	context->fault_pc = 0;
	return leave(context, BTSHIM_FAULT);
}

int bt_handle_fault(struct bt_context *context)
{
	bool was_held = let_go(context);
	int result = try_page(context);

	if (was_held && !result)
		hold_vector(context);
	return result;
}

/* A string instruction goes on where it was: rdi, rsi and rcx tell. */
int bt_handle_string_fault(struct bt_context *context)
{
	bool was_held = let_go(context);
	int result = 0;

	if (signal_pending(current))
		result = leave(context, BTSHIM_WORK);
	else if (count_tries(context, context->regs.di) >= FAULT_TRIES ||
		 !have_page(context->regs.di, true))
		result = leave(context, BTSHIM_FAULT);
	else
		have_page(context->regs.si, false); /* STOS has none */
	if (was_held && !result)
		hold_vector(context);
	return result;
}

/* ---- the kernel's work */

/*
 * Signals and the like are dealt with at the boundary to ring 3. Another
 * thread's turn is taken here.
 */
static int do_work(struct bt_context *context)
{
	unsigned long work = READ_ONCE(current_thread_info()->flags);

	if (work & EXIT_TO_USER_MODE_WORK & ~_TIF_NEED_RESCHED)
		return leave(context, BTSHIM_WORK);
	if (work & _TIF_NEED_RESCHED)
		schedule();
	return 0;
}

int bt_handle_poll(struct bt_context *context)
{
	let_go(context);
	return do_work(context);
}

static bool is_restart(long result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR ||
	       result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK;
}

/*
 * A call that a signal interrupted ends as the lseek's own: what becomes of it,
 * EINTR or a restart, is the kernel's decision as ever. The registers are those
 * with which it is made again.
 */
int bt_handle_after_call(struct bt_context *context)
{
	struct pt_regs *regs = &context->regs;
	long result = (long)regs->ax;
	int left;

	if (is_restart(result) && signal_pending(current)) {
		context->result = result;
		regs->ax = context->call;
		regs->ip -= 2;
		regs->flags = regs->r11;
		return leave(context, BTSHIM_IN_CALL);
	}
	left = do_work(context);
	if (left)
		regs->flags = regs->r11;
	return left;
}

/* ---- entering and leaving */

/*
 * The process's structure is read and written field by field: copying it as a
 * whole, and then its fields, costs more than half of what a run does besides.
 * Inlined, both would keep the address of each field from one to the other.
 */
#define REGISTERS(each)                                                  \
	each(ax, 0) each(cx, 1) each(dx, 2) each(bx, 3) each(sp, 4)      \
	each(bp, 5) each(si, 6) each(di, 7) each(r8, 8) each(r9, 9)      \
	each(r10, 10) each(r11, 11) each(r12, 12) each(r13, 13)          \
	each(r14, 14) each(r15, 15)

#define TAKE(field, n) unsafe_get_user(regs->field, &user->regs[n], fault);
#define GIVE(field, n) unsafe_put_user(regs->field, &user->regs[n], fault);

static noinline int take_registers(struct bt_context *context,
				   struct btshim_run __user *user)
{
	struct pt_regs *regs = &context->regs;
	u64 reserved;

	if (!user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	REGISTERS(TAKE)
	unsafe_get_user(regs->ip, &user->pc, fault);
	unsafe_get_user(regs->flags, &user->flags, fault);
	unsafe_get_user(context->user_counts, &user->counts, fault);
	unsafe_get_user(reserved, &user->reserved, fault);
	user_read_access_end();
	return reserved ? -EINVAL : 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static noinline int give_registers(struct btshim_run __user *user, u64 flags,
				   const struct bt_context *context)
{
	const struct pt_regs *regs = &context->regs;
	u64 __user *counts = u64_to_user_ptr(context->user_counts);
	u64 left, before, calls = 0;

	if (!access_ok(counts, BTSHIM_CALLS * sizeof(*counts)) ||
	    !user_access_begin(user, sizeof(*user)))
		return -EFAULT;
	REGISTERS(GIVE)
	unsafe_put_user(regs->ip, &user->pc, fault);
	unsafe_put_user((flags & ~(u64)ARITHMETIC) | (regs->flags & ARITHMETIC),
			&user->flags, fault);
	unsafe_put_user(context->reason, &user->reason, fault);
	unsafe_put_user(context->call, &user->call, fault);
	for (left = context->slots; left; left &= left - 1) {
		int slot = __ffs64(left);
		u64 more = context->counts[slot];

		calls += more;
		if (!more || !counts)
			continue;
		unsafe_get_user(before, &counts[bt_slot_calls[slot]], fault);
		unsafe_put_user(before + more, &counts[bt_slot_calls[slot]],
				fault);
	}
	unsafe_put_user(calls, &user->calls, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* Whoever has become less than what the file was opened with is refused. */
static bool may_run(const struct bt_file *file)
{
	if (current->mm != file->mm)
		return false;
	return current_cred() == file->cred ||
	       (capable(CAP_SYS_ADMIN) && capable(CAP_SYS_MODULE));
}

static void enter(struct bt_file *file, struct bt_context *context)
{
	struct bt_code *code;
	u64 at, left;

	spin_lock(&file->pin);
	code = file->code;
	kref_get(&code->ref);
	spin_unlock(&file->pin);
	context->table = code->table;
	context->handlers = code->handlers;
	/* Calls of code that is added meanwhile are not counted. */
	context->slots = READ_ONCE(code->slots);
	for (left = context->slots; left; left &= left - 1)
		context->counts[__ffs64(left)] = 0;
	at = bt_table_find(code->table, context->regs.ip);
	if (at)
		bt_enter(context, at);
	if (context->locked)
		release_vector(context);
	bt_code_put(code);
}

#if __has_attribute(__uninitialized__)
#define BT_UNINITIALIZED __attribute__((__uninitialized__))
#else
#define BT_UNINITIALIZED
#endif

static void begin(struct bt_context *context)
{
	context->regs.flags = (context->regs.flags & ARITHMETIC) |
			      X86_EFLAGS_FIXED | X86_EFLAGS_IF;
	context->thread = current_thread_info();
	context->mask = ~(1ULL << 63);
	context->reason = BTSHIM_MISSING;
	context->call = 0;
	context->locked = 0;
	context->vector_ok = 0;
	context->slots = 0;
	context->result = 0;
	context->fault_pc = 0;
}

long bt_run(struct bt_file *file, struct btshim_run __user *user)
{
	/*
	 * begin() fills in what is read: kernels that clear variables would
	 * clear a kilobyte.
	 */
	struct bt_context context BT_UNINITIALIZED;
	u64 flags;
	int err;

	if (!may_run(file))
		return -EPERM;
	err = take_registers(&context, user);
	if (err)
		return err;
	flags = context.regs.flags;
	begin(&context);
	/* PR_SET_TSC: the process is to fault when it asks for the time stamp. */
	if (flags & UNFIT || test_thread_flag(TIF_NOTSC))
		context.reason = BTSHIM_STATE;
	else if (current_thread_info()->syscall_work)
		context.reason = BTSHIM_WATCHED;
	else
		enter(file, &context);
	err = give_registers(user, flags, &context);
	if (err)
		return err;
	return context.reason == BTSHIM_IN_CALL ? context.result : 0;
}

#define AT(field, offset) static_assert(offsetof(struct bt_context, field) == (offset))

AT(regs.r15, BT_R15);
AT(regs.r14, BT_R14);
AT(regs.r13, BT_R13);
AT(regs.r12, BT_R12);
AT(regs.bp, BT_RBP);
AT(regs.bx, BT_RBX);
AT(regs.r11, BT_R11);
AT(regs.r10, BT_R10);
AT(regs.r9, BT_R9);
AT(regs.r8, BT_R8);
AT(regs.ax, BT_RAX);
AT(regs.cx, BT_RCX);
AT(regs.dx, BT_RDX);
AT(regs.si, BT_RSI);
AT(regs.di, BT_RDI);
AT(regs.ip, BT_RIP);
AT(regs.flags, BT_RFLAGS);
AT(regs.sp, BT_RSP);
AT(thread, BT_THREAD);
AT(mask, BT_MASK);
AT(kernel_sp, BT_KERNEL_SP);
AT(table, BT_TABLE);
AT(address, BT_ADDRESS);
AT(spill, BT_SPILL);
AT(reason, BT_REASON);
AT(call, BT_CALL);
AT(locked, BT_LOCKED);
AT(vector_ok, BT_VECTOR_OK);
AT(counts, BT_COUNTS);
static_assert(BT_REASON_MISSING == BTSHIM_MISSING);
static_assert(BT_WORK == EXIT_TO_USER_MODE_WORK);
static_assert(sizeof(struct bt_label) == 16); /* bt_dispatch shifts by 4 */
static_assert(offsetof(struct thread_info, flags) == 0); /* stubs.c */
