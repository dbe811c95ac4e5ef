//! Legacy prefixes in front of an instruction (SDM vol. 2A 2.1.1, APM vol. 3 1.2).

use core::fmt;

/// The legacy prefixes that take effect on one instruction.
///
/// Of repeated prefixes of one kind only the effective one is kept: the last of `F2`/`F3`, the last of `FS`/`GS`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Prefixes(u8);

impl Prefixes {
    /// No prefix at all.
    pub const NONE: Self = Self(0);
    /// `66`, operand size, or a mandatory prefix.
    pub const OPSIZE: Self = Self(1 << 0);
    /// `67`, address size 32.
    pub const ADDRSIZE: Self = Self(1 << 1);
    /// `F3`: rep/repe, xrelease, or a mandatory prefix.
    pub const REP: Self = Self(1 << 2);
    /// `F2`: repne, xacquire, bnd, or a mandatory prefix.
    pub const REPNE: Self = Self(1 << 3);
    /// `F0`.
    pub const LOCK: Self = Self(1 << 4);
    /// `64`: the memory operand is relative to the FS base.
    pub const SEG_FS: Self = Self(1 << 5);
    /// `65`: the memory operand is relative to the GS base.
    pub const SEG_GS: Self = Self(1 << 6);
    /// One of `26 2E 36 3E`, which address nothing in 64-bit mode (SDM vol. 1 3.3.7.1): a branch hint, notrack or
    /// padding. It does not cancel `FS` or `GS`, whichever comes last.
    pub const SEG_OTHER: Self = Self(1 << 7);

    /// True when every prefix of `other` is present.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when any prefix of `other` is present.
    #[inline]
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline]
    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The set after the prefix `byte`, which cancels what it overrides.
    #[inline]
    pub(super) const fn after(self, byte: u8) -> Self {
        match byte {
            0x66 => self.union(Self::OPSIZE),
            0x67 => self.union(Self::ADDRSIZE),
            0xf3 => self.without(Self::REPNE).union(Self::REP),
            0xf2 => self.without(Self::REP).union(Self::REPNE),
            0xf0 => self.union(Self::LOCK),
            0x64 => self.without(Self::SEG_GS).union(Self::SEG_FS),
            0x65 => self.without(Self::SEG_FS).union(Self::SEG_GS),
            _ => self.union(Self::SEG_OTHER),
        }
    }

    /// The mandatory prefix these amount to, numbered as VEX.pp: `F2` and `F3` outrank `66` (SDM vol. 2A 2.1.2).
    #[inline]
    pub(super) const fn mandatory(self) -> u8 {
        if self.intersects(Self::REP.union(Self::REPNE)) {
            if self.contains(Self::REP) { 2 } else { 3 }
        } else {
            self.0 & Self::OPSIZE.0
        }
    }
}

impl fmt::Debug for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = ["66", "67", "f3", "f2", "lock", "fs", "gs", "seg"];
        let mut list = f.debug_list();
        for (bit, name) in NAMES.iter().enumerate() {
            if self.0 >> bit & 1 != 0 {
                list.entry(name);
            }
        }
        list.finish()
    }
}

/// In [`Insn::rex_off`](super::Insn::rex_off): there is no REX, VEX, EVEX or XOP prefix.
pub const NO_OFFSET: u8 = 0xff;

/// How the opcode is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    #[default]
    /// One-byte opcodes, `0F`, `0F 38` and `0F 3A`.
    Legacy,
    /// `C4`, `C5`.
    Vex,
    /// `62`.
    Evex,
    /// `8F` with a map number of 8 and more.
    Xop,
    /// `0F 0F`: the opcode proper is the immediate byte at the end.
    Now3d,
}

/// What the prefixes and the opcode map say, as one value for all encodings.
#[derive(Clone, Copy)]
pub(super) struct OpcodePrefix {
    pub(super) encoding: Encoding,
    pub(super) map: u8,
    pub(super) opcode: u8,
    pub(super) pp: u8,
    pub(super) rex: u8,
    pub(super) rex_off: u8,
    pub(super) ext: u8,
    pub(super) evex: u8,
    pub(super) vector_len: u8,
    pub(super) vvvv: u8,
}

impl OpcodePrefix {
    pub(super) const NONE: Self = Self {
        encoding: Encoding::Legacy,
        map: 0,
        opcode: 0,
        pp: 0,
        rex: 0,
        rex_off: NO_OFFSET,
        ext: 0,
        evex: 0,
        vector_len: 0,
        vvvv: 0,
    };
}
