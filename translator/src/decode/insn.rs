//! A decoded instruction: its fields, and what can be read from them.

use super::Class;
use super::prefix::{Encoding, Prefixes};

/// One instruction, as offsets into its bytes and register numbers with all extension bits applied.
///
/// The default value is only a place to decode into.
#[derive(Clone, Copy, Debug, Default)]
pub struct Insn {
    /// Length in bytes, 1..=15.
    pub len: u8,
    /// How the opcode is encoded.
    pub encoding: Encoding,
    /// Opcode map: 0 one-byte, 1 `0F`, 2 `0F 38`, 3 `0F 3A`, 5 and 6 EVEX, 8..=10 XOP.
    pub map: u8,
    /// The opcode byte; `0F` for 3DNow!.
    pub opcode: u8,
    /// Mandatory prefix, given by prefix byte or by VEX.pp: 0 none, 1 `66`, 2 `F3`, 3 `F2`.
    pub pp: u8,
    /// Legacy prefixes.
    pub prefixes: Prefixes,
    /// W R X B as bits 3..0, from REX, VEX, EVEX or XOP, un-inverted.
    pub rex: u8,
    /// Offset of the REX byte, or of the first byte of the VEX, EVEX or XOP prefix; [`NO_OFFSET`](super::NO_OFFSET) if
    /// none.
    pub rex_off: u8,
    /// EVEX only, un-inverted: bit 0 is R', bit 1 is V'.
    pub ext: u8,
    /// EVEX only: the prefix's last byte unchanged, `z L'L b V' aaa`.
    pub evex: u8,
    /// VEX.L, XOP.L or EVEX.L'L.
    pub vector_len: u8,
    /// Register number in VEX.vvvv, with EVEX.V' as bit 4; 0 for legacy.
    pub vvvv: u8,
    /// Offset of the opcode byte.
    pub opcode_off: u8,
    /// Offset of the ModRM byte, 0 if there is none.
    pub modrm_off: u8,
    /// ModRM, 0 if there is none. For MOV to and from control and debug registers, which ignore the mod field, mod
    /// reads as 3.
    pub modrm: u8,
    /// SIB, 0 if there is none.
    pub sib: u8,
    /// Offset of the displacement, 0 if there is none.
    pub disp_off: u8,
    /// Length of the displacement: 0, 1 (scaled in EVEX), 4, or 8 for an absolute address (`A0`-`A3`; 4 with `67`).
    pub disp_len: u8,
    /// Offset of the immediate, 0 if there is none.
    pub imm_off: u8,
    /// Length of all immediates together; a relative branch's offset is one.
    pub imm_len: u8,
    /// First byte of the immediate.
    pub imm_low: u8,
    /// Why it may need more than a copy.
    pub class: Class,
}

impl Insn {
    /// True when a ModRM byte is present.
    #[inline]
    #[must_use]
    pub const fn has_modrm(&self) -> bool {
        self.modrm_off != 0
    }

    /// True when ModRM describes an address, be it accessed or, as by LEA and NOP, not.
    #[inline]
    #[must_use]
    pub const fn has_memory_operand(&self) -> bool {
        self.has_modrm() && self.modrm < 0xc0
    }

    /// True when a SIB byte is present.
    #[inline]
    #[must_use]
    pub const fn has_sib(&self) -> bool {
        self.has_memory_operand() && self.modrm & 7 == 4
    }

    /// True when the address is relative to the next instruction (to its low 32 bits with `67`).
    #[inline]
    #[must_use]
    pub const fn is_rip_relative(&self) -> bool {
        self.has_modrm() && self.modrm & 0xc7 == 5
    }

    /// True when the index is a vector register (SDM vol. 2A 2.3.12).
    #[must_use]
    pub const fn is_vsib(&self) -> bool {
        self.map == 2
            && self.has_sib()
            && match self.encoding {
                Encoding::Vex => matches!(self.opcode, 0x90..=0x93),
                Encoding::Evex => matches!(self.opcode, 0x90..=0x93 | 0xa0..=0xa3 | 0xc6 | 0xc7),
                _ => false,
            }
    }

    /// REX.W or its like.
    #[inline]
    #[must_use]
    pub const fn rex_w(&self) -> bool {
        self.rex & 8 != 0
    }

    /// ModRM.reg as an opcode extension.
    #[inline]
    #[must_use]
    pub const fn modrm_group(&self) -> u8 {
        self.modrm >> 3 & 7
    }

    /// Register in ModRM.reg, with R, and R' as bit 4.
    #[inline]
    #[must_use]
    pub const fn reg(&self) -> u8 {
        self.modrm_group() | (self.rex & 4) << 1 | (self.ext & 1) << 4
    }

