//! gs belongs to the runtime: a guest's gs-relative operands and its gs base instructions are rewritten.

use crate::decode::{Encoding, Insn, Prefixes};
use crate::emit::{Code, gpr};
use crate::rewrite::rebase;
use crate::rewrite::site::{Next, Site};
use crate::translation::{ExitKind, Recover};

/// True when the instruction accesses memory relative to gs.
#[must_use]
pub(crate) fn applies(insn: &Insn) -> bool {
    insn.prefixes.contains(Prefixes::SEG_GS)
        && (insn.has_memory_operand() && !is_lea(insn) || is_moffs(insn) || is_string(insn))
}

fn is_lea(insn: &Insn) -> bool {
    insn.encoding == Encoding::Legacy && insn.map == 0 && insn.opcode == 0x8d
}

fn is_moffs(insn: &Insn) -> bool {
    insn.encoding == Encoding::Legacy && insn.map == 0 && matches!(insn.opcode, 0xa0..=0xa3)
}

/// Instructions whose source is `ds:[rsi]` or `ds:[rbx+al]` by nature, which a gs prefix redirects.
fn is_string(insn: &Insn) -> bool {
    insn.encoding == Encoding::Legacy
        && insn.map == 0
        && matches!(insn.opcode, 0xa4..=0xa7 | 0xac | 0xad | 0x6e | 0x6f | 0xd7)
}

/// `movdir64b` and relatives with a 32-bit address: the prefix holds for the destination in their register as well.
fn has_narrow_destination(insn: &Insn) -> bool {
    insn.encoding == Encoding::Legacy
        && insn.map == 2
        && insn.opcode == 0xf8
        && insn.prefixes.contains(Prefixes::ADDRSIZE)
}

/// `lea reg, [operand]`, the operand as in `insn` but without its segment.
fn load_effective_address(code: &mut Code, insn: &Insn, bytes: &[u8], pc: u64, reg: u8) {
    if insn.is_rip_relative() {
        code.mov_imm(reg, insn.rip_target(pc, bytes));
    } else {
        code.lea_operand(reg, insn, bytes);
    }
}

/// `lea a, [a + b]`
fn add(code: &mut Code, a: u8, b: u8) {
    code.lea_base_index_disp8(a, a, b, 0);
}

/// Emits an instruction with a gs-relative operand.
pub(crate) fn emit(site: &mut Site<'_>) -> Next {
    let insn = site.insn;
    let scaled = insn.encoding == Encoding::Evex && insn.disp_len == 1;
    if is_string(insn) && !insn.prefixes.contains(Prefixes::ADDRSIZE) {
        return string(site);
    }
    if (insn.is_vsib() || scaled) && !insn.prefixes.contains(Prefixes::ADDRSIZE) {
        return with_base(site);
    }
    if is_string(insn) || insn.is_vsib() || scaled || has_narrow_destination(insn) {
        return site.leave_to_runtime(ExitKind::Unsupported);
    }
    let address = rebase::free_base(insn, None);
    let base = [gpr::R12, gpr::R13, gpr::R8, gpr::R9, gpr::R10, gpr::R14, gpr::R15]
        .into_iter()
        .find(|&r| {
            r != address
                && insn.reg() & 15 != r
                && insn.vvvv & 15 != r
                && insn.base() != Some(r)
                && insn.index() != Some(r)
        })
        .unwrap_or(gpr::R12);
    let (slot_a, slot_b, gs_base) = (site.layout.slot_scratch, site.layout.slot_r11, site.layout.guest_gs_base);
    let next = site.next();
    site.mark(Recover::At);
    site.out.hot.mov_store_gs(slot_a, address);
    site.out.hot.mov_store_gs(slot_b, base);
    site.mark(Recover::TwoScratch(address, base));
    let hot = &mut site.out.hot;
    if is_moffs(insn) {
        let moffs = insn.disp(site.bytes).cast_unsigned();
        hot.mov_imm(address, if insn.disp_len == 4 { moffs & 0xffff_ffff } else { moffs });
    } else {
        load_effective_address(hot, insn, site.bytes, site.pc.0, address);
    }
    hot.mov_load_gs(base, gs_base);
    add(hot, address, base);
    if is_moffs(insn) {
        hot.mov_accumulator_base(insn, address);
    } else {
        rebase::emit(hot, insn, site.bytes, address);
    }
    site.mark_at(next, Recover::TwoScratch(address, base));
    site.out.hot.mov_load_gs(base, slot_b);
    site.mark_at(next, Recover::Scratch(address));
    site.out.hot.mov_load_gs(address, slot_a);
    Next::Continue
}

