//! The copy between a lane and the guest's buffer.

use super::copy_labels;

/// Longest transfer that a lane answers, in bytes: the kernel copies longer ones as fast.
pub(super) const LONGEST: u32 = 64 * 1024;
/// From here on `rep movsb` is faster than a loop of 16-byte moves, in bytes.
const REP_FROM: u32 = 2048;

/// Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts of the gate.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [xmm]
        {rep_from = const REP_FROM};
        copy_labels!(),
        // ---- rdx bytes from rsi to rdi; rax, rcx, rsi, rdi, r11 are lost
        ".p2align 5",
        "bt_lane_copy:",
        "cmp rdx, 16",
        "jb 4f",
        "cmp rdx, {rep_from}",
        "jae 3f",
        "movaps gs:[{xmm}], xmm0",
        "movaps gs:[{xmm} + 16], xmm1",
        "xor eax, eax",
        "bt_lane_vectors:",
        "movups xmm1, [rsi + rdx - 16]",
        "mov r11d, 32",
        "cmp r11, rdx",
        "ja 2f",
        "1:",
        "movups xmm0, [rsi + rax]",
        "movups [rdi + rax], xmm0",
        "movups xmm0, [rsi + rax + 16]",
        "movups [rdi + rax + 16], xmm0",
        "mov rax, r11",
        "add r11, 32",
        "cmp r11, rdx",
        "jbe 1b",
        "2:",
        "lea r11, [rax + 16]",
        "cmp r11, rdx",
        "ja 2f",
        "movups xmm0, [rsi + rax]",
        "movups [rdi + rax], xmm0",
        "2:",
        "movups [rdi + rdx - 16], xmm1",
        "bt_lane_vectors_end:",
        "movaps xmm0, gs:[{xmm}]",
        "movaps xmm1, gs:[{xmm} + 16]",
        "ret",
        "3:",
        "jmp bt_lane_rep",
        "4:",
        "cmp edx, 8",
        "jb 5f",
        "mov rax, [rsi]",
        "mov rcx, [rsi + rdx - 8]",
        "mov [rdi], rax",
        "mov [rdi + rdx - 8], rcx",
        "ret",
        "5:",
        "cmp edx, 4",
        "jb 6f",
        "mov eax, [rsi]",
        "mov ecx, [rsi + rdx - 4]",
        "mov [rdi], eax",
        "mov [rdi + rdx - 4], ecx",
        "ret",
        "6:",
        "test edx, edx",
        "je 7f",
        "movzx eax, byte ptr [rsi]",
        "mov [rdi], al",
        "cmp edx, 1",
        "je 7f",
        "movzx eax, word ptr [rsi + rdx - 2]",
        "mov [rdi + rdx - 2], ax",
        "7:",
        "ret",
        // DF is clear: `enter!` saw to it.
        "bt_lane_rep:",
        "mov rcx, rdx",
        "rep movsb",
        "ret",
        "bt_lane_vectors_lost:",
        "movaps xmm0, gs:[{xmm}]",
        "movaps xmm1, gs:[{xmm} + 16]",
        "jmp bt_lane_slow",
        "bt_lane_copy_end:",
    )
}
