//! Which arithmetic flags an instruction reads and which it leaves without a trace of their old value.
//!
//! The translator uses this to find places where its own code may clobber the flags. Both sides err on one side only:
//! `read` may be too large, `write` never is.

use super::{Class, Encoding, Insn, Prefixes};

/// The arithmetic flags, as bits of [`FlagEffect`].
pub mod flags {
    /// Carry.
    pub const CF: u8 = 1 << 0;
    /// Parity.
    pub const PF: u8 = 1 << 1;
    /// Auxiliary carry.
    pub const AF: u8 = 1 << 2;
    /// Zero.
    pub const ZF: u8 = 1 << 3;
    /// Sign.
    pub const SF: u8 = 1 << 4;
    /// Overflow.
    pub const OF: u8 = 1 << 5;
    /// All six.
    pub const ALL: u8 = CF | PF | AF | ZF | SF | OF;
}

use flags::{ALL, CF, OF, PF, SF, ZF};

/// What an instruction does to the arithmetic flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FlagEffect {
    /// Flags whose old value may matter to it.
    pub read: u8,
    /// Flags that it always overwrites or leaves undefined.
    pub write: u8,
}

const NONE: FlagEffect = FlagEffect { read: 0, write: 0 };
const READ_ALL: FlagEffect = reads(ALL);
const WRITE_ALL: FlagEffect = writes(ALL);

const fn reads(read: u8) -> FlagEffect {
    FlagEffect { read, write: 0 }
}

const fn writes(write: u8) -> FlagEffect {
    FlagEffect { read: 0, write }
}

/// Flags a condition code depends on (SDM vol. 1 table B-1).
const fn condition(code: u8) -> FlagEffect {
    reads(match code >> 1 & 7 {
        0 => OF,
        1 => CF,
        2 => ZF,
        3 => CF | ZF,
        4 => SF,
        5 => PF,
        6 => SF | OF,
        _ => ZF | SF | OF,
    })
}

/// The eight operations of opcodes `00`-`3F` and of group 1: ADC and SBB read the carry.
const fn alu(operation: u8) -> FlagEffect {
    FlagEffect { read: if matches!(operation, 2 | 3) { CF } else { 0 }, write: ALL }
}

impl Insn {
    /// What the instruction does to the arithmetic flags.
    #[must_use]
    pub fn flag_effect(&self) -> FlagEffect {
        match self.class {
            Class::Plain => {}
            Class::Jcc(code) => return condition(code),
            // LOOPE and LOOPNE.
            Class::LoopOrJrcxz if self.opcode < 0xe2 => return reads(ZF),
            Class::LoopOrJrcxz | Class::Jmp | Class::Call | Class::JmpInd | Class::CallInd | Class::Ret => return NONE,
            Class::GsSelector | Class::GsBase | Class::Cpuid | Class::Rdtsc => return NONE,
            Class::Popf => return WRITE_ALL,
            // The flags are saved by the CPU for whoever answers.
            Class::Xbegin
            | Class::Syscall
            | Class::Sysenter
            | Class::Int(_)
            | Class::Int3
            | Class::Int1
            | Class::Iret => {
                return READ_ALL;
            }
            Class::FarTransfer | Class::Ud => return READ_ALL,
        }
        match (self.encoding, self.map) {
            (Encoding::Legacy, 0) => self.one_byte_flags(),
            (Encoding::Legacy, 1) => self.two_byte_flags(),
            (Encoding::Legacy, 2) => match self.opcode {
                // PTEST.
                0x17 => WRITE_ALL,
                // ADCX and ADOX, each with a carry of its own.
                0xf6 if self.pp == 1 => FlagEffect { read: CF, write: CF },
                0xf6 if self.pp == 2 => FlagEffect { read: OF, write: OF },
                _ => NONE,
            },
            // PCMPESTRM and its like.
            (Encoding::Legacy | Encoding::Vex, 3) if matches!(self.opcode, 0x60..=0x63) => WRITE_ALL,
            (Encoding::Vex, 1) => match self.opcode {
                // VUCOMIS, VCOMIS, KORTEST, KTEST.
                0x2e | 0x2f | 0x98 | 0x99 => WRITE_ALL,
                _ => NONE,
            },
            (Encoding::Vex, 2) => match self.opcode {
                // VTESTPS, VTESTPD, VPTEST, ANDN, BLSR and group.
                0x0e | 0x0f | 0x17 | 0xf2 | 0xf3 => WRITE_ALL,
                // BZHI and BEXTR; with a prefix PDEP, PEXT and the flagless shifts.
                0xf5 | 0xf7 if self.pp == 0 => WRITE_ALL,
                _ => NONE,
            },
            (Encoding::Evex, 1 | 5) if matches!(self.opcode, 0x2e | 0x2f) => WRITE_ALL,
            // TBM.
            (Encoding::Xop, 9) if matches!(self.opcode, 0x01 | 0x02) => WRITE_ALL,
            (Encoding::Xop, 10) if self.opcode == 0x10 => WRITE_ALL,
            _ => NONE,
        }
    }

