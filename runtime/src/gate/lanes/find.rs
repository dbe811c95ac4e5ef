//! A descriptor's lane is found.

use super::find_labels;
use crate::gate::lane::LANES;
use crate::thread::shared::POSITIONAL;

/// `NAME_OP`: finds the lane without changing a flag. A descriptor of 16 bits at most has one. Without it the call goes to
/// `$without`.
macro_rules! find {
    ($name:literal, $operation:literal, $use:literal, $without:literal) => {
        concat!(
            ".p2align 5\n",
            $name,
            $operation,
            ":\n",
            "mov gs:[{next_pc}], rcx\n",
            "mov gs:[{resume}], r11\n",
            "mov gs:[{slot_scratch}], edi\n",
            "movzx ecx, word ptr gs:[{slot_scratch} + 2]\n",
            "jrcxz 2f\n",
            "jmp ",
            $without,
            "\n",
            "2:\n",
            // Told before the lane is looked for: who takes it away looks for this afterwards.
            "lea ecx, [rdi + ",
            $use,
            "]\n",
            "mov gs:[{lane_use}], ecx\n",
            "mov ecx, edi\n",
            "lea r11, [rip + {lanes}]\n",
            "mov rcx, [r11 + rcx*8]\n",
            "jrcxz 3f\n",
            "jmp qword ptr [rcx + {",
            $operation,
            "}]\n",
            "3:\n",
            "jmp ",
            $without,
            "\n",
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
        [resume next_pc slot_scratch lane_use read write pread pwrite lseek]
        {lanes = sym LANES, positional = const POSITIONAL};
        find_labels!(),
        find!("bt_lane_", "read", "1", "bt_pass_lane"),
        find!("bt_lane_", "write", "1", "bt_pass_lane"),
        find!("bt_lane_", "pread", "{positional} + 1", "bt_pass_lane"),
        find!("bt_lane_", "pwrite", "{positional} + 1", "bt_pass_lane"),
        find!("bt_lane_", "lseek", "1", "bt_pass_lane"),
        find!("bt_report_", "read", "1", "bt_lane_rust"),
        find!("bt_report_", "write", "1", "bt_lane_rust"),
        find!("bt_report_", "pread", "{positional} + 1", "bt_lane_rust"),
        find!("bt_report_", "pwrite", "{positional} + 1", "bt_lane_rust"),
        find!("bt_report_", "lseek", "1", "bt_lane_rust"),
        ".p2align 5",
        "bt_lane_look:",
        "mov gs:[{next_pc}], rcx",
        "mov gs:[{resume}], r11",
        "mov gs:[{slot_scratch}], edi",
        "movzx ecx, word ptr gs:[{slot_scratch} + 2]",
        "jrcxz 2f",
        "jmp bt_pass_lane",
        "2:",
        "lea ecx, [rdi + 1]",
        "mov gs:[{lane_use}], ecx",
        "mov ecx, edi",
        "lea r11, [rip + {lanes}]",
        "mov rcx, [r11 + rcx*8]",
        "jrcxz 3f",
        "jmp bt_lane_rust",
        "3:",
        "jmp bt_pass_lane",
        "bt_lane_entries_end:",
    )
}
