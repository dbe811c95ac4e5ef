//! Branches whose target is known when they are executed.
//!
//! The site puts the target in rcx and jumps through a table indexed by the target's low 16 bits; the prologue of the
//! fragment it arrives at compares the target with its own tag, without touching the flags, and restores the two
//! registers. Each site has its own indirect jump, which is what lets the CPU predict by history (after VMware's
//! scheme for returns, Adams & Agesen, ASPLOS 2006, section 3).

use crate::addr::GuestPc;
use crate::decode::{Class, Prefixes};
use crate::emit::{Branch, Label, gpr};
use crate::layout::Layout;
use crate::rewrite::site::{Next, Site};
use crate::rewrite::{branch, copy, rip_relative, segment};
use crate::translation::{Recover, Translation};

fn spill(site: &mut Site<'_>) {
    site.mark(Recover::At);
    let layout = site.layout;
    site.out.hot.mov_store_gs(layout.slot_rcx, gpr::RCX);
    site.out.hot.mov_store_gs(layout.slot_r11, gpr::R11);
}

/// `movzx r11d, cx; jmp [table + r11*8]`
fn go(site: &mut Site<'_>) {
    site.mark(Recover::TargetInRcx);
    let table = site.layout.ibtc;
    let hot = &mut site.out.hot;
    hot.movzx_word(gpr::R11, gpr::RCX);
    hot.jmp_index8(gpr::R11, table);
}

/// `ret` and `ret imm16`
pub(crate) fn ret(site: &mut Site<'_>) -> Next {
    spill(site);
    site.out.hot.pop(gpr::RCX);
    if site.insn.imm_len == 2 {
        site.mark(Recover::TargetInRcx);
        let pop = i32::try_from(site.insn.imm(site.bytes) & 0xffff).unwrap_or(0);
        site.out.hot.lea_base_disp32(gpr::RSP, gpr::RSP, pop);
    }
    go(site);
    Next::End
}

/// `mov rcx, r/m64` with the branch's operand; `None` if the operand cannot be had this way.
fn load_target(site: &mut Site<'_>) -> Option<()> {
    let insn = site.insn;
    if segment::applies(insn) {
        return None;
    }
    if !insn.has_memory_operand() && insn.rm() == gpr::RCX {
        return Some(());
    }
    if site.out.hot.mov_load_operand(gpr::RCX, insn, site.bytes, site.pc.0).is_none() {
        // Out of reach: through rcx itself, whose value is in its slot.
        site.mark(Recover::Rcx);
        site.out.hot.mov_imm(gpr::RCX, insn.rip_target(site.pc.0, site.bytes));
        site.mark(Recover::Rcx);
        if insn.prefixes.contains(Prefixes::SEG_FS) {
            site.out.hot.mov_load_fs_base(gpr::RCX, gpr::RCX);
        } else {
            site.out.hot.mov_load_base(gpr::RCX, gpr::RCX);
        }
    }
    Some(())
}

fn indirect_target(site: &mut Site<'_>) {
    spill(site);
    if load_target(site).is_none() {
        segment::load_target(site);
    }
}

/// `jmp r/m64`
pub(crate) fn jump(site: &mut Site<'_>) -> Next {
    indirect_target(site);
    go(site);
    Next::End
}

/// `call r/m64`: the target is read before the return address is pushed.
pub(crate) fn call(site: &mut Site<'_>) -> Next {
    indirect_target(site);
    site.mark(Recover::Rcx);
    branch::push_return(site);
    go(site);
    Next::ReturnPoint
}

/// Where the rest of the guest's code runs in place: returns and jumps are themselves. A call is refused: its return
/// address would be that of the copy.
pub(crate) fn in_place(site: &mut Site<'_>) -> Next {
    if site.insn.class == Class::CallInd || segment::applies(site.insn) {
        site.out.refused = true;
    } else if site.insn.is_rip_relative() {
        let before = site.out.hot.offset();
        rip_relative::emit(site);
        // Out of reach it would be several instructions, the last of them after the jump.
        site.out.refused |= site.out.hot.offset() - before != u32::from(site.insn.len);
    } else {
        copy::emit(site);
    }
    Next::End
}

/// The prologue of an entry that indirect branches use: rcx − tag must be zero.
pub(crate) fn prologue(layout: &Layout, out: &mut Translation, tag: GuestPc, pc: GuestPc) {
    // Miss, in the cold code: make the target again and ask the look-up routine.
    out.mark_cold(tag, pc, Recover::DifferenceInRcx);
    let miss = out.cold.here().0;
    out.cold.not(gpr::R11);
    out.cold.lea_base_index_disp8(gpr::RCX, gpr::RCX, gpr::R11, 1);
    out.mark_cold(tag, pc, Recover::TargetInRcx);
    out.cold.jmp_gs(layout.enter_lookup);
    out.mark_cold(tag, pc, Recover::At);

    out.mark(tag, pc, Recover::TargetInRcx);
    let mut hit = Label::new();
    out.hot.mov_imm(gpr::R11, pc.0.wrapping_neg());
    out.hot.lea_base_index(gpr::RCX, gpr::RCX, gpr::R11);
    out.mark(tag, pc, Recover::DifferenceInRcx);
    out.hot.jrcxz(&mut hit);
    let _ = out.hot.branch(Branch::JMP, miss);
    out.hot.bind(&mut hit);
    out.hot.mov_load_gs(gpr::RCX, layout.slot_rcx);
    out.mark(tag, pc, Recover::R11);
    out.hot.mov_load_gs(gpr::R11, layout.slot_r11);
}
