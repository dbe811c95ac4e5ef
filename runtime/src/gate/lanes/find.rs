//! A descriptor's lane is found.

use super::find_labels;
use crate::gate::lane::LANES;

/// `bt_lane_OP`: finds the lane without changing a flag. A descriptor of 16 bits at most has one.
macro_rules! find {
    ($operation:literal) => {
        concat!(
            ".p2align 5\n",
            "bt_lane_",
            $operation,
            ":\n",
            "mov gs:[{next_pc}], rcx\n",
            "mov gs:[{resume}], r11\n",
            "mov gs:[{slot_scratch}], edi\n",
            "movzx ecx, word ptr gs:[{slot_scratch} + 2]\n",
            "jrcxz 2f\n",
            "jmp bt_pass_lane\n",
            "2:\n",
            "mov ecx, edi\n",
            "lea r11, [rip + {lanes}]\n",
            "mov rcx, [r11 + rcx*8]\n",
            "jrcxz 3f\n",
            "jmp qword ptr [rcx + {",
            $operation,
            "}]\n",
            "3:\n",
            "jmp bt_pass_lane\n",
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
        find!("read"),
        find!("write"),
        find!("pread"),
        find!("pwrite"),
        find!("lseek"),
        "bt_lane_entries_end:",
    )
}
