//! One instruction as operations.

use bt_shim::uapi::{self, Kind, MEMORY, Op, PC, flags};
use bt_translator::decode::{Class, Encoding, Insn, Prefixes};

/// An instruction at a pc, relative to its block.
pub(crate) struct Place<'a> {
    /// The instruction's pc.
    pub(crate) pc: u64,
    /// The pc of the block that it is in.
    pub(crate) block: u64,
    /// Decoded.
    pub(crate) insn: &'a Insn,
    /// Its bytes.
    pub(crate) bytes: &'a [u8],
}

/// What an instruction that does not branch becomes.
pub(crate) enum Lowered {
    /// Nothing: it changes nothing.
    Nothing,
    /// One operation.
    One(Op),
    /// Two, of which the first may be done again.
    Two(Op, Op),
    /// It is ring 3's.
    No,
}

impl Place<'_> {
    /// An operation of this kind for the instruction.
    pub(crate) fn op(&self, kind: Kind) -> Op {
        let at = u32::try_from(self.pc.wrapping_sub(self.block)).unwrap_or(u32::MAX);
        Op { at, len: self.insn.len, ..Op::new(kind) }
    }

    /// Fills in the memory operand; false if it cannot be said.
    pub(crate) fn address(&self, op: &mut Op) -> bool {
        let insn = self.insn;
        if insn.prefixes.contains(Prefixes::SEG_GS) || insn.is_vsib() {
            return false;
        }
        if insn.prefixes.contains(Prefixes::SEG_FS) {
            op.flags |= flags::FS;
        }
        op.rm = MEMORY;
        if insn.is_rip_relative() {
            let distance = insn.rip_target(self.pc, self.bytes).wrapping_sub(self.block).cast_signed();
            let Ok(distance) = i32::try_from(distance) else { return false };
            op.base = PC;
            op.disp = distance;
            return true;
        }
        if insn.prefixes.contains(Prefixes::ADDRSIZE) {
            op.flags |= flags::ADDR32;
        }
        let Ok(disp) = i32::try_from(insn.disp(self.bytes)) else { return false };
        op.disp = disp;
        op.base = insn.base().unwrap_or(uapi::NONE);
        op.index = insn.index().unwrap_or(uapi::NONE);
        op.scale = insn.scale();
        true
    }

    /// Bytes of a general-register operand of an opcode that is not about bytes.
    fn size(&self) -> u8 {
        if self.insn.rex_w() {
            8
        } else if self.insn.prefixes.contains(Prefixes::OPSIZE) {
            2
        } else {
            4
        }
    }

    /// The instruction as operations.
    pub(crate) fn lower(&self) -> Lowered {
        let insn = self.insn;
        if !matches!(insn.class, Class::Plain | Class::Rdtsc) {
            return Lowered::No;
        }
        match (insn.encoding, insn.map) {
            (Encoding::Legacy, 0) => self.one_byte(),
            (Encoding::Legacy, 1) => match insn.opcode {
                // Hints and the landing pad; NOP with an operand does not access it (SDM vol. 2, NOP, PREFETCHh).
                0x0d | 0x18..=0x1f if !matches!(insn.opcode, 0x1a..=0x1b) => Lowered::Nothing,
                0xc8..=0xcf => self.in_opcode(),
                _ => self.general(),
            },
            (Encoding::Legacy, 2 | 3) | (Encoding::Vex, 1..=3) => self.general(),
            _ => Lowered::No,
        }
    }

    fn one_byte(&self) -> Lowered {
        let insn = self.insn;
        let opcode = insn.opcode;
        let repeats = insn.prefixes.intersects(Prefixes::REP.union(Prefixes::REPNE));
        match opcode {
            // NOP and PAUSE; with REX.B it is XCHG.
            0x90 if insn.rex & 1 == 0 => Lowered::Nothing,
            0xa4 | 0xa5 | 0xaa | 0xab => self.string(),
            _ if repeats => Lowered::No,
            0x50..=0x5f if insn.prefixes.contains(Prefixes::OPSIZE) => Lowered::No,
            0x50..=0x57 => Lowered::One(Op { reg: insn.opcode_reg(), ..self.op(Kind::Push) }),
            0x58..=0x5f if insn.opcode_reg() == 4 => Lowered::No,
            0x58..=0x5f => Lowered::One(Op { reg: insn.opcode_reg(), ..self.op(Kind::Pop) }),
            0x68 | 0x6a if !insn.prefixes.contains(Prefixes::OPSIZE) => {
                Lowered::One(Op { imm: insn.imm(self.bytes).cast_unsigned(), ..self.op(Kind::Push) })
            }
            0x8d => self.lea(),
            // XCHG with rax.
            0x90..=0x97 => Lowered::One(Op {
                opcode: 0x87,
                prefix: insn.pp,
                wide: u8::from(insn.rex_w()),
                reg: 0,
                rm: insn.opcode_reg(),
                ..self.op(Kind::Insn)
            }),
            0xb0..=0xbf => self.in_opcode(),
            // LEAVE: mov rsp, rbp; pop rbp.
            0xc9 if !insn.prefixes.contains(Prefixes::OPSIZE) => Lowered::Two(
                Op { opcode: 0x89, wide: 1, reg: 5, rm: 4, ..self.op(Kind::Insn) },
                Op { reg: 5, ..self.op(Kind::Pop) },
            ),
            0xff if insn.modrm_group() == 6 && !insn.prefixes.contains(Prefixes::OPSIZE) => {
                let mut op = self.op(Kind::Push);
                if insn.has_memory_operand() {
                    if self.address(&mut op) { Lowered::One(op) } else { Lowered::No }
                } else {
                    op.reg = insn.rm();
                    Lowered::One(op)
                }
            }
            _ => self.general(),
        }
    }

    fn lea(&self) -> Lowered {
        let mut op = Op { reg: self.insn.reg(), size: self.size(), ..self.op(Kind::Lea) };
        if !self.insn.has_memory_operand() || !self.address(&mut op) {
            return Lowered::No;
        }
        // A segment means nothing to LEA.
        op.flags &= !flags::FS;
        Lowered::One(op)
    }

    /// A general register in the opcode's low bits.
    fn in_opcode(&self) -> Lowered {
        let insn = self.insn;
        let mut op = self.op(Kind::Insn);
        op.map = insn.map;
        op.opcode = insn.opcode & 0xf8;
        op.prefix = insn.pp;
        op.wide = u8::from(insn.rex_w());
        op.reg = insn.opcode_reg();
        op.imm = insn.imm(self.bytes).cast_unsigned();
        op.flags |= self.high_bytes();
        Lowered::One(op)
    }

    fn string(&self) -> Lowered {
        let insn = self.insn;
        let unusual = Prefixes::ADDRSIZE.union(Prefixes::SEG_FS).union(Prefixes::SEG_GS).union(Prefixes::REPNE);
        if insn.prefixes.intersects(unusual) {
            return Lowered::No;
        }
        let size = if insn.opcode & 1 == 0 { 1 } else { self.size() };
        let prefix = if insn.prefixes.contains(Prefixes::REP) { 2 } else { 0 };
        Lowered::One(Op { opcode: insn.opcode, size, prefix, ..self.op(Kind::String) })
    }

    fn high_bytes(&self) -> u8 {
        if self.insn.rex_off == bt_translator::decode::NO_OFFSET { flags::HIGH_BYTE } else { 0 }
    }

    /// An instruction with or without ModRM: the module knows which there are.
    fn general(&self) -> Lowered {
        let insn = self.insn;
        let mut op = self.op(Kind::Insn);
        op.map = insn.map;
        op.opcode = insn.opcode;
        op.prefix = insn.pp;
        if insn.encoding == Encoding::Legacy {
            // Two prefixes that both count (16-bit POPCNT) have no room in the field.
            if insn.pp > 1 && insn.prefixes.contains(Prefixes::OPSIZE) {
                return Lowered::No;
            }
            op.wide = u8::from(insn.rex_w());
            op.flags |= self.high_bytes();
            if insn.prefixes.contains(Prefixes::LOCK) {
                op.flags |= flags::LOCK;
            }
        } else {
            op.encoding = uapi::VEX;
            op.wide = u8::from(insn.rex_w()) | (insn.vector_len & 1) << 1;
            op.vvvv = insn.vvvv;
        }
        op.size = self.size();
        op.imm = insn.imm(self.bytes).cast_unsigned();
        if insn.has_modrm() {
            op.reg = insn.reg();
            if !insn.has_memory_operand() {
                op.rm = insn.rm();
            } else if !self.address(&mut op) {
                return Lowered::No;
            }
        }
        Lowered::One(op)
    }
}
