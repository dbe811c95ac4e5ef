//! Which branch went to a non-canonical address?
//!
//! Most CPUs raise #GP on the branch itself, before it does anything; older ones of AMD on the target. Which kind this
//! is shows when the runtime's own last jump goes there for the guest: the caller asks only where the fault named that
//! jump. By then the guest's branch is done and its address is not known any more. It is found again: of all indirect
//! branches that were translated, the one whose operand has that value, the newest of several (code that crashes is
//! rarely old). For a call its return address decides; a `ret` is not found, its fault names the target.

use crate::engine::lock;
use crate::mem::guest;
use crate::thread::registers::{Gpr, Regs};
use bt_translator::decode::{Class, Insn, Prefixes, decode};

/// Rewrites `regs`, whose pc is non-canonical, to the state of the branch that led there, if it can be known.
pub fn find_branch(regs: &mut Regs, guest_gs_base: u64) {
    let found = lock().translated_code().find_map(|(tag, len)| look_at(tag, len, regs, guest_gs_base));
    if let Some((pc, sp)) = found {
        regs.rip = pc;
        regs[Gpr::Rsp] = sp;
    }
}

/// Pc and stack pointer of a branch in the code at `tag` that can have led to `regs.rip`.
fn look_at(tag: u64, len: u64, regs: &Regs, gs: u64) -> Option<(u64, u64)> {
    let sp = regs[Gpr::Rsp];
    let mut pc = tag;
    while pc < tag + len {
        let mut bytes = [0u8; 16];
        let got = guest::read_bytes(pc, &mut bytes);
        let bytes = bytes.get(..got)?;
        let insn = decode(bytes).ok()?;
        let next = pc + u64::from(insn.len);
        let before = match insn.class {
            Class::JmpInd => Some(sp),
            Class::CallInd if guest::read::<u64>(sp) == Some(next) => Some(sp.wrapping_add(8)),
            _ => None,
        };
        if let Some(before) = before {
            let mut then = *regs;
            then[Gpr::Rsp] = before;
            if operand(&insn, bytes, pc, &then, gs) == Some(regs.rip) {
                return Some((pc, before));
            }
        }
        pc = next;
    }
    None
}

/// Value of an indirect branch's operand.
fn operand(insn: &Insn, bytes: &[u8], pc: u64, regs: &Regs, gs: u64) -> Option<u64> {
    let r = |n: u8| Some(regs[Gpr::numbered(n)]);
    if !insn.has_memory_operand() {
        return r(insn.rm());
    }
    let mut at = if insn.is_rip_relative() {
        insn.rip_target(pc, bytes)
    } else {
        let base = insn.base().map_or(Some(0), r)?;
        let index = insn.index().map_or(Some(0), r)?;
        base.wrapping_add(index.wrapping_mul(u64::from(insn.scale()))).wrapping_add_signed(insn.disp(bytes))
    };
    if insn.prefixes.contains(Prefixes::SEG_GS) {
        at = at.wrapping_add(gs);
    }
    // An operand relative to fs is not worth a system call here.
    guest::read(at)
}
