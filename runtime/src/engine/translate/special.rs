//! Instructions that are carried out by the runtime: rare ones whose effect does not fit emitted code.

use super::dispatch::redirect;
use crate::mem::guest;
use crate::report;
use crate::thread::state::{ThreadState, reg};
use bt_translator::decode::decode;
use bt_translator::translation::ExitKind;

/// Selectors of 64-bit user code and data (arch/x86/include/asm/segment.h).
const USER_CS: u64 = 0x33;
const USER_DS: u64 = 0x2b;
/// Flags that user code can change with `iret` at privilege level 3 (Intel SDM vol. 2, IRET): the arithmetic
/// flags, TF, DF, NT, AC, ID.
const IRET_FLAGS: u64 = 0x0024_4dd5;

/// Carries out the instruction at the guest's pc.
pub fn run(ts: &mut ThreadState, kind: ExitKind) {
    let pc = ts.regs.rip;
    let mut bytes = [0u8; 16];
    let got = guest::read_bytes(pc, &mut bytes);
    let Some(insn) = bytes.get(..got).and_then(|b| decode(b).ok()) else {
        // The code changed under us: look again.
        redirect(ts, pc);
        return;
    };
    let next = pc + u64::from(insn.len);
    match kind {
        ExitKind::Iret if insn.rex_w() => {
            let rsp = ts.regs.gpr.get(reg::RSP).copied().unwrap_or(0);
            let frame: Option<[u64; 5]> = guest::read(rsp);
            if let Some([rip, cs, flags, sp, ss]) = frame
                && cs & 0xffff == USER_CS
                && ss & 0xffff == USER_DS
            {
                ts.regs.rflags = ts.regs.rflags & !IRET_FLAGS | flags & IRET_FLAGS;
                if let Some(slot) = ts.regs.gpr.get_mut(reg::RSP) {
                    *slot = sp;
                }
                redirect(ts, rip);
                return;
            }
            // Anything else faults, or leaves 64-bit mode: in place, where the CPU has the word.
            crate::signal::step::step_in_place(ts);
        }
        ExitKind::GsSelector => {
            // Only the null selectors make sense in 64-bit code, and all they do is clear the base.
            let value = ts.regs.gpr.get(usize::from(insn.rm())).copied().unwrap_or(0);
            if insn.map == 0 && insn.opcode == 0x8e && !insn.has_memory_operand() && value & 0xfffc == 0 {
                ts.guest_gs_base = 0;
                redirect(ts, next);
                return;
            }
            report::unsupported(ts, "loading the gs selector");
        }
        ExitKind::Int80 => crate::syscall::int80::run(ts, next),
        ExitKind::Iret | ExitKind::Far => report::unsupported(ts, "a far transfer or 32-bit return"),
        ExitKind::Unsupported => report::unsupported(ts, "this instruction (sysenter, or a string or gather access through gs)"),
        ExitKind::Direct | ExitKind::Step => redirect(ts, pc),
    }
}
