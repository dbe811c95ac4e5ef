//! gs belongs to the runtime: a guest's gs-relative operands and its gs base instructions are rewritten.

use crate::block::{Next, Site};
use crate::decode::{Encoding, Insn, Prefixes};
use crate::emit::{Code, gpr};
use crate::rewrite::rebase;
use crate::translation::{ExitKind, Recover};

/// True when the instruction accesses memory relative to gs.
#[must_use]
pub fn applies(insn: &Insn) -> bool {
    insn.prefixes.contains(Prefixes::SEG_GS)
        && (insn.has_memory_operand() && !is_lea(insn) || is_moffs(insn) || is_string(insn))
}

fn is_lea(insn: &Insn) -> bool {
    insn.encoding == Encoding::Legacy && insn.map == 0 && insn.opcode == 0x8d
}

fn is_moffs(insn: &Insn) -> bool {
    insn.encoding == Encoding::Legacy && insn.map == 0 && matches!(insn.opcode, 0xa0..=0xa3)
}

/// Instructions whose source is ds:[rsi] or ds:[rbx+al] by nature, which a gs prefix redirects.
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
fn load_effective_address(site_code: &mut Code, insn: &Insn, bytes: &[u8], pc: u64, reg: u8) {
    if insn.is_rip_relative() {
        site_code.load_imm(reg, insn.rip_target(pc, bytes));
        return;
    }
    if insn.prefixes.contains(Prefixes::ADDRSIZE) {
        site_code.put(&[0x67]);
    }
    site_code.put(&[0x48 | reg >> 3 << 2 | insn.rex & 3, 0x8d, insn.modrm & 0xc7 | (reg & 7) << 3]);
    let from = usize::from(insn.modrm_off) + 1;
    let len = usize::from(insn.has_sib()) + usize::from(insn.disp_len);
    site_code.put(bytes.get(from..from + len).unwrap_or(&[]));
}

/// `lea a, [a + b]`
fn add(code: &mut Code, a: u8, b: u8) {
    code.put(&[0x48 | a >> 3 << 2 | b >> 3 << 1 | a >> 3, 0x8d, 0x44 | (a & 7) << 3, (b & 7) << 3 | a & 7, 0]);
}

/// Emits an instruction with a gs-relative operand.
pub fn emit(site: &mut Site<'_>) -> Next {
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
    let base = [12, 13, gpr::R8, gpr::R9, gpr::R10, gpr::R14, gpr::R15]
        .into_iter()
        .find(|&r| {
            r != address
                && insn.reg() & 15 != r
                && insn.vvvv & 15 != r
                && insn.base() != Some(r)
                && insn.index() != Some(r)
        })
        .unwrap_or(12);
    let (slot_a, slot_b, gs_base) = (site.layout.slot_scratch, site.layout.slot_r11, site.layout.guest_gs_base);
    let next = site.next();
    site.mark(Recover::At);
    site.out.hot.store_slot(slot_a, address);
    site.out.hot.store_slot(slot_b, base);
    site.mark(Recover::TwoScratch(address, base));
    let hot = &mut site.out.hot;
    if is_moffs(insn) {
        let moffs = insn.disp(site.bytes).cast_unsigned();
        hot.load_imm(address, if insn.disp_len == 4 { moffs & 0xffff_ffff } else { moffs });
    } else {
        load_effective_address(hot, insn, site.bytes, site.pc.0, address);
    }
    hot.load_slot(base, gs_base);
    add(hot, address, base);
    if is_moffs(insn) {
        // A0–A3 have no operand to replace: 8A, 8B, 88, 89 with al, ax, eax or rax.
        if insn.prefixes.contains(Prefixes::OPSIZE) {
            hot.put(&[0x66]);
        }
        let opcode = match insn.opcode {
            0xa0 => 0x8a,
            0xa1 => 0x8b,
            0xa2 => 0x88,
            _ => 0x89,
        };
        hot.put(&[0x40 | insn.rex & 8 | address >> 3, opcode, address & 7]);
    } else {
        rebase::emit(hot, insn, site.bytes, address);
    }
    site.mark_at(next, Recover::TwoScratch(address, base));
    site.out.hot.load_slot(base, slot_b);
    site.mark_at(next, Recover::Scratch(address));
    site.out.hot.load_slot(address, slot_a);
    Next::Continue
}

