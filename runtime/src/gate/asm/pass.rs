//! System calls: passed on, answered with a value, or given to Rust.

use crate::gate::entries;
use crate::gate::labels::pass_labels;
use crate::thread::shared::COUNTED_CALLS;

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rcx rsp_ rsi rip_ runtime_sp resume next_pc slot_flags counts call_entries tail_resume answered answers lane_use]
        {counted = const COUNTED_CALLS, on_syscall = sym entries::bt_on_syscall};
        pass_labels!(),
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
        "mov dword ptr gs:[{lane_use}], 0",
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
        "jmp bt_enter_rust",
    )
}
