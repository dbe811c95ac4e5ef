//! How instructions are encoded: prefix, REX, opcode, ModRM, SIB and displacement (Intel SDM vol. 2, 2.1.5 and 2.2.1).

use super::gpr;

/// The segment fs.
pub(super) const FS: u8 = 0x64;
/// The segment gs.
pub(super) const GS: u8 = 0x65;
/// Operands of 16 bits.
pub(super) const OPSIZE: u8 = 0x66;

/// ModRM.rm: a SIB byte follows.
const HAS_SIB: u8 = 4;
/// ModRM.rm without displacement: relative to the next instruction. As a base in that place, rbp and r13 have no
/// encoding.
const RIP: u8 = 5;
/// SIB without index whose base is that of ModRM: rsp and r12 have no other encoding.
const SIB_BASE: u8 = 0x24;
/// SIB without index and base; a displacement of four bytes follows.
const SIB_ABSOLUTE: u8 = 0x25;
/// SIB of an index × 8 without base; a displacement of four bytes follows.
const SIB_TIMES_8: u8 = 0xc5;

/// ModRM.mod: what follows the operand's registers.
#[derive(Clone, Copy)]
enum Mode {
    /// No displacement.
    Plain = 0x00,
    /// A displacement of one byte.
    Disp8 = 0x40,
    /// A displacement of four bytes.
    Disp32 = 0x80,
    /// The operand is a register.
    Register = 0xc0,
}

#[inline(always)]
const fn modrm(mode: Mode, reg: u8, rm: u8) -> u8 {
    mode as u8 | (reg & 7) << 3 | rm & 7
}

/// SIB of a base and an index × 1.
#[inline(always)]
const fn sib(base: u8, index: u8) -> u8 {
    (index & 7) << 3 | base & 7
}

/// The bytes of one instruction, so far.
#[derive(Clone, Copy)]
pub(super) struct Encoded {
    bytes: u128,
    len: usize,
    is_possible: bool,
}

impl Encoded {
    const EMPTY: Self = Self { bytes: 0, len: 0, is_possible: true };

    /// Bytes, of which there are [`len`](Self::len), and zeros.
    #[inline(always)]
    pub(super) const fn window(self) -> [u8; 16] {
        self.bytes.to_le_bytes()
    }

    /// How many.
    #[inline(always)]
    pub(super) const fn len(self) -> usize {
        self.len
    }

    /// False if the operands have no encoding.
    #[inline(always)]
    pub(super) const fn is_possible(self) -> bool {
        self.is_possible
    }

    /// An instruction of fixed bytes.
    #[inline(always)]
    pub(super) fn fixed<const N: usize>(bytes: [u8; N]) -> Self {
        bytes.into_iter().fold(Self::EMPTY, Self::then)
    }

    /// An opcode of one or two bytes, the lower first, and four bytes: without a shift of 128 bits, because the length
    /// is not known to the compiler.
    #[inline(always)]
    pub(super) fn short(opcode: u16, opcode_len: u8, value: i32) -> Self {
        let bytes = u64::from(opcode) | u64::from(value.cast_unsigned()) << (8 * u32::from(opcode_len & 3));
        Self { bytes: u128::from(bytes), len: usize::from(opcode_len) + 4, is_possible: true }
    }

    /// With another byte.
    #[inline(always)]
    pub(super) const fn then(self, byte: u8) -> Self {
        Self { bytes: self.bytes | (byte as u128) << (8 * self.len), len: self.len + 1, ..self }
    }

    /// With a displacement or immediate of four bytes.
    #[inline(always)]
    pub(super) const fn then32(self, value: i32) -> Self {
        Self { bytes: self.bytes | (value.cast_unsigned() as u128) << (8 * self.len), len: self.len + 4, ..self }
    }

    /// With an immediate of eight bytes.
    #[inline(always)]
    pub(super) const fn then64(self, value: u64) -> Self {
        Self { bytes: self.bytes | (value as u128) << (8 * self.len), len: self.len + 8, ..self }
    }

    /// With SIB, where the encoding of `base` needs one.
    #[inline(always)]
    const fn then_sib_of(self, base: u8) -> Self {
        if base & 7 == HAS_SIB { self.then(SIB_BASE) } else { self }
    }

    /// rsp is no index.
    #[inline(always)]
    const fn with_index(self, index: u8) -> Self {
        Self { is_possible: self.is_possible && index != gpr::RSP, ..self }
    }
}

/// An instruction by prefix, operand size and opcode; each method gives it operands of another form.
#[derive(Clone, Copy)]
pub(super) struct Opcode {
    /// A byte before REX.
    prefix: Option<u8>,
    size: Size,
    /// `0F` comes before the opcode.
    is_two_byte: bool,
    opcode: u8,
}

/// What REX says, besides register numbers.
#[derive(Clone, Copy)]
enum Size {
    /// W is set: the operands have 64 bits.
    Wide,
    /// W is clear, and REX is there where a register needs it.
    Narrow,
    /// W is clear, and REX is there always, so that the instruction is as long for every register.
    NarrowLong,
}

impl Opcode {
    /// Operands of 64 bits.
    #[inline(always)]
    pub(super) const fn wide(opcode: u8) -> Self {
        Self { prefix: None, size: Size::Wide, is_two_byte: false, opcode }
    }

