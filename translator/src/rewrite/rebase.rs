//! The same instruction with another memory operand: `[register]`.

use crate::decode::{Encoding, Insn, NO_OFFSET, Prefixes};
use crate::emit::{Code, gpr};

/// Registers that can be a base without SIB or displacement and that no instruction uses implicitly.
const BASES: [u8; 5] = [gpr::R8, gpr::R9, gpr::R10, gpr::R14, gpr::R15];

/// True when ModRM.reg names ah, ch, dh or bh: the instruction cannot take a REX prefix, so r8–r15 cannot be used.
fn has_high_byte_register(insn: &Insn) -> bool {
    insn.encoding == Encoding::Legacy
        && insn.rex_off == NO_OFFSET
        && insn.modrm_group() >= 4
        && match insn.map {
            0 => {
                matches!(insn.opcode, 0x84 | 0x86 | 0x88 | 0x8a)
                    || (insn.opcode < 0x40 && matches!(insn.opcode & 7, 0 | 2))
            }
            1 => matches!(insn.opcode, 0xb0 | 0xc0),
            _ => false,
        }
}

/// A register that the instruction does not use and that can hold its operand's address.
#[must_use]
pub(crate) fn free_base(insn: &Insn, but_not: Option<u8>) -> u8 {
    let used = |r: u8| {
        insn.reg() & 15 == r
            || insn.vvvv & 15 == r
            || insn.base() == Some(r)
            || insn.index() == Some(r)
            || but_not == Some(r)
    };
    if has_high_byte_register(insn) {
        return if used(gpr::RSI) { gpr::RDI } else { gpr::RSI };
    }
    BASES.into_iter().find(|&r| !used(r)).unwrap_or(gpr::R8)
}

/// Emits `insn` with its memory operand replaced by `[base]`, without a gs prefix.
pub(crate) fn emit(code: &mut Code, insn: &Insn, bytes: &[u8], base: u8) {
    let byte = |at: u8| bytes.get(usize::from(at)).copied().unwrap_or(0);
    let b = base >> 3;
    let escape = match (insn.encoding, insn.map) {
        (Encoding::Legacy, 1) | (Encoding::Now3d, _) => 1,
        (Encoding::Legacy, 2 | 3) => 2,
        _ => 0,
    };
    let head = if insn.rex_off == NO_OFFSET { insn.opcode_off - escape } else { insn.rex_off };
    for at in 0..head {
        let prefix = byte(at);
        // A REX that is not right before the opcode is ignored by the CPU, but would not be if it moved. The address
        // size holds for the offset in the segment, not for the linear address that replaces it when gs is gone.
        let is_address_size = prefix == 0x67 && insn.prefixes.contains(Prefixes::SEG_GS);
        if prefix != 0x65 && prefix & 0xf0 != 0x40 && !is_address_size {
            code.reencode(&[prefix]);
        }
    }
    match insn.encoding {
        Encoding::Legacy | Encoding::Now3d => {
            if insn.rex_off != NO_OFFSET || b != 0 {
                code.reencode(&[0x40 | insn.rex & 0xc | b]);
            }
            for at in insn.opcode_off - escape..=insn.opcode_off {
                code.reencode(&[byte(at)]);
            }
        }
        Encoding::Vex if byte(insn.rex_off) == 0xc5 => {
            // The two-byte form has no B.
            let p = byte(insn.rex_off + 1);
            code.reencode(&[0xc4, p & 0x80 | 0x40 | (1 - b) << 5 | 1, p & 0x7f, insn.opcode]);
        }
        Encoding::Vex | Encoding::Xop => {
            let p = byte(insn.rex_off + 1);
            code.reencode(&[byte(insn.rex_off), p & 0x9f | 0x40 | (1 - b) << 5, byte(insn.rex_off + 2), insn.opcode]);
        }
        Encoding::Evex => {
            let p = byte(insn.rex_off + 1);
            code.reencode(&[
                0x62,
                p & 0x9f | 0x40 | (1 - b) << 5,
                byte(insn.rex_off + 2),
                byte(insn.rex_off + 3),
                insn.opcode,
            ]);
        }
    }
    code.reencode(&[insn.modrm & 0x38 | base & 7]);
    if insn.imm_len != 0 {
        code.reencode(bytes.get(usize::from(insn.imm_off)..usize::from(insn.imm_off + insn.imm_len)).unwrap_or(&[]));
    } else if insn.encoding == Encoding::Now3d {
        code.reencode(bytes.last_chunk::<1>().unwrap_or(&[0]));
    }
}

/// Emits a VEX or EVEX instruction with `base` in the place of its base register, or of none, and without a gs prefix;
/// index and displacement stay. For operands whose address cannot be computed beforehand: vector indices, compressed
/// displacements.
pub(crate) fn emit_with_base(code: &mut Code, insn: &Insn, bytes: &[u8], base: u8) {
    for &prefix in bytes.get(..usize::from(insn.rex_off)).unwrap_or(&[]) {
        if prefix != 0x65 {
            code.reencode(&[prefix]);
        }
    }
    let (from, to) = (usize::from(insn.rex_off), usize::from(insn.opcode_off));
    let head = bytes.get(from..=to).unwrap_or(&[]);
    for (n, &byte) in head.iter().enumerate() {
        // Bit 5 of the second byte is B, inverted. A two-byte VEX has none; no vector index and no compressed
        // displacement comes with it.
        code.reencode(&[if n == 1 { byte & 0xdf | (1 - (base >> 3)) << 5 } else { byte }]);
    }
    let mut rest = usize::from(insn.modrm_off) + 1;
    if insn.has_sib() {
        // Mode 0 with base 5 is "no base, disp32"; mode 2 has a base beside it.
        let has_no_base = insn.modrm < 0x40 && insn.sib & 7 == 5;
        code.reencode(&[insn.modrm | u8::from(has_no_base) << 7, insn.sib & 0xf8 | base & 7]);
        rest += 1;
    } else {
        code.reencode(&[insn.modrm & 0xf8 | base & 7]);
    }
    code.reencode(bytes.get(rest..).unwrap_or(&[]));
}
