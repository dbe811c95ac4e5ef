//! The gate's assembly.
//!
//! Contracts (all other registers and flags hold the guest's values on entry from the cache):
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_enter_exit` | ecx = exit id, guest rcx in `slot_rcx` | Rust `bt_on_exit`, then `bt_leave` |
//! | `bt_enter_lookup` | rcx = guest pc, guest rcx, r11 in their slots | the fragment, or Rust `bt_on_lookup_miss`, then `bt_leave` |
//! | `bt_enter_cpuid` | rdx = cache pc behind the instruction, guest rdx in `slot_scratch` | Rust `bt_on_cpuid`, then `bt_leave` |
//! | `bt_enter_gate` | rax = call number, rcx = guest pc behind the instruction, r11 = cache pc behind it | the number's entry, which is one of the next three |
//! | `bt_pass` | as `bt_enter_gate`, a number of the table | the cache pc, after the call |
//! | `bt_answer` | as `bt_pass` | the cache pc, with the answer |
//! | `bt_pass_lane` | as `bt_pass`, `next_pc` and `resume` set | the same |
//! | `bt_tail` | the guest's registers, `next_pc` set, `tail_resume` = cache pc behind the call | the cache pc, after the call |
//! | `bt_slow` | as `bt_pass` | Rust `bt_on_syscall`, then `bt_leave` |
//! | `bt_leave` | guest state in the thread state | `resume`, with that state |
//!
//! The functions in Rust are named in [`entries`]; the layers above define them.
//!
//! What the gate does not touch: DF (no string instruction exists in the runtime), MXCSR, x87, the upper halves of
//! vector registers, fs. AC and TF are cleared for Rust code and put back when leaving.

use super::entries;
use super::{lookup, low};
use crate::thread::state::{COUNTED_CALLS, INTERRUPTED, offset as o};
use core::arch::naked_asm;

/// RFLAGS bits that Rust code cannot run with: AC (bit 18), TF (bit 8).
const UNSAFE_FLAGS: u32 = 1 << 18 | 1 << 8;
/// RFLAGS bits besides the arithmetic ones that must be put back: AC, TF, and DF (bit 10), which `sahf` does not reach.
const RARE_FLAGS: u32 = UNSAFE_FLAGS | 1 << 10;

macro_rules! save_xmm {
    () => {
        concat!(
            "movaps xmmword ptr gs:[{xmm}], xmm0\n",
            "movaps xmmword ptr gs:[{xmm} + 16], xmm1\n",
            "movaps xmmword ptr gs:[{xmm} + 32], xmm2\n",
            "movaps xmmword ptr gs:[{xmm} + 48], xmm3\n",
            "movaps xmmword ptr gs:[{xmm} + 64], xmm4\n",
            "movaps xmmword ptr gs:[{xmm} + 80], xmm5\n",
            "movaps xmmword ptr gs:[{xmm} + 96], xmm6\n",
            "movaps xmmword ptr gs:[{xmm} + 112], xmm7\n",
            "movaps xmmword ptr gs:[{xmm} + 128], xmm8\n",
            "movaps xmmword ptr gs:[{xmm} + 144], xmm9\n",
            "movaps xmmword ptr gs:[{xmm} + 160], xmm10\n",
            "movaps xmmword ptr gs:[{xmm} + 176], xmm11\n",
            "movaps xmmword ptr gs:[{xmm} + 192], xmm12\n",
            "movaps xmmword ptr gs:[{xmm} + 208], xmm13\n",
            "movaps xmmword ptr gs:[{xmm} + 224], xmm14\n",
            "movaps xmmword ptr gs:[{xmm} + 240], xmm15\n",
        )
    };
}

macro_rules! restore_xmm {
    () => {
        concat!(
            "movaps xmm0, xmmword ptr gs:[{xmm}]\n",
            "movaps xmm1, xmmword ptr gs:[{xmm} + 16]\n",
            "movaps xmm2, xmmword ptr gs:[{xmm} + 32]\n",
            "movaps xmm3, xmmword ptr gs:[{xmm} + 48]\n",
            "movaps xmm4, xmmword ptr gs:[{xmm} + 64]\n",
            "movaps xmm5, xmmword ptr gs:[{xmm} + 80]\n",
            "movaps xmm6, xmmword ptr gs:[{xmm} + 96]\n",
            "movaps xmm7, xmmword ptr gs:[{xmm} + 112]\n",
            "movaps xmm8, xmmword ptr gs:[{xmm} + 128]\n",
            "movaps xmm9, xmmword ptr gs:[{xmm} + 144]\n",
            "movaps xmm10, xmmword ptr gs:[{xmm} + 160]\n",
            "movaps xmm11, xmmword ptr gs:[{xmm} + 176]\n",
            "movaps xmm12, xmmword ptr gs:[{xmm} + 192]\n",
            "movaps xmm13, xmmword ptr gs:[{xmm} + 208]\n",
            "movaps xmm14, xmmword ptr gs:[{xmm} + 224]\n",
            "movaps xmm15, xmmword ptr gs:[{xmm} + 240]\n",
        )
    };
}

pub(super) use {restore_xmm, save_xmm};

/// All entries and the way back, in one block whose labels [`super::region`] knows. Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts above.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    naked_asm!(
        ".globl bt_tail, bt_pass, bt_answer, bt_answer_flags, bt_answer_flags_end, bt_answer_end, bt_pass_lane, bt_slow",
        ".hidden bt_tail, bt_pass, bt_answer, bt_answer_flags, bt_answer_flags_end, bt_answer_end, bt_pass_lane, bt_slow",
        ".globl bt_enter_exit, bt_enter_lookup, bt_lookup_check, bt_lookup_end, bt_lookup_miss, bt_enter_gate, bt_enter_cpuid, bt_gate_rax_saved",
        ".globl bt_gate_flags_saved, bt_syscall, bt_syscall_end, bt_gate_end, bt_leave, bt_leave_end",
        ".hidden bt_enter_exit, bt_enter_lookup, bt_lookup_check, bt_lookup_end, bt_lookup_miss, bt_enter_gate, bt_enter_cpuid, bt_gate_rax_saved",
        ".hidden bt_gate_flags_saved, bt_syscall, bt_syscall_end, bt_gate_end, bt_leave, bt_leave_end",
        // ---- a linked-to-nothing exit of a fragment
        "bt_enter_exit:",
        "mov gs:[{rax}], rax",
        "mov rax, gs:[{slot_rcx}]",
        "mov gs:[{rcx}], rax",
        "mov gs:[{r11}], r11",
        "mov gs:[{rsi}], rsi",
        "mov esi, ecx",
        "lea rax, [rip + {on_exit}]",
        "jmp 5f",
        // ---- a guest pc that the site's table did not know
        ".p2align 4",
        "bt_enter_lookup:",
        "mov gs:[{slot_rax}], rax",
        "lahf",
        "seto al",
        "mov gs:[{slot_flags}], rax",
        "mov gs:[{slot_scratch}], rdx",
        "mov rax, [rip + {changes}]",
        "mov gs:[{slot_changes}], rax",
        "imul rax, rcx, {hash}",
        "shr rax, 20",
        "mov rdx, [rip + {table}]",
        "and rax, [rip + {mask}]",
        "shl rax, 4",
        "add rax, rdx",
        "2:",
        "mov rdx, [rax]",
        "test rdx, rdx", // empty slots first: a guest that jumps to address 0 must miss
        "je 8f",
        "cmp rdx, rcx",
        "je 3f",
        "add rax, 16",
        "jmp 2b",
        "8:",
        "mov rdx, gs:[{slot_scratch}]",
        "jmp 4f",
        "3:",
        "mov r11, [rax + 8]",
        // The first level learns what the second knows, unless something was taken out meanwhile: that would come back.
        "movzx eax, cx",
        "mov rdx, [rip + {ibtc}]",
        "lea rdx, [rdx + rax*8]",
        "mov rax, r11",
        "xchg [rdx], rax", // locked: the counter is read after the entry is visible
        "mov rax, gs:[{slot_changes}]",
        "cmp rax, [rip + {changes}]",
        "je 7f",
        "lea rax, [rip + bt_enter_lookup]",
        "mov [rdx], rax",
        "mov rdx, gs:[{slot_scratch}]",
        "jmp 4f",
        "7:",
        "mov rdx, gs:[{slot_scratch}]",
        "inc qword ptr gs:[{lookup_hits}]",
        "bt_lookup_check:",
        "cmp qword ptr gs:[{requeued}], 0",
        "jne 4f",
        "mov rax, gs:[{slot_flags}]",
        "add al, 0x7f",
        "sahf",
        "mov rax, gs:[{slot_rax}]",
        "jmp r11",
        "bt_lookup_end:",
        "bt_lookup_miss:",
        "4:",
        "mov rax, gs:[{slot_flags}]",
        "add al, 0x7f",
        "sahf",
        "mov rax, gs:[{slot_rax}]",
        "mov gs:[{rip_}], rcx",
        "mov r11, gs:[{slot_r11}]",
        "mov gs:[{rax}], rax",
        "mov rax, gs:[{slot_rcx}]",
        "mov gs:[{rcx}], rax",
        "mov gs:[{r11}], r11",
        "mov gs:[{rsi}], rsi",
        "lea rax, [rip + {on_lookup_miss}]",
        "jmp 5f",
        // ---- cpuid
        "bt_enter_cpuid:",
        "mov gs:[{resume}], rdx",
        "mov rdx, gs:[{slot_scratch}]",
        "mov gs:[{rax}], rax",
        "mov gs:[{rcx}], rcx",
        "mov gs:[{r11}], r11",
        "mov gs:[{rsi}], rsi",
        "lea rax, [rip + {on_cpuid}]",
        // ---- common way in: rax, rcx, rsi, r11 are saved; rax = the Rust function, esi = its second argument
        "5:",
        "mov gs:[{rdx}], rdx",
        "mov gs:[{rbx}], rbx",
        "mov gs:[{rsp_}], rsp",
        "mov gs:[{rbp}], rbp",
        "mov gs:[{rdi}], rdi",
        "mov gs:[{r8}], r8",
        "mov gs:[{r9}], r9",
        "mov gs:[{r10}], r10",
        "mov gs:[{r12}], r12",
        "mov gs:[{r13}], r13",
        "mov gs:[{r14}], r14",
        "mov gs:[{r15}], r15",
        "mov rsp, gs:[{runtime_sp}]",
        "pushfq",
        "pop rbx",
        "mov gs:[{rflags}], rbx",
        "test ebx, {unsafe_flags}",
        "je 6f",
        "and ebx, {safe_mask}",
        "push rbx",
        "popfq",
        "6:",
        save_xmm!(),
        "mov rdi, gs:[0]",
        "call rax",
        "jmp bt_leave",
        // ---- a system call
        ".p2align 6",
        "bt_enter_gate:",
        "mov gs:[{next_pc}], rcx",
        "mov gs:[{resume}], r11",
        "mov gs:[{rax}], rax",
        "bt_gate_rax_saved:",
        "lahf",
        "seto al",
        "mov gs:[{slot_flags}], rax",
        "bt_gate_flags_saved:",
        "cmp qword ptr gs:[{rax}], {counted}",
        "jae 9f",
        "add al, 0x7f",
        "sahf",
        "mov rax, gs:[{rax}]",
        "jmp qword ptr gs:[{call_entries} + rax*8]",
        // ---- a call that is passed on at once
        ".p2align 6",
        "bt_pass:",
        "mov gs:[{next_pc}], rcx",
        "mov gs:[{resume}], r11",
        "bt_pass_lane:",
        "mov rcx, gs:[{counts} + rax*8]",
        "lea rcx, [rcx + 1]", // inc would change flags
        "mov gs:[{counts} + rax*8], rcx",
        "jrcxz 22f",
        "jmp bt_syscall", // over the way into Rust, which must be near
        "22:",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp bt_slow",
        // ---- a call that Rust has looked at, and that is made as it is
        "bt_tail:",
        "mov rcx, gs:[{tail_resume}]",
        "mov gs:[{resume}], rcx",
        "bt_syscall:",
        "syscall",
        "bt_syscall_end:",
        "mov rcx, gs:[{next_pc}]",
        "jmp qword ptr gs:[{resume}]",
        // ---- a call that is answered with a value of the thread's state
        ".p2align 4",
        "bt_answer:",
        "mov gs:[{next_pc}], rcx",
        "mov gs:[{resume}], r11",
        "mov rcx, gs:[{answered} + rax*8]",
        "lea rcx, [rcx + 1]",
        "mov gs:[{answered} + rax*8], rcx",
        "mov gs:[{rsp_}], rsp",
        "bt_answer_flags:",
        // The instruction leaves the flags in r11. The guest's stack is not ours to push them on.
        "mov rsp, gs:[{runtime_sp}]",
        "pushfq",
        "pop r11",
        "mov rsp, gs:[{rsp_}]",
        "bt_answer_flags_end:",
        "mov rcx, gs:[{next_pc}]",
        "mov eax, gs:[{answers} + rax*4]",
        "bt_answer_end:",
        "jmp qword ptr gs:[{resume}]",
        "bt_gate_end:",
        "9:",
        "mov rax, gs:[{slot_flags}]",
        "add al, 0x7f",
        "sahf",
        "jmp 8f",
        // ---- a call that Rust carries out
        "bt_slow:",
        "mov gs:[{next_pc}], rcx",
        "mov gs:[{resume}], r11",
        "mov gs:[{rax}], rax",
        "8:",
        "mov gs:[{rsi}], rsi",
        "mov rcx, gs:[{next_pc}]",
        "mov gs:[{rcx}], rcx",
        "mov gs:[{rip_}], rcx",
        "lea rax, [rip + {on_syscall}]",
        "jmp 5b",
        // ---- the way back
        ".p2align 4",
        "bt_leave:",
        "mov rsp, gs:[{runtime_sp}]",
        "cmp qword ptr gs:[{requeued}], 0",
        "jne 2f",
        restore_xmm!(),
        "mov rax, gs:[{rflags}]",
        "test eax, {rare_flags}",
        "jne 3f",
        "mov edx, eax",
        "shr edx, 11",
        "and edx, 1",
        "mov ah, al",
        "mov al, dl",
        "add al, 0x7f",
        "sahf",
        "jmp 4f",
        "3:",
        "push rax",
        "popfq",
        "4:",
        "mov rax, gs:[{rax}]",
        "mov rcx, gs:[{rcx}]",
        "mov rdx, gs:[{rdx}]",
        "mov rbx, gs:[{rbx}]",
        "mov rbp, gs:[{rbp}]",
        "mov rsi, gs:[{rsi}]",
        "mov rdi, gs:[{rdi}]",
        "mov r8, gs:[{r8}]",
        "mov r9, gs:[{r9}]",
        "mov r10, gs:[{r10}]",
        "mov r11, gs:[{r11}]",
        "mov r12, gs:[{r12}]",
        "mov r13, gs:[{r13}]",
        "mov r14, gs:[{r14}]",
        "mov r15, gs:[{r15}]",
        "mov rsp, gs:[{rsp_}]",
        "jmp qword ptr gs:[{resume}]",
        "bt_leave_end:",
        "2:",
        "mov rdi, gs:[0]",
        "call {leave_requeued}",
        "ud2",
        rax = const o::gpr(0), rcx = const o::gpr(1), rdx = const o::gpr(2), rbx = const o::gpr(3), rsp_ = const o::gpr(4),
        rbp = const o::gpr(5), rsi = const o::gpr(6), rdi = const o::gpr(7), r8 = const o::gpr(8), r9 = const o::gpr(9),
        r10 = const o::gpr(10), r11 = const o::gpr(11), r12 = const o::gpr(12), r13 = const o::gpr(13),
        r14 = const o::gpr(14), r15 = const o::gpr(15), rip_ = const o::RIP, rflags = const o::RFLAGS,
        xmm = const o::XMM, runtime_sp = const o::RUNTIME_SP, resume = const o::RESUME, next_pc = const o::NEXT_PC,
        requeued = const o::REQUEUED, slot_rcx = const o::SLOT_RCX, slot_r11 = const o::SLOT_R11,
        slot_rax = const o::SLOT_RAX, slot_flags = const o::SLOT_FLAGS, slot_scratch = const o::SLOT_SCRATCH,
        lookup_hits = const o::LOOKUP_HITS, counts = const o::COUNTS, counted = const COUNTED_CALLS,
        unsafe_flags = const UNSAFE_FLAGS, safe_mask = const !UNSAFE_FLAGS, rare_flags = const RARE_FLAGS,
        hash = const lookup::HASH, table = sym lookup::TABLE, mask = sym lookup::MASK, ibtc = sym low::IBTC,
        changes = sym lookup::CHANGES, slot_changes = const o::SLOT_CHANGES,
        call_entries = const o::CALL_ENTRIES, tail_resume = const o::TAIL_RESUME, answered = const o::ANSWERED, answers = const o::ANSWERS,
        on_exit = sym entries::bt_on_exit,
        on_cpuid = sym entries::bt_on_cpuid,
        on_lookup_miss = sym entries::bt_on_lookup_miss,
        on_syscall = sym entries::bt_on_syscall,
        leave_requeued = sym entries::bt_leave_requeued,
    )
}

/// Makes a guest's system call from Rust. The instruction is its own: a jump back from another's would be mispredicted, because
/// the kernel clears the branch history on entry.
///
/// Returns the kernel's result, or [`INTERRUPTED`] when a signal for the guest arrived before the kernel took the call
/// (it has been requeued): the guest's state must then be that of its `syscall` instruction. The caller saves `resume`.
///
/// # Safety
/// As for the call itself; `args` points to six values.
#[unsafe(naked)]
pub unsafe extern "C" fn call(nr: u64, args: *const u64) -> i64 {
    naked_asm!(
        ".globl bt_call_window, bt_call_syscall, bt_call_return, bt_call_interrupted",
        ".hidden bt_call_window, bt_call_syscall, bt_call_return, bt_call_interrupted",
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov gs:[{call_sp}], rsp",
        "mov rbx, rdi",
        "mov rax, rsi",
        "mov rdi, [rax]",
        "mov rsi, [rax + 8]",
        "mov rdx, [rax + 16]",
        "mov r10, [rax + 24]",
        "mov r8, [rax + 32]",
        "mov r9, [rax + 40]",
        "bt_call_window:",
        "cmp qword ptr gs:[{requeued}], 0",
        "jne bt_call_interrupted",
        "mov rax, rbx",
        "bt_call_syscall:",
        "syscall",
        "bt_call_return:",
        "2:",
        "mov rsp, gs:[{call_sp}]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        "bt_call_interrupted:",
        "mov rax, {interrupted}",
        "jmp 2b",
        call_sp = const o::CALL_SP, requeued = const o::REQUEUED, interrupted = const INTERRUPTED,
    )
}

/// Leaves the runtime through `rt_sigreturn(2)` from a frame of ours.
///
/// `uc` is the ucontext (the frame's second word on), `xsave` a zeroed 64-byte aligned area for the vector state, or null if
/// the frame brings its own or wants the initial state.
///
/// # Safety
/// All signals must be blocked; the context must be complete.
#[unsafe(naked)]
pub unsafe extern "C" fn sigreturn(uc: u64, xsave: u64) -> ! {
    naked_asm!(
        restore_xmm!(),
        "test rsi, rsi",
        "je 2f",
        "mov eax, -1",
        "mov edx, -1",
        "xsave64 [rsi]",
        "2:",
        "mov rsp, rdi",
        "mov eax, 15",
        "syscall",
        "ud2",
        xmm = const o::XMM,
    )
}

/// Where the kernel enters for a signal. It clears DF and TF, but leaves the guest's AC (arch/x86/kernel/signal.c, `handle_signal`),
/// with which the handler itself would fault.
///
/// # Safety
/// Only the kernel calls it.
#[unsafe(naked)]
pub unsafe extern "C" fn signal_entry() -> ! {
    // rt_sigreturn(2) leaves ID and NT as they are then (FIX_EFLAGS in arch/x86/kernel/signal_64.c): they must stay the guest's.
    naked_asm!(
        "pushfq",
        "and dword ptr [rsp], {safe_mask}",
        "popfq",
        "jmp {handler}",
        safe_mask = const !UNSAFE_FLAGS,
        handler = sym entries::bt_on_signal
    )
}

/// The restorer of host handlers (sigaction(2), SA_RESTORER).
///
/// # Safety
/// Only a host handler returns to it.
#[unsafe(naked)]
pub unsafe extern "C" fn restorer() -> ! {
    naked_asm!("mov eax, 15", "syscall", "ud2")
}

/// Switches to a thread's runtime stack and calls `function(ts)`, which leaves through the gate.
///
/// # Safety
/// `gs` must point to the thread's state.
#[unsafe(naked)]
pub unsafe extern "C" fn on_runtime_stack(
    ts: *mut crate::thread::state::ThreadState,
    function: extern "C" fn(*mut crate::thread::state::ThreadState),
) -> ! {
    naked_asm!("mov rsp, gs:[{runtime_sp}]", "call rsi", "jmp bt_leave", runtime_sp = const o::RUNTIME_SP)
}
