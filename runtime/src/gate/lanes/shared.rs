//! A file that is mapped, in a process with threads, or one whose offset is not the process's own.
//!
//! As in `file`, but that the offset moves under the lane's lock: one read or write at a time, as the kernel has it (fs/file.c,
//! fdget_pos). Who finds it taken leaves the call to Rust, which waits. What threads would contend for is the thread's own.

use super::copy::LONGEST;
use super::shared_labels;

/// What is known of the file is true. r11 is lost.
macro_rules! check_fact {
    () => {
        concat!("mov r11, [rcx + {watch}]\n", "mov r11d, [r11]\n", "cmp r11d, [rcx + {epoch}]\n", "jne bt_lane_slow\n",)
    };
}

/// rax = the offset, which is this thread's. r11 is lost.
macro_rules! lock {
    () => {
        concat!(
            "xor eax, eax\n",
            "mov r11d, 1\n",
            "lock cmpxchg dword ptr [rcx + {lock}], r11d\n",
            "jne bt_lane_slow\n",
            "mov gs:[{lane_locked}], rcx\n",
            "mov rax, [rcx + {offset}]\n",
        )
    };
}

/// The offset is anybody's.
macro_rules! unlock {
    () => {
        concat!("mov qword ptr gs:[{lane_locked}], 0\n", "mov dword ptr [rcx + {lock}], 0\n")
    };
}

/// As in `file`.
macro_rules! copy_out {
    () => {
        concat!(
            "mov r11, [rcx + {size}]\n",
            "sub r11, rax\n",
            "jb bt_lane_slow\n",
            "cmp rdx, r11\n",
            "ja bt_lane_slow\n",
            "dec qword ptr gs:[{lane_budget}]\n",
            "jle bt_lane_slow\n",
            "mov rdi, rsi\n",
            "mov rsi, [rcx + {base}]\n",
            "add rsi, rax\n",
            "push rcx\n",
            "call bt_lane_copy\n",
            "pop rcx\n",
            check_fact!(),
            // Only in a burst of writes somebody asks: otherwise threads share the line without writing to it.
            "cmp dword ptr [rcx + {is_written}], 0\n",
            "je 30f\n",
            "inc qword ptr [rcx + {reads}]\n",
            "30:\n",
            "mov rax, rdx\n",
        )
    };
}

/// As in `file`. Whoever ends a burst has every thread see that (membarrier(2)) before it asks what was written: either it finds
/// the count, or this thread finds the end, and Rust writes once more.
macro_rules! copy_in {
    () => {
        concat!(
            "lea r11, [rax + rdx]\n",
            "cmp r11, [rcx + {size}]\n",
            "ja bt_lane_slow\n",
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
            check_fact!(),
            "inc qword ptr [rcx + {writes}]\n",
            "cmp dword ptr [rcx + {is_written}], 0\n",
            "je bt_lane_slow\n",
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
        [rax rdx rsp_ rsi rdi rflags runtime_sp watch epoch base size offset reads writes rare_flags lock is_written lane_locked lane_budget]
        {longest = const LONGEST};
        shared_labels!(),
        ".p2align 5",
        "bt_shared_read:",
        enter!(),
        check_buffer!("longest"),
        lock!(),
        check_fact!(),
        copy_out!(),
        "add [rcx + {offset}], rax",
        unlock!(),
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_shared_pread:",
        enter!(),
        check_buffer!("longest"),
        check_fact!(),
        "mov rax, r10",
        copy_out!(),
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_shared_write:",
        enter!(),
        check_buffer!("longest"),
        lock!(),
        check_fact!(),
        copy_in!(),
        "add [rcx + {offset}], rax",
        unlock!(),
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_shared_pwrite:",
        enter!(),
        check_buffer!("longest"),
        check_fact!(),
        "mov rax, r10",
        "test rax, rax",
        "js bt_lane_slow",
        copy_in!(),
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_shared_lseek:",
        enter!(),
        lock!(),
        check_fact!(),
        "mov r11, rsi",
        "test edx, edx", // SEEK_SET
        "je 7f",
        "cmp edx, 2",
        "ja bt_lane_slow",
        "je 8f",
        "add r11, rax", // SEEK_CUR
        "jmp 7f",
        "8:",
        "add r11, [rcx + {size}]", // SEEK_END
        "7:",
        "cmp r11, [rcx + {size}]",
        "ja bt_lane_slow",
        "mov [rcx + {offset}], r11",
        unlock!(),
        "mov rax, r11",
        "jmp bt_lane_done",
        // The offset is the kernel's: as if there were no lane.
        ".p2align 4",
        "bt_shared_pass:",
        "jmp bt_pass_lane",
        "bt_shared_end:",
    )
}
