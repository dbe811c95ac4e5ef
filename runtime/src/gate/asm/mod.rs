//! The gate's assembly.
//!
//! Contracts (all other registers and flags hold the guest's values on entry from the cache):
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_enter_exit` | ecx = exit id, guest rcx in `slot_rcx` | Rust `bt_on_exit`, then `bt_leave` |
//! | `bt_enter_lookup` | rcx = guest pc, guest rcx, r11 in their slots | the fragment, or Rust `bt_on_lookup_miss`, then `bt_leave` |
//! | `bt_enter_cpuid` | rdx = cache pc after the instruction, guest rdx in `slot_scratch` | Rust `bt_on_cpuid`, then `bt_leave` |
//! | `bt_enter_gate` | rax = call number, rcx = guest pc after the instruction, r11 = cache pc after it | the number's entry, which is one of the next three |
//! | `bt_pass` | as `bt_enter_gate`, a number of the table | the cache pc, after the call |
//! | `bt_answer` | as `bt_pass` | the cache pc, with the answer |
//! | `bt_pass_lane` | as `bt_pass`, `next_pc` and `resume` set | the same |
//! | `bt_tail` | the guest's registers, `next_pc` set, `tail_resume` = cache pc after the call | the cache pc, after the call |
//! | `bt_slow` | as `bt_pass` | Rust `bt_on_syscall`, then `bt_leave` |
//! | `bt_leave` | guest state in the thread state | `resume`, with that state |
//!
//! The functions in Rust are named in `gate::entries`; the layers above define them.
//!
//! What the gate does not touch: DF (no string instruction exists in the runtime), MXCSR, x87, the upper halves of
//! vector registers, fs. AC and TF are cleared for Rust code and put back when leaving.

pub mod enter;
pub mod leave;
pub mod lookup;
pub mod pass;

use super::entries;
use super::labels::call_labels;
use crate::thread::state::INTERRUPTED;

/// Makes a guest's system call from Rust. The instruction is its own: a jump back from another's would be mispredicted,
/// because the kernel clears the branch history on entry.
///
/// Returns the kernel's result, or [`INTERRUPTED`] when a signal for the guest arrived before the kernel took the call
/// (it has been requeued): the guest's state must then be that of its `syscall` instruction. The caller saves `resume`.
///
/// # Safety
/// As for the call itself; `args` points to six values.
#[unsafe(naked)]
pub unsafe extern "C" fn call(nr: u64, args: *const u64) -> i64 {
    gate_asm!(
        [call_sp requeued]
        {interrupted = const INTERRUPTED};
        call_labels!(),
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
    )
}

/// Saves the guest's vector state.
///
/// # Safety
/// `area` must be zeroed, 64-byte aligned, and as long as the state.
#[unsafe(naked)]
pub unsafe extern "C" fn save_vectors(area: u64) {
    gate_asm!([xmm] {}; restore_xmm!(), "mov eax, -1", "mov edx, -1", "xsave64 [rdi]", "ret")
}

/// Leaves the runtime through `rt_sigreturn(2)` from a frame of ours: `uc` is the ucontext (the frame's second word on).
///
/// # Safety
/// All signals must be blocked; the context must be complete.
#[unsafe(naked)]
pub unsafe extern "C" fn sigreturn(uc: u64) -> ! {
    core::arch::naked_asm!("mov rsp, rdi", "mov eax, 15", "syscall", "ud2")
}

/// Where the kernel enters for a signal. It clears DF and TF, but leaves the guest's AC (arch/x86/kernel/signal.c,
/// `handle_signal`), with which the handler itself would fault.
///
/// # Safety
/// Only the kernel calls it.
#[unsafe(naked)]
pub unsafe extern "C" fn signal_entry() -> ! {
    // rt_sigreturn(2) leaves ID and NT as they are then (FIX_EFLAGS in arch/x86/kernel/signal_64.c): they must stay the
    // guest's.
    gate_asm!(
        [safe_mask]
        {handler = sym entries::bt_on_signal};
        "pushfq",
        "and dword ptr [rsp], {safe_mask}",
        "popfq",
        "jmp {handler}",
    )
}

/// The restorer of host handlers (sigaction(2), SA_RESTORER).
///
/// # Safety
/// Only a host handler returns to it.
#[unsafe(naked)]
pub unsafe extern "C" fn restorer() -> ! {
    core::arch::naked_asm!("mov eax, 15", "syscall", "ud2")
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
    gate_asm!([runtime_sp] {}; "mov rsp, gs:[{runtime_sp}]", "call rsi", "jmp bt_leave")
}
