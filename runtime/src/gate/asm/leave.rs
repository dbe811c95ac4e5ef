//! The way out of the runtime.

use crate::gate::entries;
use crate::gate::labels::leave_labels;

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rcx rdx rbx rsp_ rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rflags xmm runtime_sp resume requeued rare_flags]
        {leave_requeued = sym entries::bt_leave_requeued};
        leave_labels!(),
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
    )
}