/// A string instruction: its source register is moved by the gs base for as long as it runs, which may be interrupted
/// between elements.
fn string(site: &mut Site<'_>) -> Next {
    // `xlat` reads at rbx.
    let source = if site.insn.opcode == 0xd7 { gpr::RBX } else { gpr::RSI };
    let (slot, gs_base) = (site.layout.slot_r11, site.layout.guest_gs_base);
    let next = site.next();
    site.mark(Recover::At);
    site.out.hot.mov_store_gs(slot, gpr::R11);
    site.mark(Recover::R11);
    site.out.hot.mov_load_gs(gpr::R11, gs_base);
    add(&mut site.out.hot, source, gpr::R11);
    site.mark(Recover::Shifted(source));
    for (at, &byte) in site.bytes.iter().enumerate() {
        // A REX that is not right before the opcode is ignored by the CPU, but would not be if it moved.
        let is_ignored_rex =
            at < usize::from(site.insn.opcode_off) && byte & 0xf0 == 0x40 && at != usize::from(site.insn.rex_off);
        if byte != 0x65 && !is_ignored_rex {
            site.out.hot.reencode(&[byte]);
        }
    }
    site.mark_at(next, Recover::Shifted(source));
    // r11 = −base: not, then lea with one more.
    site.out.hot.not(gpr::R11);
    site.out.hot.lea_base_index_disp8(source, source, gpr::R11, 1);
    site.mark_at(next, Recover::R11);
    site.out.hot.mov_load_gs(gpr::R11, slot);
    Next::Continue
}

/// An operand with a vector index or a compressed displacement: only its base is replaced, by base + gs base.
fn with_base(site: &mut Site<'_>) -> Next {
    let insn = site.insn;
    let base = rebase::free_base(insn, None);
    let (slot, gs_base) = (site.layout.slot_scratch, site.layout.guest_gs_base);
    let next = site.next();
    site.mark(Recover::At);
    site.out.hot.mov_store_gs(slot, base);
    site.mark(Recover::Scratch(base));
    site.out.hot.mov_load_gs(base, gs_base);
    match insn.base() {
        // rsp cannot be an index.
        Some(gpr::RSP) => site.out.hot.lea_base_index_disp8(base, gpr::RSP, base, 0),
        Some(old) => add(&mut site.out.hot, base, old),
        None => {}
    }
    rebase::emit_with_base(&mut site.out.hot, insn, site.bytes, base);
    site.mark_at(next, Recover::Scratch(base));
    site.out.hot.mov_load_gs(base, slot);
    Next::Continue
}

/// `mov rcx, gs:[operand]` for an indirect branch that has spilled rcx and r11.
pub(crate) fn load_target(site: &mut Site<'_>) {
    let gs_base = site.layout.guest_gs_base;
    site.mark(Recover::RcxR11);
    load_effective_address(&mut site.out.hot, site.insn, site.bytes, site.pc.0, gpr::RCX);
    site.out.hot.mov_load_gs(gpr::R11, gs_base);
    site.out.hot.mov_load_base_index(gpr::RCX, gpr::RCX, gpr::R11);
    // What follows expects r11 to be the guest's.
    let slot = site.layout.slot_r11;
    site.out.hot.mov_load_gs(gpr::R11, slot);
    site.mark(Recover::Rcx);
}

/// `rdgsbase`, `wrgsbase` (0F AE /1, /3): the guest's base is a value in the thread state.
pub(crate) fn gs_base(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    let (reg, slot, wide) = (site.insn.rm(), site.layout.guest_gs_base, site.insn.rex_w());
    let hot = &mut site.out.hot;
    if site.insn.modrm_group() == 1 {
        hot.mov_load_gs(reg, slot);
        if !wide {
            // Clears the upper half.
            hot.mov32_long(reg, reg);
        }
    } else if wide {
        hot.mov_store_gs(slot, reg);
    } else {
        hot.mov32_store_gs_long(slot, reg);
        hot.mov32_store_gs_imm(slot + 4, 0);
    }
    Next::Continue
}