/// A string instruction: its source register is moved by the gs base for as long as it runs, which may be interrupted
/// between elements.
fn string(site: &mut Site<'_>) -> Next {
    /// rbx, the base of `xlat`.
    const RBX: u8 = 3;
    let source = if site.insn.opcode == 0xd7 { RBX } else { gpr::RSI };
    let (slot, gs_base) = (site.layout.slot_r11, site.layout.guest_gs_base);
    let next = site.next();
    site.mark(Recover::At);
    site.out.hot.store_slot(slot, gpr::R11);
    site.mark(Recover::R11);
    site.out.hot.load_slot(gpr::R11, gs_base);
    add(&mut site.out.hot, source, gpr::R11);
    site.mark(Recover::Shifted(source));
    for (at, &byte) in site.bytes.iter().enumerate() {
        // A REX that is not right before the opcode is ignored by the CPU, but would not be if it moved.
        let is_ignored_rex =
            at < usize::from(site.insn.opcode_off) && byte & 0xf0 == 0x40 && at != usize::from(site.insn.rex_off);
        if byte != 0x65 && !is_ignored_rex {
            site.out.hot.put(&[byte]);
        }
    }
    site.mark_at(next, Recover::Shifted(source));
    // r11 = −base: not, then lea with one more.
    site.out.hot.put(&[0x49, 0xf7, 0xd3]);
    site.out.hot.put(&[0x4a, 0x8d, 0x44 | source << 3, 0x18 | source, 1]);
    site.mark_at(next, Recover::R11);
    site.out.hot.load_slot(gpr::R11, slot);
    Next::Continue
}

/// An operand with a vector index or a compressed displacement: only its base is replaced, by base + gs base.
fn with_base(site: &mut Site<'_>) -> Next {
    let insn = site.insn;
    let base = rebase::free_base(insn, None);
    let (slot, gs_base) = (site.layout.slot_scratch, site.layout.guest_gs_base);
    let next = site.next();
    site.mark(Recover::At);
    site.out.hot.store_slot(slot, base);
    site.mark(Recover::Scratch(base));
    site.out.hot.load_slot(base, gs_base);
    match insn.base() {
        // rsp cannot be an index: lea base, [rsp + base]
        Some(gpr::RSP) => {
            let high = base >> 3;
            site.out.hot.put(&[0x48 | high << 2 | high << 1, 0x8d, 0x44 | (base & 7) << 3, (base & 7) << 3 | 4, 0]);
        }
        Some(old) => add(&mut site.out.hot, base, old),
        None => {}
    }
    rebase::emit_with_base(&mut site.out.hot, insn, site.bytes, base);
    site.mark_at(next, Recover::Scratch(base));
    site.out.hot.load_slot(base, slot);
    Next::Continue
}

/// `mov rcx, gs:[operand]` for an indirect branch that has spilled rcx and r11.
pub fn load_target(site: &mut Site<'_>) {
    let gs_base = site.layout.guest_gs_base;
    site.mark(Recover::RcxR11);
    load_effective_address(&mut site.out.hot, site.insn, site.bytes, site.pc.0, gpr::RCX);
    site.out.hot.load_slot(gpr::R11, gs_base);
    site.out.hot.put(&[0x4a, 0x8b, 0x0c, 0x19]); // mov rcx, [rcx + r11]
    // What follows expects r11 to be the guest's.
    let slot = site.layout.slot_r11;
    site.out.hot.load_slot(gpr::R11, slot);
    site.mark(Recover::Rcx);
}

/// `rdgsbase`, `wrgsbase` (0F AE /1, /3): the guest's base is a value in the thread state.
pub fn gs_base(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    let (reg, slot, wide) = (site.insn.rm(), site.layout.guest_gs_base, site.insn.rex_w());
    let hot = &mut site.out.hot;
    if site.insn.modrm_group() == 1 {
        hot.load_slot(reg, slot);
        if !wide {
            // mov r32, r32 clears the upper half.
            hot.put(&[0x40 | reg >> 3 << 2 | reg >> 3, 0x89, 0xc0 | (reg & 7) << 3 | reg & 7]);
        }
    } else if wide {
        hot.store_slot(slot, reg);
    } else {
        // mov dword gs:[slot], r32, and zeros above it.
        hot.put(&[0x65, 0x40 | reg >> 3 << 2, 0x89, 0x04 | (reg & 7) << 3, 0x25]);
        hot.put32(slot);
        hot.put(&[0x65, 0xc7, 0x04, 0x25]);
        hot.put32(slot + 4);
        hot.put32(0);
    }
    Next::Continue
}
