//! Branches whose target is known when they are executed.
//!
//! The site puts the target in rcx and jumps through a table indexed by the target's low 16 bits; the prologue of the
//! fragment it arrives at compares the target with its own tag, without touching the flags, and restores the two
//! registers. Each site has its own indirect jump, which is what lets the CPU predict by history (after VMware's
//! scheme for returns, Adams & Agesen, ASPLOS 2006, section 3).

use crate::addr::GuestPc;
use crate::block::{Next, Site};
use crate::decode::{Class, Prefixes};
use crate::emit::gpr;
use crate::layout::Layout;
use crate::rewrite::{branch, copy, rip_relative, segment};
use crate::translation::{Recover, Translation};

fn spill(site: &mut Site<'_>) {
    site.mark(Recover::At);
    let layout = site.layout;
    site.out.hot.store_slot(layout.slot_rcx, gpr::RCX);
    site.out.hot.store_slot(layout.slot_r11, gpr::R11);
}

/// `movzx r11d, cx; jmp [table + r11*8]`
fn go(site: &mut Site<'_>) {
    site.mark(Recover::TargetInRcx);
    let table = site.layout.ibtc;
    let hot = &mut site.out.hot;
    hot.put(&[0x44, 0x0f, 0xb7, 0xd9]);
    hot.put(&[0x42, 0xff, 0x24, 0xdd]);
    hot.put(&table.to_le_bytes());
}

/// `ret` and `ret imm16`
pub fn ret(site: &mut Site<'_>) -> Next {
    spill(site);
    site.out.hot.put(&[0x59]); // pop rcx
    if site.insn.imm_len == 2 {
        site.mark(Recover::TargetInRcx);
        let pop = i32::try_from(site.insn.imm(site.bytes) & 0xffff).unwrap_or(0);
        site.out.hot.put(&[0x48, 0x8d, 0xa4, 0x24]); // lea rsp, [rsp + imm32]
        site.out.hot.put32(pop);
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
    // Prefixes that mean something to the operand: fs and the address size. The last prefix byte before the
    // opcode is REX, rebuilt with W = 1, R = 0.
    if insn.prefixes.contains(Prefixes::SEG_FS) {
        site.out.hot.put(&[0x64]);
    }
    if insn.prefixes.contains(Prefixes::ADDRSIZE) {
        site.out.hot.put(&[0x67]);
    }
    site.out.hot.put(&[0x48 | insn.rex & 3, 0x8b]);
    let modrm = insn.modrm & 0xc7 | gpr::RCX << 3;
    site.out.hot.put(&[modrm]);
    if insn.is_rip_relative() {
        let address = site.next().0.wrapping_add(insn.disp(site.bytes).cast_unsigned());
        if site.out.hot.put_rel32(address, 0).is_none() || insn.prefixes.contains(Prefixes::ADDRSIZE) {
            // Out of reach: through rcx itself, whose value is in its slot.
            let undo = 6
                + usize::from(insn.prefixes.contains(Prefixes::SEG_FS))
                + usize::from(insn.prefixes.contains(Prefixes::ADDRSIZE))
                + 1;
            site.out.hot.drop_last(undo);
            let address = if insn.prefixes.contains(Prefixes::ADDRSIZE) { address & 0xffff_ffff } else { address };
            site.mark(Recover::Rcx);
            site.out.hot.load_imm(gpr::RCX, address);
            site.mark(Recover::Rcx);
            if insn.prefixes.contains(Prefixes::SEG_FS) {
                site.out.hot.put(&[0x64]);
            }
            site.out.hot.put(&[0x48, 0x8b, 0x09]);
        }
        return Some(());
    }
    let rest = site.bytes.get(usize::from(insn.modrm_off) + 1..).unwrap_or(&[]);
    site.out.hot.put(rest);
    Some(())
}

fn indirect_target(site: &mut Site<'_>) {
    spill(site);
    if load_target(site).is_none() {
        segment::load_target(site);
    }
}

/// `jmp r/m64`
pub fn jump(site: &mut Site<'_>) -> Next {
    indirect_target(site);
    go(site);
    Next::End
}

/// `call r/m64`: the target is read before the return address is pushed.
pub fn call(site: &mut Site<'_>) -> Next {
    indirect_target(site);
    site.mark(Recover::Rcx);
    branch::push_return(site);
    go(site);
    Next::ReturnPoint
}

/// Where the rest of the guest's code runs in place: returns and jumps are themselves. A call is refused: its return address
/// would be that of the copy.
pub fn in_place(site: &mut Site<'_>) -> Next {
    if site.insn.class == Class::CallInd || segment::applies(site.insn) {
        site.out.refused = true;
    } else if site.insn.is_rip_relative() {
        let before = site.out.hot.offset();
        rip_relative::emit(site);
        // Out of reach it would be several instructions, the last of them behind the jump.
        site.out.refused |= site.out.hot.offset() - before != u32::from(site.insn.len);
    } else {
        copy::emit(site);
    }
    Next::End
}

/// The prologue of an entry that indirect branches use: rcx − tag must be zero.
pub fn prologue(layout: &Layout, out: &mut Translation, tag: GuestPc, pc: GuestPc) {
    // Miss, in the cold code: make the target again and ask the look-up routine.
    out.mark_cold(tag, pc, Recover::DifferenceInRcx);
    let miss = out.cold.here().0;
    out.cold.put(&[0x49, 0xf7, 0xd3]); // not r11
    out.cold.put(&[0x4a, 0x8d, 0x4c, 0x19, 0x01]); // lea rcx, [rcx + r11 + 1]
    out.mark_cold(tag, pc, Recover::TargetInRcx);
    out.cold.jump_slot(layout.enter_lookup);
    out.mark_cold(tag, pc, Recover::At);

    out.mark(tag, pc, Recover::TargetInRcx);
    out.hot.load_imm(gpr::R11, pc.0.wrapping_neg());
    out.hot.put(&[0x4a, 0x8d, 0x0c, 0x19]); // lea rcx, [rcx + r11]
    out.mark(tag, pc, Recover::DifferenceInRcx);
    out.hot.put(&[0xe3, 5]); // jrcxz over the jump
    out.hot.put(&[0xe9]);
    let _ = out.hot.put_rel32(miss, 0);
    out.hot.load_slot(gpr::RCX, layout.slot_rcx);
    out.mark(tag, pc, Recover::R11);
    out.hot.load_slot(gpr::R11, layout.slot_r11);
}
