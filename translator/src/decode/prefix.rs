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
