//! The ways out of a lane: the call is Rust's, or it is answered.

use super::leave_labels;

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rcx rdx rbx rsp_ rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip_ rflags xmm runtime_sp resume next_pc requeued slot_rax answered]
        {};
        leave_labels!(),
        ".p2align 5",
        // ---- what Rust does
        "bt_lane_rust:",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp bt_slow",
        "bt_lane_slow:",
        "mov rsp, gs:[{runtime_sp}]",
        "mov rax, gs:[{rax}]",
        "mov rdi, gs:[{rdi}]",
        "mov rsi, gs:[{rsi}]",
        "mov rdx, gs:[{rdx}]",
        "push qword ptr gs:[{rflags}]",
        "popfq",
        "mov rsp, gs:[{rsp_}]",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp bt_slow",
        ".p2align 5",
        "bt_lane_done:",
        "mov gs:[{slot_rax}], rax",
        "mov rax, gs:[{rax}]",
        "inc qword ptr gs:[{answered} + rax*8]",
        "bt_lane_check:",
        "cmp qword ptr gs:[{requeued}], 0",
        "jne 9f",
        "mov r11, gs:[{rflags}]",
        "mov rdi, gs:[{rdi}]",
        "mov rsi, gs:[{rsi}]",
        "mov rdx, gs:[{rdx}]",
        "mov eax, r11d",
        "mov ecx, r11d",
        "shr ecx, 11",
        "and ecx, 1",
        "mov ah, al",
        "mov al, cl",
        "add al, 0x7f",
        "sahf",
        "mov rax, gs:[{slot_rax}]",
        "mov rcx, gs:[{next_pc}]",
        "mov rsp, gs:[{rsp_}]",
        "jmp qword ptr gs:[{resume}]",
        "bt_lane_end:",
        "9:",
        "mov rax, gs:[{slot_rax}]",
        "mov gs:[{rax}], rax",
        "mov rcx, gs:[{next_pc}]",
        "mov gs:[{rcx}], rcx",
        "mov gs:[{rip_}], rcx",
        "mov r11, gs:[{rflags}]",
        "mov gs:[{r11}], r11",
        "mov gs:[{rbx}], rbx",
        "mov gs:[{rbp}], rbp",
        "mov gs:[{r8}], r8",
        "mov gs:[{r9}], r9",
        "mov gs:[{r10}], r10",
        "mov gs:[{r12}], r12",
        "mov gs:[{r13}], r13",
        "mov gs:[{r14}], r14",
        "mov gs:[{r15}], r15",
        save_xmm!(),
        "jmp bt_leave",
        "bt_lane_leave_end:",
    )
}