    /// General register in ModRM.rm, with B; only of a register form.
    #[inline]
    #[must_use]
    pub const fn rm(&self) -> u8 {
        self.modrm & 7 | (self.rex & 1) << 3
    }

    /// Vector register in ModRM.rm: EVEX uses X as bit 4 (SDM vol. 2A table 2-31).
    #[inline]
    #[must_use]
    pub const fn vector_rm(&self) -> u8 {
        match self.encoding {
            Encoding::Evex => self.rm() | (self.rex & 2) << 3,
            _ => self.rm(),
        }
    }

    /// General register in the low three bits of the opcode, with B (PUSH, POP, XCHG, MOV imm, BSWAP).
    #[inline]
    #[must_use]
    pub const fn opcode_reg(&self) -> u8 {
        self.opcode & 7 | (self.rex & 1) << 3
    }

    /// Base register of the memory operand, if it has one.
    #[inline]
    #[must_use]
    pub const fn base(&self) -> Option<u8> {
        let low = if !self.has_memory_operand() {
            return None;
        } else if self.modrm & 7 == 4 {
            self.sib & 7
        } else {
            self.modrm & 7
        };
        if self.modrm < 0x40 && low == 5 { None } else { Some(low | (self.rex & 1) << 3) }
    }

    /// Index register of the memory operand, if it has one; a vector register if [`is_vsib`](Self::is_vsib).
    #[inline]
    #[must_use]
    pub const fn index(&self) -> Option<u8> {
        if !self.has_sib() {
            return None;
        }
        let index = self.sib >> 3 & 7 | (self.rex & 2) << 2;
        if self.is_vsib() {
            Some(index | (self.ext & 2) << 3)
        } else if index == 4 {
            None
        } else {
            Some(index)
        }
    }

    /// Factor of the index register: 1, 2, 4 or 8.
    #[inline]
    #[must_use]
    pub const fn scale(&self) -> u8 {
        1 << (self.sib >> 6)
    }

    /// Displacement, sign-extended; of EVEX's one-byte form the byte itself, without its scale. `bytes` starts at the
    /// instruction.
    #[inline]
    #[must_use]
    pub fn disp(&self, bytes: &[u8]) -> i64 {
        read_signed(bytes, self.disp_off, self.disp_len)
    }

    /// Immediate, sign-extended; several immediates as one number, the first lowest. `bytes` starts at the instruction.
    #[inline]
    #[must_use]
    pub fn imm(&self, bytes: &[u8]) -> i64 {
        read_signed(bytes, self.imm_off, self.imm_len)
    }

    /// Where a direct branch (or XBEGIN's abort) leads, when the instruction is at `pc`.
    #[inline]
    #[must_use]
    pub fn rel_target(&self, pc: u64, bytes: &[u8]) -> u64 {
        pc.wrapping_add(u64::from(self.len)).wrapping_add_signed(self.imm(bytes))
    }

    /// The address of a RIP-relative operand, when the instruction is at `pc`.
    #[inline]
    #[must_use]
    pub fn rip_target(&self, pc: u64, bytes: &[u8]) -> u64 {
        let address = pc.wrapping_add(u64::from(self.len)).wrapping_add_signed(self.disp(bytes));
        if self.prefixes.contains(Prefixes::ADDRSIZE) { address & 0xffff_ffff } else { address }
    }

    /// True for a near branch with an operand-size prefix, which Intel ignores and AMD obeys (16-bit offset and target;
    /// APM vol. 3, "Near branches"). REX.W outranks the prefix on both.
    #[must_use]
    pub const fn is_vendor_dependent(&self) -> bool {
        self.prefixes.contains(Prefixes::OPSIZE)
            && !self.rex_w()
            && matches!(
                self.class,
                Class::Jcc(_)
                    | Class::LoopOrJrcxz
                    | Class::Jmp
                    | Class::Call
                    | Class::JmpInd
                    | Class::CallInd
                    | Class::Ret
            )
    }
}

#[inline]
fn read_signed(bytes: &[u8], offset: u8, len: u8) -> i64 {
    let Some(field) = bytes.get(usize::from(offset)..) else {
        return 0;
    };
    let value = match len {
        1 => field.first().map(|byte| i64::from(byte.cast_signed())),
        2 => field.first_chunk().map(|field| i64::from(i16::from_le_bytes(*field))),
        3 => field.first_chunk().map(|[a, b, c]| i64::from(i32::from_le_bytes([0, *a, *b, *c]) >> 8)),
        4 => field.first_chunk().map(|field| i64::from(i32::from_le_bytes(*field))),
        8 => field.first_chunk().map(|field| i64::from_le_bytes(*field)),
        _ => None,
    };
    value.unwrap_or(0)
}
