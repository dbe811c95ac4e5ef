//! A pipe of the process's own: a write into nothing, and reads from what one write has left.

use super::copy::LONGEST;
use super::pipe_labels;

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rdx rsp_ rsi rdi rflags runtime_sp base ring_used ring_base ring_start ring_len ring_operations rare_flags]
        {page = const 4096, longest = const LONGEST};
        pipe_labels!(),
        ".p2align 5",
        "bt_pipe_write:",
        enter!(),
        check_buffer!("page"),
        "mov rcx, [rcx + {base}]",
        "cmp qword ptr [rcx + {ring_used}], 0",
        "jne bt_lane_slow",
        "mov rdi, [rcx + {ring_base}]",
        "push rcx",
        "call bt_lane_copy",
        "pop rcx",
        "mov qword ptr [rcx + {ring_start}], 0",
        "mov [rcx + {ring_len}], rdx",
        "mov qword ptr [rcx + {ring_used}], 1",
        "inc qword ptr [rcx + {ring_operations}]",
        "mov rax, rdx",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_pipe_read:",
        enter!(),
        check_buffer!("longest"),
        "mov rcx, [rcx + {base}]",
        "cmp qword ptr [rcx + {ring_used}], 1",
        "jne bt_lane_slow",
        "mov rax, [rcx + {ring_len}]",
        "cmp rdx, rax",
        "cmova rdx, rax",
        "mov rdi, rsi",
        "mov rsi, [rcx + {ring_base}]",
        "add rsi, [rcx + {ring_start}]",
        "push rcx",
        "call bt_lane_copy",
        "pop rcx",
        "inc qword ptr [rcx + {ring_operations}]",
        "mov rax, rdx",
        "add [rcx + {ring_start}], rdx",
        "sub [rcx + {ring_len}], rdx",
        "jne bt_lane_done",
        "mov qword ptr [rcx + {ring_used}], 0",
        "jmp bt_lane_done",
        "bt_pipes_end:",
    )
}
