//! The ways into Rust: from an exit of a fragment, from a `cpuid`, and what all ways share.

use crate::gate::entries;
use crate::gate::labels::enter_labels;

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rcx rdx rbx rsp_ rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rflags xmm runtime_sp resume slot_rcx slot_scratch unsafe_flags safe_mask]
        {on_exit = sym entries::bt_on_exit, on_cpuid = sym entries::bt_on_cpuid};
        enter_labels!(),
        // ---- a linked-to-nothing exit of a fragment
        "bt_enter_exit:",
        "mov gs:[{rax}], rax",
        "mov rax, gs:[{slot_rcx}]",
        "mov gs:[{rcx}], rax",
        "mov gs:[{r11}], r11",
        "mov gs:[{rsi}], rsi",
        "mov esi, ecx",
        "lea rax, [rip + {on_exit}]",
        "jmp bt_enter_rust",
        // ---- cpuid
        "bt_enter_cpuid:",
        "mov gs:[{resume}], rdx",
        "mov rdx, gs:[{slot_scratch}]",
        "mov gs:[{rax}], rax",
        "mov gs:[{rcx}], rcx",
        "mov gs:[{r11}], r11",
        "mov gs:[{rsi}], rsi",
        "lea rax, [rip + {on_cpuid}]",
        "jmp bt_enter_rust",
        // ---- common way in: rax, rcx, rsi, r11 are saved; rax = the Rust function, esi = its second argument
        "bt_enter_rust:",
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
    )
}
