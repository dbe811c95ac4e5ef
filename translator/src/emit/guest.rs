//! Instructions of ours with an operand of the guest's, and guest instructions with another opcode.

use super::operand::{FS, OPSIZE};
use super::{Code, Label};
use crate::decode::{Insn, Prefixes};

/// Addresses of 32 bits.
const ADDRSIZE: u8 = 0x67;

impl Code {
    /// `lea reg, [operand]`: the address of the memory operand of `insn`, without its segment. The operand is not
    /// RIP-relative.
    #[inline]
    pub(crate) fn lea_operand(&mut self, reg: u8, insn: &Insn, bytes: &[u8]) {
        if insn.prefixes.contains(Prefixes::ADDRSIZE) {
            self.put(&[ADDRSIZE]);
        }
        self.put(&[operand_rex(reg, insn), 0x8d, operand_modrm(reg, insn)]);
        self.put(operand_rest(insn, bytes));
    }

    /// `mov reg, operand`: the register or memory operand of `insn` at `pc`, as 64 bits; gs does not count. `None`, and
    /// nothing is emitted, if it is RIP-relative and out of reach from here or has an address of 32 bits.
    #[inline]
    pub(crate) fn mov_load_operand(&mut self, reg: u8, insn: &Insn, bytes: &[u8], pc: u64) -> Option<()> {
        let is_fs = insn.prefixes.contains(Prefixes::SEG_FS);
        let is_narrow = insn.prefixes.contains(Prefixes::ADDRSIZE);
        let displacement = if insn.is_rip_relative() {
            /// REX, opcode, ModRM and displacement.
            const LEN_BYTES: u64 = 7;
            let rel = self.rel32_after(LEN_BYTES + u64::from(is_fs), insn.rip_target(pc, bytes));
            Some(rel.filter(|_| !is_narrow)?)
        } else {
            None
        };
        if is_fs {
            self.put(&[FS]);
        }
        if is_narrow {
            self.put(&[ADDRSIZE]);
        }
        self.put(&[operand_rex(reg, insn), 0x8b, operand_modrm(reg, insn)]);
        match displacement {
            Some(displacement) => self.put(&displacement.to_le_bytes()),
            None => self.put(operand_rest(insn, bytes)),
        }
        Some(())
    }

    /// `mov` between al, ax, eax or rax and `[base]`, as `insn`, one of `A0`–`A3`, does with an absolute address.
    /// `base` is a register that needs neither SIB nor displacement.
    #[inline]
    pub(crate) fn mov_accumulator_base(&mut self, insn: &Insn, base: u8) {
        if insn.prefixes.contains(Prefixes::OPSIZE) {
            self.put(&[OPSIZE]);
        }
        let opcode = match insn.opcode {
            0xa0 => 0x8a,
            0xa1 => 0x8b,
            0xa2 => 0x88,
            _ => 0x89,
        };
        self.is_faulty |= matches!(base & 7, 4 | 5);
        self.put(&[0x40 | insn.rex & 8 | base >> 3, opcode, base & 7]);
    }

    /// The guest's `jrcxz`, `loop` or relative to a label. `bytes` is the instruction; all but its last byte, the
    /// displacement, stay.
    #[inline]
    pub(crate) fn counted_branch(&mut self, bytes: &[u8], label: &mut Label) {
        let (_, head) = bytes.split_last().unwrap_or((&0, &[]));
        self.put(head);
        self.put(&[0]);
        self.refer_short(label);
    }
}

/// REX with W, R of `reg`, X and B of the operand.
#[inline]
const fn operand_rex(reg: u8, insn: &Insn) -> u8 {
    0x48 | reg >> 3 << 2 | insn.rex & 3
}

/// ModRM of the operand with `reg` beside it.
#[inline]
const fn operand_modrm(reg: u8, insn: &Insn) -> u8 {
    insn.modrm & 0xc7 | (reg & 7) << 3
}

/// SIB and displacement of the operand.
#[inline]
fn operand_rest<'a>(insn: &Insn, bytes: &'a [u8]) -> &'a [u8] {
    let from = usize::from(insn.modrm_off) + 1;
    let len = usize::from(insn.has_sib()) + usize::from(insn.disp_len);
    bytes.get(from..from + len).unwrap_or(&[])
}