    fn one_byte_flags(&self) -> FlagEffect {
        match self.opcode {
            0x00..=0x3f => alu(self.opcode >> 3),
            0x69 | 0x6b | 0x84 | 0x85 | 0xa8 | 0xa9 => WRITE_ALL,
            0x80..=0x83 => alu(self.modrm_group()),
            // PUSHF, SAHF, LAHF.
            0x9c => READ_ALL,
            0x9e => writes(ALL & !OF),
            0x9f => reads(ALL & !OF),
            // CMPS and SCAS: repeated zero times they write nothing.
            0xa6 | 0xa7 | 0xae | 0xaf if !self.prefixes.intersects(Prefixes::REP.union(Prefixes::REPNE)) => WRITE_ALL,
            0xc0 | 0xc1 => self.shift_flags(self.imm_low),
            0xd0 | 0xd1 => self.shift_flags(1),
            // By cl, which may be 0.
            0xd2 | 0xd3 => self.shift_flags(0),
            // FCMOVcc; FCOMI and its like.
            0xda | 0xdb if matches!(self.modrm, 0xc0..=0xdf) => reads(CF | ZF | PF),
            0xdb | 0xdf if matches!(self.modrm, 0xe8..=0xf7) => writes(CF | ZF | PF),
            0xf5 => FlagEffect { read: CF, write: CF },
            0xf8 | 0xf9 => writes(CF),
            // TEST, NOT, NEG, MUL, IMUL, DIV, IDIV.
            0xf6 | 0xf7 if self.modrm_group() != 2 => WRITE_ALL,
            0xfe | 0xff if self.modrm_group() < 2 => writes(ALL & !CF),
            _ => NONE,
        }
    }

    fn two_byte_flags(&self) -> FlagEffect {
        match self.opcode {
            // SAVEPREVSSP, VMRUN and others nobody needs to know better.
            0x01 if self.is_unusual_0f01() => READ_ALL,
            // VERR and VERW; LAR and LSL.
            0x00 if matches!(self.modrm_group(), 4 | 5) => writes(ZF),
            0x02 | 0x03 => writes(ZF),
            // UCOMIS, COMIS.
            0x2e | 0x2f => WRITE_ALL,
            0x40..=0x4f | 0x90..=0x9f => condition(self.opcode),
            // BT, BTS, BTR, BTC leave ZF alone.
            0xa3 | 0xab | 0xb3 | 0xba | 0xbb => writes(ALL & !ZF),
            0xa4 | 0xac if self.shift_count(self.imm_low) != 0 => WRITE_ALL,
            // IMUL, CMPXCHG, POPCNT, BSF/TZCNT, BSR/LZCNT, XADD.
            0xaf | 0xb0 | 0xb1 | 0xb8 | 0xbc | 0xbd | 0xc0 | 0xc1 => WRITE_ALL,
            // CMPXCHG8B; RDRAND and RDSEED, which with F3 are RDPID and SENDUIPI.
            0xc7 if self.modrm < 0xc0 && self.modrm_group() == 1 => writes(ZF),
            0xc7 if self.modrm >= 0xf0 && self.pp != 2 => WRITE_ALL,
            _ => NONE,
        }
    }

    /// The count that counts: five bits, six with REX.W (SDM vol. 2B, SAL/SAR/SHL/SHR). Of a byte operand, whose
    /// size REX.W does not change, five are sure.
    const fn shift_count(&self, count: u8) -> u8 {
        let is_byte = self.map == 0 && self.opcode & 1 == 0;
        count & if self.rex_w() && !is_byte { 0x3f } else { 0x1f }
    }

    /// Group 2. A count of 0 leaves the flags alone.
    const fn shift_flags(&self, count: u8) -> FlagEffect {
        let count = self.shift_count(count);
        match self.modrm_group() {
            0 | 1 if count != 0 => writes(CF | OF),
            // RCL and RCR take the count modulo 9 or 17 as well, so only 1 is sure not to become 0.
            2 | 3 => FlagEffect { read: CF, write: if count == 1 { CF | OF } else { 0 } },
            4.. if count != 0 => WRITE_ALL,
            _ => NONE,
        }
    }
}
