//! The look-up of an indirect branch's target whose site's table entry did not lead there.

use crate::gate::labels::lookup_labels;
use crate::gate::{entries, lookup, low};

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rcx rsi r11 rip_ requeued slot_rcx slot_r11 slot_rax slot_flags slot_scratch slot_changes lookup_hits]
        {hash = const lookup::HASH, table = sym lookup::TABLE, mask = sym lookup::MASK, ibtc = sym low::IBTC, changes = sym lookup::CHANGES, on_lookup_miss = sym entries::bt_on_lookup_miss};
        lookup_labels!(),
        // ---- a guest pc that the site's table did not know
        ".p2align 4",
        "bt_enter_lookup:",
        "mov gs:[{slot_rax}], rax",
        "lahf",
        "seto al",
        "mov gs:[{slot_flags}], rax",
        "mov gs:[{slot_scratch}], rdx",
        "mov rax, [rip + {changes}]",
        "mov gs:[{slot_changes}], rax",
        "imul rax, rcx, {hash}",
        "shr rax, 20",
        "mov rdx, [rip + {table}]",
        "and rax, [rip + {mask}]",
        "shl rax, 4",
        "add rax, rdx",
        "2:",
        "mov rdx, [rax]",
        "test rdx, rdx", // empty slots first: a guest that jumps to address 0 must miss
        "je 8f",
        "cmp rdx, rcx",
        "je 3f",
        "add rax, 16",
        "jmp 2b",
        "8:",
        "mov rdx, gs:[{slot_scratch}]",
        "jmp 4f",
        "3:",
        "mov r11, [rax + 8]",
        // The first level learns what the second knows, unless something was taken out meanwhile: that would come back.
        "movzx eax, cx",
        "mov rdx, [rip + {ibtc}]",
        "lea rdx, [rdx + rax*8]",
        "mov rax, r11",
        "xchg [rdx], rax", // locked: the counter is read after the entry is visible
        "mov rax, gs:[{slot_changes}]",
        "cmp rax, [rip + {changes}]",
        "je 7f",
        "lea rax, [rip + bt_enter_lookup]",
        "mov [rdx], rax",
        "mov rdx, gs:[{slot_scratch}]",
        "jmp 4f",
        "7:",
        "mov rdx, gs:[{slot_scratch}]",
        "inc qword ptr gs:[{lookup_hits}]",
        "bt_lookup_check:",
        "cmp qword ptr gs:[{requeued}], 0",
        "jne 4f",
        "mov rax, gs:[{slot_flags}]",
        "add al, 0x7f",
        "sahf",
        "mov rax, gs:[{slot_rax}]",
        "jmp r11",
        "bt_lookup_end:",
        "bt_lookup_miss:",
        "4:",
        "mov rax, gs:[{slot_flags}]",
        "add al, 0x7f",
        "sahf",
        "mov rax, gs:[{slot_rax}]",
        "mov gs:[{rip_}], rcx",
        "mov r11, gs:[{slot_r11}]",
        "mov gs:[{rax}], rax",
        "mov rax, gs:[{slot_rcx}]",
        "mov gs:[{rcx}], rax",
        "mov gs:[{r11}], r11",
        "mov gs:[{rsi}], rsi",
        "lea rax, [rip + {on_lookup_miss}]",
        "jmp bt_enter_rust",
    )
}
