//! Into ring 0 and back (`engine::ring0`).
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_ring0_gate` | as `bt_enter_gate`, for a call that ring 0 may make | ring 0, the call's own entry, or `bt_slow` |
//! | `bt_ring0_run` | the guest's state in the thread state, its vector registers in place, the runtime's stack | ring 0 |
//!
//! The gate looks the call's site up in a table of sites, by the low 16 bits of the pc after it, without changing a
//! register or a flag; entries hold the negative pc. A site that is in it is where translated code begins: the guest's
//! state goes into the thread state, whose layout is the module's (`bt_shim::uapi::Run`), and one lseek(2) on the
//! device does the rest. What comes back is in the thread state again; Rust (`bt_on_ring0_leave`) says where the thread
//! goes on.
//!
//! Every so many calls that are not in the table one goes to Rust, which finds out which sites are worth it.

use super::piece::Piece;
use super::region::Region;
use crate::process::RING0_FD;
use crate::thread::state::{INTERRUPTED, offset as o};
use bt_shim::uapi;
use linux_raw_sys::general as k;

labels! {
    /// A place in this block.
    pub enum Label {
        ring0_labels: [Gate = bt_ring0_gate, Known = bt_ring0_known, Window = bt_ring0_window, Return = bt_ring0_return, Interrupted = bt_ring0_interrupted, End = bt_ring0_end],
    }
}

/// Where the gate enters.
#[must_use]
pub fn entry() -> u64 {
    Label::Gate.address()
}

/// Where a thread goes on whose signal came before ring 0 was entered, or while a call there is to be made again.
#[must_use]
pub fn interrupted() -> u64 {
    Label::Interrupted.address()
}

/// The piece as a signal handler sees it.
pub(super) fn piece() -> Piece {
    Piece::new((entry(), Label::End.address())).entered_at([entry()]).with_ranges([
        // A pc on the label still belongs to what is before it.
        ((entry(), Label::Known.address() + 1), Region::BeforeCall),
        ((Label::Window.address(), Label::Return.address()), Region::Ring0Window),
    ])
}

/// RFLAGS with which the guest's code does not mean the same in ring 0, or Rust cannot run: AC, DF, TF.
const UNFIT: u32 = 1 << 18 | 1 << 10 | 1 << 8;

/// All of it, in one block. Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts above.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rcx rdx rbx rsp_ rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip_ rflags xmm runtime_sp resume next_pc requeued plain_entries]
        {sites = const o::RING0_SITES, left = const o::RING0_LEFT, unfit = const UNFIT, run = const o::RUN, reason = const o::RUN_REASON, fd = sym RING0_FD, whence = const uapi::RUN, lseek = const k::__NR_lseek, interrupted = const INTERRUPTED, on_leave = sym super::entries::bt_on_ring0_leave};
        ring0_labels!(),
        ".p2align 6",
        "bt_ring0_gate:",
        "mov gs:[{next_pc}], rcx",
        "mov gs:[{resume}], r11",
        "movzx ecx, cx",
        "mov r11, gs:[{sites}]",
        "mov r11, [r11 + rcx*8]",
        "mov rcx, gs:[{next_pc}]",
        "lea rcx, [rcx + r11]",
        "jrcxz bt_ring0_known",
        // Not one of them.
        "mov rcx, gs:[{left}]",
        "lea rcx, [rcx - 1]",
        "mov gs:[{left}], rcx",
        "jrcxz 2f",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp qword ptr gs:[{plain_entries} + rax*8]",
        "2:",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp bt_slow",
        // ---- code of ring 0 begins here
        "bt_ring0_known:",
        "mov gs:[{rax}], rax",
        "mov gs:[{rsp_}], rsp",
        "mov rsp, gs:[{runtime_sp}]",
        "pushfq",
        "pop rax",
        "mov gs:[{rflags}], rax",
        "test eax, {unfit}",
        "jne 8f",
        "mov gs:[{rbx}], rbx",
        "mov gs:[{rdx}], rdx",
        "mov gs:[{rsi}], rsi",
        "mov gs:[{rdi}], rdi",
        "mov gs:[{rbp}], rbp",
        "mov gs:[{r8}], r8",
        "mov gs:[{r9}], r9",
        "mov gs:[{r10}], r10",
        "mov gs:[{r11}], rax",
        "mov gs:[{r12}], r12",
        "mov gs:[{r13}], r13",
        "mov gs:[{r14}], r14",
        "mov gs:[{r15}], r15",
        "mov rcx, gs:[{next_pc}]",
        "mov gs:[{rcx}], rcx",
        "lea rcx, [rcx - 2]",
        "mov gs:[{rip_}], rcx",
        "bt_ring0_run:",
        "mov rsi, gs:[0]",
        "add rsi, {run}",
        "mov dword ptr gs:[{reason}], 0",
        "mov edi, [rip + {fd}]",
        "mov edx, {whence}",
        "mov eax, {lseek}",
        // From here on a signal ends at `bt_ring0_interrupted`.
        "bt_ring0_window:",
        "cmp qword ptr gs:[{requeued}], 0",
        "jne bt_ring0_interrupted",
        "syscall",
        "bt_ring0_return:",
        "mov rsi, rax",
        "3:",
        save_xmm!(),
        "mov rdi, gs:[0]",
        "call {on_leave}",
        "test al, al",
        "je bt_leave",
        restore_xmm!(),
        "jmp bt_ring0_run",
        "bt_ring0_interrupted:",
        "mov rsi, {interrupted}",
        "jmp 3b",
        // ---- flags that ring 0 cannot have
        "8:",
        "push gs:[{rflags}]",
        "popfq",
        "mov rax, gs:[{rax}]",
        "mov rsp, gs:[{rsp_}]",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp qword ptr gs:[{plain_entries} + rax*8]",
        "bt_ring0_end:",
    )
}
