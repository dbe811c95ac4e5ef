/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * The ways into and out of made code.
 *
 * In made code: r15 points into the context (BT_BIAS), r10 and r11 are free between operations,
 * rsp is the kernel's; other registers and the arithmetic flags are the
 * process's; AC is set, so that its memory can be accessed (SMAP). C code is
 * entered with AC clear.
 *
 * Every entry begins with ENDBR, although made code comes by direct branches: C
 * code takes their addresses.
 *
 * Each routine that made code calls gets a pc in r10, where the process goes
 * on should ring 0 be left. It changes r10, r11 and the flags, which it has
 * left in the context, and nothing else.
 */
#include <linux/linkage.h>
#include <linux/version.h>
#include <asm/asm.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/smap.h>
#include <asm/thread_info.h>
#include <asm/unwind_hints.h>

#include "internal.h"

/* The frames are not for the unwinder: a trace ends here. */
.macro ENTRY_HINT
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	UNWIND_HINT_UNDEFINED
#else
	UNWIND_HINT_EMPTY
#endif
.endm

.macro SAVE_REGS
	movq %rax, BT_RAX - BT_BIAS(%r15)
	movq %rcx, BT_RCX - BT_BIAS(%r15)
	movq %rdx, BT_RDX - BT_BIAS(%r15)
	movq %rsi, BT_RSI - BT_BIAS(%r15)
	movq %rdi, BT_RDI - BT_BIAS(%r15)
	movq %r8, BT_R8 - BT_BIAS(%r15)
	movq %r9, BT_R9 - BT_BIAS(%r15)
.endm

.macro RESTORE_REGS
	movq BT_RAX - BT_BIAS(%r15), %rax
	movq BT_RCX - BT_BIAS(%r15), %rcx
	movq BT_RDX - BT_BIAS(%r15), %rdx
	movq BT_RSI - BT_BIAS(%r15), %rsi
	movq BT_RDI - BT_BIAS(%r15), %rdi
	movq BT_R8 - BT_BIAS(%r15), %r8
	movq BT_R9 - BT_BIAS(%r15), %r9
.endm

/*
 * Calls a C function of the context. Its result, if not 0, leaves ring 0. The
 * caller takes the flags back with RESTORE_FLAGS: a RET may change them
 * (retbleed=stuff counts it), and AC is among them.
 */
.macro CALL_C function
	movq %r10, BT_RIP - BT_BIAS(%r15)
	movq %r11, BT_ADDRESS - BT_BIAS(%r15)
	pushfq
	popq BT_RFLAGS - BT_BIAS(%r15)
	SAVE_REGS
	ASM_CLAC
	leaq -BT_BIAS(%r15), %rdi
	call \function
	testl %eax, %eax
	jnz .Lsaved
	RESTORE_REGS
	RET
.endm

.macro RESTORE_FLAGS
	pushq BT_RFLAGS - BT_BIAS(%r15)
	popfq
.endm

	.text

/* void bt_enter(struct bt_context *context, u64 code) */
SYM_CODE_START(bt_enter)
	ENTRY_HINT
	ENDBR
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, BT_KERNEL_SP(%rdi)
	leaq BT_BIAS(%rdi), %r15
	movq %rsi, %r11
	RESTORE_REGS
	movq BT_RBX - BT_BIAS(%r15), %rbx
	movq BT_RBP - BT_BIAS(%r15), %rbp
	movq BT_R12 - BT_BIAS(%r15), %r12
	movq BT_R13 - BT_BIAS(%r15), %r13
	movq BT_R14 - BT_BIAS(%r15), %r14
	pushq BT_RFLAGS - BT_BIAS(%r15)
	popfq
	ASM_STAC
	JMP_NOSPEC r11
SYM_CODE_END(bt_enter)

/* Jumped to by made code: r11 is the pc, r10d the reason. */
SYM_CODE_START(bt_leave)
	ENTRY_HINT
	ENDBR
	movq %r11, BT_RIP - BT_BIAS(%r15)
	movl %r10d, BT_REASON - BT_BIAS(%r15)
	pushfq
	popq BT_RFLAGS - BT_BIAS(%r15)
	SAVE_REGS
	ASM_CLAC
