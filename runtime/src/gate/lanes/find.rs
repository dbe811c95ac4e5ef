//! A descriptor's lane is found.

use super::find_labels;
use crate::gate::lane::LANES;

/// `NAME_OP`: finds the lane without changing a flag. A descriptor of 16 bits at most has one. Without it the call goes to
/// `$without`.
macro_rules! find {
    ($name:literal, $operation:literal, $without:literal) => {
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
        [resume next_pc slot_scratch read write pread pwrite lseek]
        {lanes = sym LANES};
        find_labels!(),
        find!("bt_lane_", "read", "bt_pass_lane"),
        find!("bt_lane_", "write", "bt_pass_lane"),
        find!("bt_lane_", "pread", "bt_pass_lane"),
        find!("bt_lane_", "pwrite", "bt_pass_lane"),
        find!("bt_lane_", "lseek", "bt_pass_lane"),
        find!("bt_report_", "read", "bt_lane_rust"),
        find!("bt_report_", "write", "bt_lane_rust"),
        find!("bt_report_", "pread", "bt_lane_rust"),
        find!("bt_report_", "pwrite", "bt_lane_rust"),
        find!("bt_report_", "lseek", "bt_lane_rust"),
        "bt_lane_entries_end:",
    )
}
