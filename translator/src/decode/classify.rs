//! What a copied instruction would do to the flow of control, or would reveal, and therefore cannot simply be copied.

use super::prefix::OpcodePrefix;

/// Why an instruction may need more than a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    #[default]
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
    /// `CF`. Not UIRET: Linux never enables user interrupts, so it raises #UD, and its copy does too.
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

/// The class of a one-byte opcode, as far as the opcode decides.
pub(super) const fn class_of_one_byte(opcode: u8) -> Class {
    match opcode {
        0x70..=0x7f => Class::Jcc(opcode & 15),
        0x9d => Class::Popf,
        0xc2 | 0xc3 => Class::Ret,
        0xca | 0xcb => Class::FarTransfer,
        0xcc => Class::Int3,
        0xcf => Class::Iret,
        0xe0..=0xe3 => Class::LoopOrJrcxz,
        0xe8 => Class::Call,
        0xe9 | 0xeb => Class::Jmp,
        0xf1 => Class::Int1,
        _ => Class::Plain,
    }
}

/// The class of a two-byte opcode, as far as the opcode decides.
pub(super) const fn class_of_two_byte(opcode: u8) -> Class {
    match opcode {
        0x05 => Class::Syscall,
        0x0b | 0xb9 | 0xff => Class::Ud,
        0x31 => Class::Rdtsc,
        0x34 => Class::Sysenter,
        0x80..=0x8f => Class::Jcc(opcode & 15),
        0xa2 => Class::Cpuid,
        0xa9 | 0xb5 => Class::GsSelector,
        _ => Class::Plain,
    }
}

/// The class of an opcode marked `CLASSIFY`, or `None` where the ModRM byte makes it no instruction.
pub(super) fn classify(lead: &OpcodePrefix, modrm: u8, imm_low: u8) -> Option<Class> {
    let group = modrm >> 3 & 7;
    let is_register_form = modrm >= 0xc0;
    Some(match (lead.map, lead.opcode) {
        (0, 0x8e) => match group {
            1 | 6 | 7 => return None,
            5 => Class::GsSelector,
            _ => Class::Plain,
        },
        (0, 0x8f | 0xc6 | 0xc7) if group == 0 => Class::Plain,
        // XABORT: does nothing outside a transaction, and inside one the address given to XBEGIN decides.
        (0, 0xc6) if modrm == 0xf8 => Class::Plain,
        (0, 0xc7) if modrm == 0xf8 => Class::Xbegin,
        (0, 0xcd) => Class::Int(imm_low),
        (0, 0xfe) if group < 2 => Class::Plain,
        (0, 0xff) => match group {
            2 => Class::CallInd,
            4 => Class::JmpInd,
            3 | 5 if is_register_form => return None,
            3 | 5 => Class::FarTransfer,
            7 => return None,
            _ => Class::Plain,
        },
        (1, 0x01) if modrm == 0xf9 => Class::Rdtsc,
        (1, 0x01) => Class::Plain,
        (1, 0x0f) if is_3dnow_suffix(imm_low) => Class::Plain,
        // RDGSBASE is /1, WRGSBASE /3, both register forms only.
        (1, 0xae) if lead.pp == 2 && modrm & 0xe8 == 0xc8 => Class::GsBase,
        (1, 0xae) => Class::Plain,
        _ => return None,
    })
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