.Lsaved:
	movq %rbx, BT_RBX - BT_BIAS(%r15)
	movq %rbp, BT_RBP - BT_BIAS(%r15)
	movq %r12, BT_R12 - BT_BIAS(%r15)
	movq %r13, BT_R13 - BT_BIAS(%r15)
	movq %r14, BT_R14 - BT_BIAS(%r15)
	movq BT_KERNEL_SP - BT_BIAS(%r15), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	RET
SYM_CODE_END(bt_leave)

/* An access to the address in r11 faulted. */
SYM_CODE_START(bt_fault)
	ENTRY_HINT
	ENDBR
	CALL_C bt_handle_fault
SYM_CODE_END(bt_fault)

/* A string instruction faulted. */
SYM_CODE_START(bt_fault_string)
	ENTRY_HINT
	ENDBR
	CALL_C bt_handle_string_fault
SYM_CODE_END(bt_fault_string)

/* The kernel has work. */
SYM_CODE_START(bt_poll)
	ENTRY_HINT
	ENDBR
	CALL_C bt_handle_poll
SYM_CODE_END(bt_poll)

/* The same, after a system call whose number is in BT_CALL. */
SYM_CODE_START(bt_after_call)
	ENTRY_HINT
	ENDBR
	CALL_C bt_handle_after_call
SYM_CODE_END(bt_after_call)

/* The vector registers are to be the process's. */
SYM_CODE_START(bt_hold_vector)
	ENTRY_HINT
	ENDBR
	CALL_C bt_handle_hold_vector
SYM_CODE_END(bt_hold_vector)

/* They may be lost. */
SYM_CODE_START(bt_release_vector)
	ENTRY_HINT
	ENDBR
	CALL_C bt_handle_release_vector
SYM_CODE_END(bt_release_vector)

/* Calls the handler in r10, whose address made code has from a table. */
SYM_CODE_START(bt_call)
	ENTRY_HINT
	ENDBR
	JMP_NOSPEC r10
SYM_CODE_END(bt_call)

/* What a free entry of the table leads to: the pc in r11 has no code. */
SYM_CODE_START(bt_missing)
	ENTRY_HINT
	ENDBR
	movl $BT_REASON_MISSING, %r10d
	jmp bt_leave
SYM_CODE_END(bt_missing)

/*
 * Jumped to by made code: goes on at the pc in r11. Polls, as each jump that
 * may lead backwards does. Keeps the flags if \live is 1.
 */
.macro DISPATCH live
	.if \live
	pushfq
	.endif
	movq BT_THREAD - BT_BIAS(%r15), %r10
	testl $BT_WORK, (%r10)
	jnz .Lwork\@
.Lfind\@:
	movl %r11d, %r10d
	andl $(BT_LABELS - 1), %r10d
.Lprobe\@:
	shll $4, %r10d
	addq BT_TABLE - BT_BIAS(%r15), %r10
	cmpq (%r10), %r11
	jne .Lother\@
	movq 8(%r10), %r10
	.if \live
	popfq
	.endif
	JMP_NOSPEC r10
.Lother\@:
	cmpq $-1, (%r10)
	je .Lmissing\@
	subq BT_TABLE - BT_BIAS(%r15), %r10
	shrl $4, %r10d
	incl %r10d
	andl $(BT_LABELS - 1), %r10d
	jmp .Lprobe\@
.Lmissing\@:
	.if \live
	popfq
	.endif
	jmp bt_missing
.Lwork\@:
	movq %r11, %r10
	.if \live
	popfq
	.endif
	call bt_poll
	RESTORE_FLAGS
	.if \live
	pushfq
	.endif
	movq BT_RIP - BT_BIAS(%r15), %r11
	jmp .Lfind\@
.endm

SYM_CODE_START(bt_dispatch)
	ENTRY_HINT
	ENDBR
	DISPATCH 0
SYM_CODE_END(bt_dispatch)

SYM_CODE_START(bt_dispatch_live)
	ENTRY_HINT
	ENDBR
	DISPATCH 1
SYM_CODE_END(bt_dispatch_live)

/* Memory for code. area.c writes it through another mapping. */
	.section .btcode, "aw", @nobits
	.balign 4096
SYM_DATA_START(bt_area)
	.skip BT_CHUNKS * BT_CHUNK_BYTES
SYM_DATA_END(bt_area)
	.section .note.GNU-stack, "", @progbits
