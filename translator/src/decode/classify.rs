//! What a copied instruction would do to the flow of control, or would reveal, and therefore cannot simply be copied.

use super::{Encoding, Insn};

/// Why an instruction may need more than a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Falls through to the next instruction, or raises what its copy raises too.
    Plain,
    /// `70`-`7F`, `0F 80`-`0F 8F`, with the condition code 0..=15.
    Jcc(u8),
    /// `E0`-`E3`: LOOPNE, LOOPE, LOOP, JRCXZ; with `67` the counter is ecx.
    LoopOrJrcxz,
    /// Direct near jump, `EB` or `E9`.
    Jmp,
    /// Direct near call, `E8`.
    Call,
    /// Indirect near jump, `FF /4`.
    JmpInd,
    /// Indirect near call, `FF /2`.
    CallInd,
    /// Near return, `C3`, or `C2` with the byte count as immediate.
    Ret,
    /// `C7 F8`: the abort handler's address is relative, as a branch's.
    Xbegin,
    /// `0F 05`.
    Syscall,
    /// `0F 34`.
    Sysenter,
    /// `CD ib`, with the vector.
    Int(u8),
    /// `CC`.
    Int3,
    /// `F1`.
    Int1,
    /// `9D`: may set the trap flag.
    Popf,
    /// `CF`, and UIRET (`F3 0F 01 EC`).
    Iret,
    /// Far call, jump or return: `FF /3`, `FF /5`, `CA`, `CB`.
    FarTransfer,
    /// Loads the GS selector, and with it the GS base: `8E /5`, `0F A9`, `0F B5`.
    GsSelector,
    /// RDGSBASE or WRGSBASE: `F3 0F AE /1`, `/3`. SWAPGS is `Plain`: it raises #GP.
    GsBase,
    /// `0F A2`.
    Cpuid,
    /// RDTSC `0F 31` and RDTSCP `0F 01 F9`.
    Rdtsc,
    /// UD0, UD1, UD2: always raises #UD.
    Ud,
}

impl Insn {
    /// The class of an opcode marked `CLASSIFY`, or `None` where the ModRM byte makes it no instruction.
    #[inline]
    pub(super) fn classify(&self) -> Option<Class> {
        match (self.encoding, self.map) {
            (Encoding::Legacy, 0) => self.classify_one_byte(),
            (Encoding::Legacy, _) => Some(self.classify_two_byte()),
            (Encoding::Now3d, _) => is_3dnow_suffix(self.imm_low).then_some(Class::Plain),
            _ => Some(Class::Plain),
        }
    }

    #[inline]
    fn classify_one_byte(&self) -> Option<Class> {
        let is_register_form = self.modrm >= 0xc0;
        let group = self.modrm >> 3 & 7;
        Some(match self.opcode {
            0x70..=0x7f => Class::Jcc(self.opcode & 15),
            0x8e => match group {
                1 | 6 | 7 => return None,
                5 => Class::GsSelector,
                _ => Class::Plain,
            },
            0x8f | 0xc6 if group == 0 => Class::Plain,
            // XABORT: does nothing outside a transaction, and inside one the address given to XBEGIN decides.
            0xc6 if self.modrm == 0xf8 => Class::Plain,
            0xc7 if group == 0 => Class::Plain,
            0xc7 if self.modrm == 0xf8 => Class::Xbegin,
            0x9d => Class::Popf,
            0xc2 | 0xc3 => Class::Ret,
            0xca | 0xcb => Class::FarTransfer,
            0xcc => Class::Int3,
            0xcd => Class::Int(self.imm_low),
            0xcf => Class::Iret,
            0xe0..=0xe3 => Class::LoopOrJrcxz,
            0xe8 => Class::Call,
            0xe9 | 0xeb => Class::Jmp,
            0xf1 => Class::Int1,
            0xfe if group < 2 => Class::Plain,
            0xff => match group {
                2 => Class::CallInd,
                4 => Class::JmpInd,
                3 | 5 if is_register_form => return None,
                3 | 5 => Class::FarTransfer,
                7 => return None,
                _ => Class::Plain,
            },
            _ => return None,
        })
    }

    #[inline]
    fn classify_two_byte(&self) -> Class {
        match self.opcode {
            0x01 if self.modrm == 0xf9 => Class::Rdtsc,
            0x01 if self.modrm == 0xec && self.pp == 2 => Class::Iret,
            0x05 => Class::Syscall,
            0x0b | 0xb9 | 0xff => Class::Ud,
            0x31 => Class::Rdtsc,
            0x34 => Class::Sysenter,
            0x80..=0x8f => Class::Jcc(self.opcode & 15),
            0xa2 => Class::Cpuid,
            0xa9 | 0xb5 => Class::GsSelector,
            // RDGSBASE is /1, WRGSBASE /3, both register forms only.
            0xae if self.pp == 2 && self.modrm & 0xe8 == 0xc8 => Class::GsBase,
            _ => Class::Plain,
        }
    }
}

/// The opcode byte at the end of a 3DNow! instruction (APM vol. 3 table A-13, with the two of the Geode).
fn is_3dnow_suffix(suffix: u8) -> bool {
    matches!(
        suffix,
        0x0c | 0x0d
            | 0x1c
            | 0x1d
            | 0x8a
            | 0x8e
            | 0x90
            | 0x94
            | 0x96
            | 0x97
            | 0x9a
            | 0x9e
            | 0xa0
            | 0xa4
            | 0xa6
            | 0xa7
            | 0xaa
            | 0xae
            | 0xb0
            | 0xb4
            | 0xb6
            | 0xb7
            | 0xbb
            | 0xbf
    )
}
