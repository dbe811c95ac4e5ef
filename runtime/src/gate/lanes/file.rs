//! A file that is mapped.

use super::copy::LONGEST;
use super::file_labels;

/// What is known of the file is true. r11 is lost.
macro_rules! check_fact {
    () => {
        concat!("mov r11, [rcx + {watch}]\n", "mov r11d, [r11]\n", "cmp r11d, [rcx + {epoch}]\n", "jne bt_lane_slow\n",)
    };
}

/// From rax = position: copies from the mapping to the guest, if all of it lies within the file; rax = bytes.
macro_rules! copy_out {
    () => {
        concat!(
            "mov r11, [rcx + {size}]\n",
            "sub r11, rax\n",
            "jb bt_lane_slow\n",
            // Up to the end and no further: where the file ends now only the kernel knows, if a call that tells nobody has
            // extended it (io_submit(2)).
            "cmp rdx, r11\n",
            "ja bt_lane_slow\n",
            "test rdx, rdx\n",
            "je 30f\n",
            // Every so often a read is made: whoever watches the file sees it read.
            "dec dword ptr [rcx + {budget}]\n",
            "jle bt_lane_slow\n",
            "mov rdi, rsi\n",
            "mov rsi, [rcx + {base}]\n",
            "add rsi, rax\n",
            "push rcx\n",
            "call bt_lane_copy\n",
            "pop rcx\n",
            // Loads are in order: what was copied was read before this, so before whoever ends the fact lets go of the file.
            check_fact!(),
            "inc qword ptr [rcx + {reads}]\n",
            "30:\n",
            "mov rax, rdx\n",
        )
    };
}

/// As `copy_out`, the other way: all bytes must lie within the file.
macro_rules! copy_in {
    () => {
        concat!(
            "lea r11, [rax + rdx]\n",
            "cmp r11, [rcx + {size}]\n",
            "ja bt_lane_slow\n",
            // All of it can be read: the file must not get a part.
            "movzx r11d, byte ptr [rsi + rdx - 1]\n",
            "mov r11, rdx\n",
            "31:\n",
            "sub r11, 4096\n",
            "jbe 32f\n",
            "test byte ptr [rsi + r11], 0\n",
            "jmp 31b\n",
            "32:\n",
            "mov rdi, [rcx + {base}]\n",
            "add rdi, rax\n",
            "push rcx\n",
            "call bt_lane_copy\n",
            "pop rcx\n",
            // Who has truncated the file meanwhile has ended the fact before its call returned: then Rust writes once more, as if
            // the call had come a moment later.
            check_fact!(),
            "inc qword ptr [rcx + {writes}]\n",
            "mov rax, rdx\n",
        )
    };
}

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rdx rsp_ rsi rdi rflags runtime_sp watch epoch budget base size offset reads writes rare_flags]
        {longest = const LONGEST};
        file_labels!(),
        ".p2align 5",
        "bt_file_read:",
        enter!(),
        check_buffer!("longest"),
        check_fact!(),
        "mov rax, [rcx + {offset}]",
        copy_out!(),
        "add [rcx + {offset}], rax",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_file_pread:",
        enter!(),
        check_buffer!("longest"),
        check_fact!(),
        "mov rax, r10",
        copy_out!(),
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_file_write:",
        enter!(),
        check_buffer!("longest"),
        check_fact!(),
        "mov rax, [rcx + {offset}]",
        copy_in!(),
        "add [rcx + {offset}], rax",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_file_pwrite:",
        enter!(),
        check_buffer!("longest"),
        check_fact!(),
        "mov rax, r10",
        "test rax, rax",
        "js bt_lane_slow",
        copy_in!(),
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_file_lseek:",
        enter!(),
        check_fact!(),
        "mov rax, rsi",
        "test edx, edx", // SEEK_SET
        "je 7f",
        "cmp edx, 2",
        "ja bt_lane_slow",
        "je 8f",
        "add rax, [rcx + {offset}]", // SEEK_CUR
        "jmp 7f",
        "8:",
        "add rax, [rcx + {size}]", // SEEK_END
        "7:",
        // Up to the end; Rust does the rest, negative results among it.
        "cmp rax, [rcx + {size}]",
        "ja bt_lane_slow",
        "mov [rcx + {offset}], rax",
        "jmp bt_lane_done",
        "bt_files_end:",
    )
}
