//! Between the kernel's register layout and ours.

use crate::sys::types::McContext;
use crate::thread::registers::Regs;

/// The registers of a kernel context.
#[must_use]
pub fn regs_of(mc: &McContext) -> Regs {
    let [r8, r9, r10, r11, r12, r13, r14, r15] = mc.r8_15;
    Regs {
        gpr: [mc.rax, mc.rcx, mc.rdx, mc.rbx, mc.rsp, mc.rbp, mc.rsi, mc.rdi, r8, r9, r10, r11, r12, r13, r14, r15],
        rip: mc.rip,
        rflags: mc.rflags,
    }
}

/// Puts registers into a kernel context.
pub fn set_regs(mc: &mut McContext, regs: &Regs) {
    let [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15] = regs.gpr;
    mc.r8_15 = [r8, r9, r10, r11, r12, r13, r14, r15];
    (mc.rax, mc.rcx, mc.rdx, mc.rbx) = (rax, rcx, rdx, rbx);
    (mc.rsp, mc.rbp, mc.rsi, mc.rdi) = (rsp, rbp, rsi, rdi);
    mc.rip = regs.rip;
    mc.rflags = regs.rflags;
}

/// Flags in the form `lahf; seto al` leaves in rax, as RFLAGS bits over `live`.
#[must_use]
pub fn unpack_flags(packed: u64, live: u64) -> u64 {
    const ARITHMETIC: u64 = 0x8d5;
    live & !ARITHMETIC | packed >> 8 & 0xd5 | (packed & 1) << 11
}
