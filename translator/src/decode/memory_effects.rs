//! Which instructions may store to memory: the translator's question about self-modifying code and shared pages.
//!
//! Errs towards yes; exact for the common loads, stores and arithmetic.

use super::{Class, Encoding, Insn};

impl Insn {
    /// True when the instruction may write to memory, the stack included.
    #[must_use]
    pub fn may_write_memory(&self) -> bool {
        match self.encoding {
            Encoding::Legacy => match self.map {
                0 => self.one_byte_writes(),
                1 => self.two_byte_writes(),
                2 => self.map_0f38_writes(),
                // PEXTRB, PEXTRW, PEXTRD, EXTRACTPS.
                _ => self.has_memory_operand() && matches!(self.opcode, 0x14..=0x17),
            },
            Encoding::Vex => self.vex_writes(),
            Encoding::Evex => self.has_memory_operand() && self.evex_writes(),
            // LWP writes its ring buffer, and its control block when that is exchanged (APM vol. 2 13.4).
            Encoding::Xop => self.map > 8 && self.opcode == 0x12,
            Encoding::Now3d => false,
        }
    }

    fn one_byte_writes(&self) -> bool {
        let group = self.modrm_group();
        match self.opcode {
            // PUSH, PUSHF, ENTER; INS, MOVS, STOS; MOV moffs.
            0x50..=0x57 | 0x68 | 0x6a | 0x9c | 0xc8 | 0x6c | 0x6d | 0xa2..=0xa5 | 0xaa | 0xab => true,
            0xff if matches!(group, 2 | 3 | 6) => true,
            _ if matches!(self.class, Class::Call | Class::Int(_) | Class::Int3 | Class::Int1) => true,
            _ if !self.has_memory_operand() => false,
            // CMP alone of the eight leaves its destination as it is.
            0x00..=0x3f => self.opcode & 6 == 0 && self.opcode < 0x38,
            0x80..=0x83 => group != 7,
            0x86..=0x89 | 0x8c | 0x8f | 0xc0 | 0xc1 | 0xc6 | 0xc7 | 0xd0..=0xd3 | 0xfe | 0xff => {
                self.opcode != 0xff || group < 2
            }
            // FST, FSTP, FNSTENV, FNSTCW; FISTTP, FIST, FISTP, FSTP m80; FNSAVE, FNSTSW; FBSTP.
            0xd9 => matches!(group, 2 | 3 | 6 | 7),
            0xdb => matches!(group, 1 | 2 | 3 | 7),
            0xdd => matches!(group, 1 | 2 | 3 | 6 | 7),
            0xdf => matches!(group, 1 | 2 | 3 | 6 | 7),
            // NOT, NEG.
            0xf6 | 0xf7 => matches!(group, 2 | 3),
            _ => false,
        }
    }

    fn two_byte_writes(&self) -> bool {
        let group = self.modrm_group();
        match self.opcode {
            // PUSH FS, PUSH GS; XSTORE and MONTMUL; MASKMOVQ.
            0xa0 | 0xa8 | 0xa6 | 0xa7 | 0xf7 => true,
            // The register forms of 0F 01 are instructions of their own, among them CLZERO and SAVEPREVSSP.
            0x01 if self.is_unusual_0f01() => true,
            0x01 => self.has_memory_operand() && matches!(group, 0 | 1 | 4 | 5),
            // SENDUIPI posts into memory that its operand only indexes.
            0xc7 if self.modrm >= 0xf0 => self.pp == 2 && group == 6,
            _ if !self.has_memory_operand() => false,
            0x00 => group < 2,
            0x11 | 0x13 | 0x17 | 0x1b | 0x29 | 0x2b | 0x7f | 0xd6 | 0xe7 => true,
            // VMREAD; MOVD and MOVQ, whose F3 form is a load.
            0x78 => true,
            0x7e => self.pp != 2,
            0x90..=0x9f | 0xa4 | 0xa5 | 0xac | 0xad | 0xab | 0xb3 | 0xbb | 0xb0 | 0xb1 | 0xc0 | 0xc1 | 0xc3 => true,
            0xba => group > 4,
            // FXSAVE, STMXCSR, XSAVE, XSAVEOPT and CLRSSBSY.
            0xae => matches!(group, 0 | 3 | 4 | 6),
            // All but XRSTORS.
            0xc7 => group != 3,
            _ => false,
        }
    }

    /// Register forms of `0F 01` other than the ones user code is known to execute without storing:
    /// XGETBV, XEND, XTEST, SERIALIZE, RDPKRU, WRPKRU, RDTSCP.
    pub(super) fn is_unusual_0f01(&self) -> bool {
        self.modrm >= 0xc0
            && !matches!(self.modrm, 0xd0 | 0xd5 | 0xd6 | 0xee | 0xef | 0xf9)
            && (self.modrm != 0xe8 || self.pp != 0)
    }

    fn map_0f38_writes(&self) -> bool {
        self.has_memory_operand()
            && match self.opcode {
                // MOVBE; with F2 CRC32.
                0xf1 => self.pp != 3,
                // WRUSS, WRSS, MOVDIR64B and ENQCMD, MOVDIRI, AADD and group.
                0xf5 | 0xf8 | 0xf9 | 0xfc => true,
                0xf6 => self.pp == 0,
                _ => false,
            }
    }

    fn vex_writes(&self) -> bool {
        // VMASKMOVDQU stores to [rdi].
        if self.map == 1 && self.opcode == 0xf7 {
            return true;
        }
        self.has_memory_operand()
            && match (self.map, self.opcode) {
                (1, 0x11 | 0x13 | 0x17 | 0x29 | 0x2b | 0x7f | 0x91 | 0xd6 | 0xe7) => true,
                (1, 0x7e) => self.pp != 2,
                (1, 0xae) => self.modrm_group() == 3,
                // VMASKMOV, VPMASKMOV, CMPccXADD.
                (2, 0x2e | 0x2f | 0x8e | 0xe0..=0xef) => true,
                // STTILECFG, TILESTORED.
                (2, 0x49) => self.pp == 1,
                (2, 0x4b) => self.pp == 2,
                // VPEXTR and VEXTRACTPS, VEXTRACTF128, VCVTPS2PH, VEXTRACTI128.
                (3, 0x14..=0x17 | 0x19 | 0x1d | 0x39) => true,
                _ => false,
            }
    }

    fn evex_writes(&self) -> bool {
        match (self.map, self.opcode) {
            (1, 0x11 | 0x13 | 0x17 | 0x29 | 0x2b | 0x7f | 0xd6 | 0xe7) => true,
            (1, 0x7e) => self.pp != 2,
            // VPMOV with truncation.
            (2, 0x10..=0x15 | 0x20..=0x25 | 0x30..=0x35) => self.pp == 2,
            // VPCOMPRESS, VCOMPRESS, scatters.
            (2, 0x63 | 0x8a | 0x8b | 0xa0..=0xa3) => true,
            (3, 0x14..=0x17 | 0x19 | 0x1b | 0x1d | 0x39 | 0x3b) => true,
            // VMOVSH, VMOVW.
            (5, 0x11 | 0x7e) => true,
            _ => false,
        }
    }
}
