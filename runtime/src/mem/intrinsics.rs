//! memcpy and its relatives, which compiled code expects to find.
//!
//! None of them uses a string instruction: the guest's direction flag may be set while the runtime runs, and
//! changing it would cost more than it gains (ARCHITECTURE.md, "What the gate does not touch").

use core::arch::naked_asm;

/// memcpy(3).
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memcpy(dst: *mut u8, src: *const u8, len: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        "cmp rdx, 16",
        "jb 3f",
        "movups xmm1, [rsi + rdx - 16]", // the last 16 bytes, stored last
        "lea r8, [rdi + rdx - 16]",
        "2:",
        "movups xmm0, [rsi]",
        "movups [rdi], xmm0",
        "add rsi, 16",
        "add rdi, 16",
        "cmp rdi, r8",
        "jb 2b",
        "movups [r8], xmm1",
        "ret",
        "3:",
        "cmp rdx, 8",
        "jb 4f",
        "mov rcx, [rsi]",
        "mov r8, [rsi + rdx - 8]",
        "mov [rdi], rcx",
        "mov [rdi + rdx - 8], r8",
        "ret",
        "4:",
        "test rdx, rdx",
        "je 6f",
        "5:",
        "mov cl, [rsi + rdx - 1]",
        "mov [rdi + rdx - 1], cl",
        "dec rdx",
        "jne 5b",
        "6:",
        "ret",
    )
}

/// memmove(3).
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memmove(dst: *mut u8, src: *const u8, len: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        "mov rcx, rdi",
        "sub rcx, rsi",
        "cmp rcx, rdx",
        "jb 4f", // dst inside [src, src + len): copy downwards
        "2:",
        "cmp rdx, 8",
        "jb 3f",
        "mov rcx, [rsi]",
        "mov [rdi], rcx",
        "add rsi, 8",
        "add rdi, 8",
        "sub rdx, 8",
        "jmp 2b",
        "3:",
        "test rdx, rdx",
        "je 6f",
        "mov cl, [rsi]",
        "mov [rdi], cl",
        "inc rsi",
        "inc rdi",
        "dec rdx",
        "jmp 3b",
        "4:",
        "cmp rdx, 8",
        "jb 5f",
        "sub rdx, 8",
        "mov rcx, [rsi + rdx]",
        "mov [rdi + rdx], rcx",
        "jmp 4b",
        "5:",
        "test rdx, rdx",
        "je 6f",
        "dec rdx",
        "mov cl, [rsi + rdx]",
        "mov [rdi + rdx], cl",
        "jmp 5b",
        "6:",
        "ret",
    )
}

/// memset(3).
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memset(dst: *mut u8, byte: i32, len: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        "movzx ecx, sil",
        "mov r8, 0x0101010101010101",
        "imul rcx, r8",
        "2:",
        "cmp rdx, 8",
        "jb 3f",
        "mov [rdi], rcx",
        "add rdi, 8",
        "sub rdx, 8",
        "jmp 2b",
        "3:",
        "test rdx, rdx",
        "je 4f",
        "mov [rdi], cl",
        "inc rdi",
        "dec rdx",
        "jmp 3b",
        "4:",
        "ret",
    )
}

/// memcmp(3).
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    naked_asm!(
        "xor ecx, ecx",
        "2:",
        "lea r8, [rcx + 8]",
        "cmp r8, rdx",
        "ja 3f",
        "mov r9, [rdi + rcx]",
        "cmp r9, [rsi + rcx]",
        "jne 3f",
        "mov rcx, r8",
        "jmp 2b",
        "3:",
        "cmp rcx, rdx",
        "jae 4f",
        "movzx eax, byte ptr [rdi + rcx]",
        "movzx r8d, byte ptr [rsi + rcx]",
        "inc rcx",
        "sub eax, r8d",
        "je 3b",
        "ret",
        "4:",
        "xor eax, eax",
        "ret",
    )
}

/// bcmp(3).
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    naked_asm!("jmp {}", sym memcmp)
}

/// strlen(3).
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn strlen(s: *const u8) -> usize {
    naked_asm!("xor eax, eax", "2:", "cmp byte ptr [rdi + rax], 0", "je 3f", "inc rax", "jmp 2b", "3:", "ret")
}