    /// Operands of 32 bits, or an instruction that has no others.
    #[inline(always)]
    pub(super) const fn narrow(opcode: u8) -> Self {
        Self { size: Size::Narrow, ..Self::wide(opcode) }
    }

    /// As `narrow`, but of the same length for every register.
    #[inline(always)]
    pub(super) const fn narrow_long(opcode: u8) -> Self {
        Self { size: Size::NarrowLong, ..Self::wide(opcode) }
    }

    /// `0F` and the opcode, operands of 32 bits.
    #[inline(always)]
    pub(super) const fn two_byte(opcode: u8) -> Self {
        Self { is_two_byte: true, ..Self::narrow(opcode) }
    }

    /// The same with a prefix, such as a segment.
    #[inline(always)]
    pub(super) const fn with(self, prefix: u8) -> Self {
        Self { prefix: Some(prefix), ..self }
    }

    /// Everything before ModRM; bit 3 of the register numbers goes into R, X and B of REX.
    #[inline(always)]
    const fn lead(self, reg: u8, index: u8, base: u8) -> Encoded {
        let mut encoded = Encoded::EMPTY;
        if let Some(prefix) = self.prefix {
            encoded = encoded.then(prefix);
        }
        let registers = reg >> 3 << 2 | index >> 3 << 1 | base >> 3;
        encoded = match self.size {
            Size::Wide => encoded.then(0x48 | registers),
            Size::NarrowLong => encoded.then(0x40 | registers),
            Size::Narrow if registers != 0 => encoded.then(0x40 | registers),
            Size::Narrow => encoded,
        };
        if self.is_two_byte {
            encoded = encoded.then(0x0f);
        }
        encoded.then(self.opcode)
    }

    /// Operands: two registers.
    #[inline(always)]
    pub(super) const fn registers(self, reg: u8, rm: u8) -> Encoded {
        self.lead(reg, 0, rm).then(modrm(Mode::Register, reg, rm))
    }

    /// Operand: a register in the opcode's low bits.
    #[inline(always)]
    pub(super) const fn opcode_register(self, reg: u8) -> Encoded {
        Self { opcode: self.opcode | reg & 7, ..self }.lead(0, 0, reg)
    }

    /// Operands: a register, and memory at an absolute address or an offset from a segment's base.
    #[inline(always)]
    pub(super) const fn absolute(self, reg: u8, address: i32) -> Encoded {
        self.lead(reg, 0, 0).then(modrm(Mode::Plain, reg, HAS_SIB)).then(SIB_ABSOLUTE).then32(address)
    }

    /// Operands: a register, and memory at a distance from the next instruction.
    #[inline(always)]
    pub(super) const fn rip(self, reg: u8, distance: i32) -> Encoded {
        self.lead(reg, 0, 0).then(modrm(Mode::Plain, reg, RIP)).then32(distance)
    }

    /// Operands: a register, and memory at `base`.
    #[inline(always)]
    pub(super) const fn base(self, reg: u8, base: u8) -> Encoded {
        if base & 7 == RIP {
            return self.base8(reg, base, 0);
        }
        self.lead(reg, 0, base).then(modrm(Mode::Plain, reg, base)).then_sib_of(base)
    }

    /// Operands: a register, and memory at `base` plus a displacement of one byte.
    #[inline(always)]
    pub(super) const fn base8(self, reg: u8, base: u8, disp: i8) -> Encoded {
        self.lead(reg, 0, base).then(modrm(Mode::Disp8, reg, base)).then_sib_of(base).then(disp.cast_unsigned())
    }

    /// Operands: a register, and memory at `base` plus a displacement of four bytes.
    #[inline(always)]
    pub(super) const fn base32(self, reg: u8, base: u8, disp: i32) -> Encoded {
        self.lead(reg, 0, base).then(modrm(Mode::Disp32, reg, base)).then_sib_of(base).then32(disp)
    }

    /// Operands: a register, and memory at `base` + `index`. The index cannot be rsp.
    #[inline(always)]
    pub(super) const fn base_index(self, reg: u8, base: u8, index: u8) -> Encoded {
        if base & 7 == RIP {
            return self.base_index8(reg, base, index, 0);
        }
        let lead = self.lead(reg, index, base).with_index(index);
        lead.then(modrm(Mode::Plain, reg, HAS_SIB)).then(sib(base, index))
    }

    /// Operands: a register, and memory at `base` + `index` plus a displacement of one byte. The index cannot be rsp.
    #[inline(always)]
    pub(super) const fn base_index8(self, reg: u8, base: u8, index: u8, disp: i8) -> Encoded {
        let lead = self.lead(reg, index, base).with_index(index);
        lead.then(modrm(Mode::Disp8, reg, HAS_SIB)).then(sib(base, index)).then(disp.cast_unsigned())
    }

    /// Operands: a register, and memory at `index` × 8 plus an absolute address or an offset from a segment's base. The
    /// index cannot be rsp.
    #[inline(always)]
    pub(super) const fn index8(self, reg: u8, index: u8, address: i32) -> Encoded {
        let lead = self.lead(reg, index, 0).with_index(index);
        lead.then(modrm(Mode::Plain, reg, HAS_SIB)).then(SIB_TIMES_8 | (index & 7) << 3).then32(address)
    }
}
