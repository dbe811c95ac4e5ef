//! /dev/null, and what /dev/zero shares with it (drivers/char/mem.c).

use super::device_labels;

/// Most bytes that one read(2) or write(2) transfers (MAX_RW_COUNT, include/linux/fs.h).
const MAX_RW: u32 = 0x7fff_f000;
/// Longest read of zeros that a lane answers, in bytes.
const ZEROS: u32 = 2048;

/// Every so often a device's call is made: whoever watches the node sees it used.
macro_rules! count_down {
    () => {
        concat!("dec dword ptr [rcx + {budget}]\n", "jle bt_lane_slow\n")
    };
}

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rdx rsp_ rsi rdi rflags runtime_sp budget rare_flags]
        {max_rw = const MAX_RW, zeros = const ZEROS};
        device_labels!(),
        ".p2align 5",
        "bt_null_write:",
        enter!(),
        check_buffer!("max_rw"),
        count_down!(),
        "mov rax, rdx",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_null_read:",
        enter!(),
        check_buffer!("max_rw"),
        count_down!(),
        "xor eax, eax",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_null_lseek:",
        enter!(),
        "xor eax, eax",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_zero_read:",
        enter!(),
        check_buffer!("zeros"),
        count_down!(),
        "mov rax, rdx",
        "xor r11d, r11d",
        "sub rdx, 8",
        "jb 5f",
        "4:",
        "mov [rsi], r11",
        "add rsi, 8",
        "sub rdx, 8",
        "jae 4b",
        "5:",
        "add rdx, 8",
        "je bt_lane_done",
        "6:",
        "mov [rsi + rdx - 1], r11b",
        "dec rdx",
        "jne 6b",
        "jmp bt_lane_done",
        "bt_devices_end:",
    )
}
