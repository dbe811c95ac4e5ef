//! Instructions that are carried out by the runtime: rare ones whose effect does not fit emitted code.

use super::leave::Exit;
use crate::engine::redirect;
use crate::mem::guest;
use crate::thread::registers::Gpr;
use crate::thread::state::ThreadState;
use bt_translator::decode::{Insn, Prefixes, decode};
use bt_translator::translation::ExitKind;

/// Selectors of 64-bit user code and data (arch/x86/include/asm/segment.h).
const USER_CS: u64 = 0x33;
const USER_DS: u64 = 0x2b;
/// Flags that user code can change with `iret` at privilege level 3 (Intel SDM vol. 2, IRET): the arithmetic
/// flags, TF, DF, NT, AC, ID.
const IRET_FLAGS: u64 = 0x0024_4dd5;

/// Carries out the instruction at the guest's pc.
pub fn run(ts: &mut ThreadState, kind: ExitKind) -> Exit {
    let pc = ts.regs.rip;
    let mut bytes = [0u8; 16];
    let got = guest::read_bytes(pc, &mut bytes);
    let Some(insn) = bytes.get(..got).and_then(|b| decode(b).ok()) else {
        // The code changed under us: look again.
        redirect(ts, pc);
        return Exit::Resumed;
    };
    let next = pc + u64::from(insn.len);
    match kind {
        ExitKind::Iret if insn.rex_w() => {
            let rsp = ts.regs[Gpr::Rsp];
            let frame: Option<[u64; 5]> = guest::read(rsp);
            if let Some([rip, cs, flags, sp, ss]) = frame
                && cs & 0xffff == USER_CS
                && ss & 0xffff == USER_DS
            {
                ts.regs.rflags = ts.regs.rflags & !IRET_FLAGS | flags & IRET_FLAGS;
                ts.regs[Gpr::Rsp] = sp;
                redirect(ts, rip);
                return Exit::Resumed;
            }
            // Anything else faults, or leaves 64-bit mode: in place, where the CPU decides.
            Exit::Step
        }
        ExitKind::GsSelector => {
            // Only the null selectors make sense in 64-bit code, and all they do is clear the base.
            let value = ts.regs[Gpr::numbered(insn.rm())];
            if insn.map == 0 && insn.opcode == 0x8e && !insn.has_memory_operand() && value & 0xfffc == 0 {
                ts.guest_gs_base = 0;
                redirect(ts, next);
                return Exit::Resumed;
            }
            Exit::Unsupported("loading the gs selector")
        }
        ExitKind::Far if far(ts, &insn, &bytes, pc, next).is_some() => Exit::Resumed,
        ExitKind::Int80 => Exit::Int80 { next },
        ExitKind::Iret | ExitKind::Far => Exit::Unsupported("a far transfer or 32-bit return"),
        ExitKind::Unsupported => {
            Exit::Unsupported("this instruction (sysenter, or a string or gather access through gs)")
        }
        ExitKind::Direct | ExitKind::Step => {
            redirect(ts, pc);
            Exit::Resumed
        }
    }
}

/// A far return, jump or call that stays in 64-bit code; `None` if it does not, or its operand cannot be read.
fn far(ts: &mut ThreadState, insn: &Insn, bytes: &[u8; 16], pc: u64, next: u64) -> Option<()> {
    let rsp = ts.regs[Gpr::Rsp];
    let wide = insn.rex_w();
    let word = |at: u64| if wide { guest::read::<u64>(at) } else { guest::read::<u32>(at).map(u64::from) };
    let size = if wide { 8 } else { 4 };
    if insn.prefixes.contains(Prefixes::OPSIZE) {
        return None;
    }
    if matches!(insn.opcode, 0xca | 0xcb) {
        let (to, cs) = (word(rsp)?, word(rsp + size)?);
        let release = if insn.opcode == 0xca { insn.imm(bytes).cast_unsigned() & 0xffff } else { 0 };
        if cs & 0xffff != USER_CS {
            return None;
        }
        ts.regs[Gpr::Rsp] = rsp + 2 * size + release;
        redirect(ts, to);
        return Some(());
    }
    if !insn.has_memory_operand() {
        return None;
    }
    let r = |n: u8| Some(ts.regs[Gpr::numbered(n)]);
    let mut at = if insn.is_rip_relative() {
        insn.rip_target(pc, bytes)
    } else {
        let index = insn.index().map_or(Some(0), r)?;
        insn.base()
            .map_or(Some(0), r)?
            .wrapping_add(index.wrapping_mul(u64::from(insn.scale())))
            .wrapping_add_signed(insn.disp(bytes))
    };
    if insn.prefixes.contains(Prefixes::SEG_GS) {
        at = at.wrapping_add(ts.guest_gs_base);
    } else if insn.prefixes.intersects(Prefixes::SEG_FS.union(Prefixes::ADDRSIZE)) {
        return None;
    }
    let (to, [low, high]) = (word(at)?, guest::read::<[u8; 2]>(at + size)?);
    if u64::from(u16::from_le_bytes([low, high])) != USER_CS {
        return None;
    }
    if insn.modrm_group() == 3 {
        // A call pushes cs and the return address, each as wide as the operand.
        let frame = rsp - 2 * size;
        if wide {
            guest::write(frame, &[next, USER_CS])?;
        } else {
            guest::write(frame, &[u32::try_from(next & 0xffff_ffff).ok()?, 0x33])?;
        }
        ts.regs[Gpr::Rsp] = frame;
    }
    redirect(ts, to);
    Some(())
}
