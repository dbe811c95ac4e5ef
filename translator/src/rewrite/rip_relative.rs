//! RIP-relative operands.
//!
//! The cache lies within ±2 GiB of the code it was made from, so nearly always only the displacement changes. An
//! operand out of reach (or with a 32-bit address) is addressed through a spilled register.

use crate::decode::{Encoding, Prefixes};
use crate::rewrite::rebase;
use crate::rewrite::site::{Next, Site};
use crate::translation::Recover;

/// Emits an instruction with a RIP-relative operand.
pub(crate) fn emit(site: &mut Site<'_>) -> Next {
    let insn = site.insn;
    let address = insn.rip_target(site.pc.0, site.bytes);
    if !insn.prefixes.contains(Prefixes::ADDRSIZE) {
        let end = site.out.hot.here().0.wrapping_add(u64::from(insn.len));
        if let Ok(disp) = i32::try_from(address.wrapping_sub(end).cast_signed()) {
            site.mark(Recover::Copied);
            let at = site.out.hot.offset() + u32::from(insn.disp_off);
            site.out.hot.copy(site.bytes);
            site.out.hot.patch32(at, disp);
            return Next::Continue;
        }
    }
    if insn.encoding == Encoding::Legacy && insn.map == 0 && insn.opcode == 0x8d {
        site.mark(Recover::At);
        lea(site, address);
        return Next::Continue;
    }
    let base = rebase::free_base(insn, None);
    site.mark(Recover::At);
    site.out.hot.mov_store_gs(site.layout.slot_scratch, base);
    site.mark(Recover::Scratch(base));
    site.out.hot.mov_imm(base, address);
    rebase::emit(&mut site.out.hot, insn, site.bytes, base);
    let next = site.next();
    site.mark_at(next, Recover::Scratch(base));
    site.out.hot.mov_load_gs(base, site.layout.slot_scratch);
    Next::Continue
}

/// `lea` only computes: a move of the address, truncated to the operand size.
fn lea(site: &mut Site<'_>, address: u64) {
    let insn = site.insn;
    let hot = &mut site.out.hot;
    if insn.rex_w() {
        hot.mov_imm(insn.reg(), address);
    } else if insn.prefixes.contains(Prefixes::OPSIZE) {
        let [low, high, ..] = address.to_le_bytes();
        hot.mov16_imm(insn.reg(), u16::from_le_bytes([low, high]));
    } else {
        hot.mov_imm(insn.reg(), address & 0xffff_ffff);
    }
}
