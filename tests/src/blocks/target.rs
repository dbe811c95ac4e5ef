//! Where operands in memory are to be, and the registers that make them so.

use iced_x86::{Code, CodeSize, Encoder, EncodingKind, Instruction, MemoryOperand, Mnemonic, OpAccess, Register};

use super::encoding::{offsets, patch, put_move};
use super::generator::{Generator, Limits};
use super::opcodes::Encoded;
use super::places::{ARENA_BYTES, INDICES_32, INDICES_64, LOW, MXCSR_VALUES, SELECTORS, XSAVE_IMAGE};

/// Values that general registers are given before an instruction.
#[derive(Default)]
pub(super) struct Sets(pub(super) Vec<(Register, u64)>);

impl Sets {
    /// `None` if the register is needed with another value.
    pub(super) fn add(&mut self, register: Register, value: u64) -> Option<()> {
        let register = register.full_register();
        match self.0.iter().find(|(known, _)| *known == register) {
            Some((_, other)) => (*other == value).then_some(()),
            None => {
                self.0.push((register, value));
                Some(())
            }
        }
    }

    pub(super) fn get(&self, register: Register) -> Option<u64> {
        let register = register.full_register();
        self.0.iter().find(|(known, _)| *known == register).map(|&(_, value)| value)
    }
}

/// What an operand's address is to be.
pub(super) struct Target {
    pub(super) linear: u64,
    pub(super) is_in_arena: bool,
}

impl Generator<'_> {
    pub(super) fn segment_base(&self, segment: Register) -> Option<u64> {
        match segment {
            Register::FS => self.fs,
            Register::GS => self.gs,
            _ => Some(0),
        }
    }

    pub(super) fn choose_target(&mut self, insn: &Instruction, limits: Limits) -> Option<Target> {
        let constants = |offset| Target { linear: self.region.constants + offset, is_in_arena: false };
        let segment = insn.memory_segment();
        let is_narrow = is_32_bit_address(insn);
        let is_plain = !matches!(segment, Register::FS | Register::GS) && !is_narrow;
        match insn.mnemonic() {
            Mnemonic::Ldmxcsr | Mnemonic::Vldmxcsr if is_plain => {
                let at = 4 * self.random.below(64);
                return Some(constants(MXCSR_VALUES + at));
            }
            Mnemonic::Xrstor | Mnemonic::Xrstor64 | Mnemonic::Fxrstor | Mnemonic::Fxrstor64 if is_plain => {
                return Some(constants(XSAVE_IMAGE));
            }
            Mnemonic::Mov | Mnemonic::Lss | Mnemonic::Lfs
                if is_plain
                    && (insn.mnemonic() != Mnemonic::Mov || insn.op0_register().is_segment_register())
                    && !self.random.one_in(4) =>
            {
                return Some(constants(SELECTORS));
            }
            _ => {}
        }
        let is_area = insn.is_save_restore_instruction() || insn.memory_size().size() > 64;
        let alignment: u64 = if is_area || !self.random.one_in(8) { 64 } else { 1 };
        let room = if is_area { ARENA_BYTES - 4096 } else { ARENA_BYTES - 2048 };
        let inside = (1024 + self.random.below(room - 1024)) & !(alignment - 1);
        if matches!(segment, Register::FS | Register::GS) {
            // Relative to the base, so that 32-bit displacements and addresses reach it.
            let base = self.segment_base(segment)?;
            let linear = (base + 512 + self.random.below(2048)) & !(alignment - 1);
            return Some(Target { linear, is_in_arena: true });
        }
        if !limits.no_fault && !is_narrow && self.random.one_in(24) {
            let arena = self.random.pick(self.region.arenas);
            // What must be hidden is either stored where it can be, or not at all.
            let is_partial_allowed = nondeterministic_fields(insn).is_empty();
            let linear = match self.random.below(3) {
                0 if !is_partial_allowed => return None,
                // Across the end, and after it.
                0 => arena + ARENA_BYTES - 1 - self.random.below(16),
                1 => arena + ARENA_BYTES + self.random.below(2048),
                _ => 0x8000_0000_0000_0000 | self.random.next() >> 8,
            };
            return Some(Target { linear, is_in_arena: false });
        }
        let arena = if is_narrow { LOW } else { self.random.pick(self.region.arenas) };
        Some(Target { linear: arena + inside, is_in_arena: true })
    }

    /// What base, index and displacement must add up to.
    pub(super) fn offset_in_segment(&self, insn: &Instruction, linear: u64) -> Option<u64> {
        let sum = linear.wrapping_sub(self.segment_base(insn.memory_segment())?);
        (!is_32_bit_address(insn) || u32::try_from(sum).is_ok()).then_some(sum)
    }

    /// Sets base and index, or the displacement where there is neither.
    pub(super) fn point(
        &mut self,
        encoded: &mut Encoded,
        sum: u64,
        sets: &mut Sets,
        lead: u64,
        first: &mut Vec<u8>,
    ) -> Option<()> {
        let insn = encoded.insn;
        let (base, index) = (insn.memory_base(), insn.memory_index());
        let scale = u64::from(insn.memory_index_scale());
        let disp = insn.memory_displacement64();
        let narrow = |value: u64| {
            if is_32_bit_address(&insn) { value & 0xffff_ffff } else { value }
        };
        if insn.is_ip_rel_memory_operand() {
            return Some(());
        }
        let is_inexact = index != Register::None && (base == Register::None || base == index);
        // Where the exact address matters: something was stored there, or will be.
        if is_inexact && (lead != 0 || !nondeterministic_fields(&insn).is_empty()) {
            return None;
        }
        if insn.is_vsib() {
            self.set_vector_index(&insn, lead, first)?;
            if base == Register::None {
                return None;
            }
            return sets.add(base, narrow(sum.wrapping_sub(disp)));
        }
        match (base, index) {
            (Register::None, Register::None) => {
                let field = offsets(&encoded.bytes);
                let len = field.displacement_size();
                let fits = match len {
                    8 => true,
                    4 if is_32_bit_address(&insn) => u32::try_from(sum).is_ok(),
                    _ => i32::try_from(sum.cast_signed()).is_ok(),
                };
                if !fits {
                    return None;
                }
                patch(&mut encoded.bytes, field.displacement_offset(), sum, len)?;
                encoded.insn = Encoded::decode(&encoded.bytes, 0)?.insn;
                Some(())
            }
            (base, Register::None) => {
                let value = narrow(sum.wrapping_sub(disp));
                if base.full_register() == Register::RSP
                    && self.rsp_is_good
                    && disp < 1024
                    && insn.memory_segment() == Register::SS
                    && base == Register::RSP
                {
                    return Some(());
                }
                sets.add(base, value)
            }
            (Register::None, index) => sets.add(index, narrow(sum.wrapping_sub(disp)) / scale),
            (base, index) if base == index => sets.add(base, narrow(sum.wrapping_sub(disp)) / (1 + scale)),
            (base, index) => {
                let known = sets.get(index);
                let small = self.random.below(128);
                let value = known.unwrap_or(if self.random.one_in(4) && !is_32_bit_address(&insn) {
                    small.wrapping_neg()
                } else {
                    small
                });
                sets.add(index, value)?;
                let rest = sum.wrapping_sub(disp).wrapping_sub(value.wrapping_mul(scale));
                sets.add(base, narrow(rest))
            }
        }
    }

    /// Loads small numbers into the index register of a gather or scatter.
    pub(super) fn set_vector_index(&mut self, insn: &Instruction, lead: u64, first: &mut Vec<u8>) -> Option<()> {
        let table = if insn.is_vsib64() { INDICES_64 } else { INDICES_32 };
        let table = self.region.constants + table;
        let register = insn.memory_index();
        let number = u32::try_from(register.number()).ok()?;
        let memory = MemoryOperand::with_base_displ(Register::RIP, table.cast_signed());
        let code = match insn.code().encoding() {
            EncodingKind::EVEX => Code::EVEX_Vmovdqu64_zmm_k1z_zmmm512,
            _ => Code::VEX_Vmovdqu_ymm_ymmm256,
        };
        let full =
            if code == Code::VEX_Vmovdqu_ymm_ymmm256 { Register::YMM0 + number } else { Register::ZMM0 + number };
        let load = Instruction::with2(code, full, memory).ok()?;
        let mut encoder = Encoder::new(64);
        encoder.encode(&load, self.here() + lead).ok()?;
        *first = encoder.take_buffer();
        Some(())
    }

    /// Registers that address memory without being named.
    pub(super) fn implied(
        &mut self,
        insn: &Instruction,
        is_explicit: bool,
        info: &iced_x86::InstructionInfo,
        sets: &mut Sets,
    ) -> Option<()> {
        for memory in info.used_memory() {
            let base = memory.base().full_register();
            let is_explicit_one =
                is_explicit && base == insn.memory_base().full_register() && memory.index() == insn.memory_index();
            if is_explicit_one || base == Register::RSP || !base.is_gpr() || sets.get(base).is_some() {
                continue;
            }
            if memory.access() == OpAccess::NoMemAccess {
                continue;
            }
            let is_narrow = memory.address_size() == CodeSize::Code32;
            let arena = if is_narrow { LOW } else { self.random.pick(self.region.arenas) };
            let segment = self.segment_base(memory.segment())?;
            let offset = if matches!(memory.segment(), Register::FS | Register::GS) {
                512 + self.random.below(2048)
            } else {
                2048 + self.random.below(ARENA_BYTES - 4096)
            };
            let alignment = if self.random.one_in(8) { 1 } else { 64 };
            if matches!(memory.segment(), Register::FS | Register::GS) {
                sets.add(base, offset)?;
            } else {
                sets.add(base, arena.wrapping_sub(segment) + (offset & !(alignment - 1)))?;
            }
        }
        Some(())
    }

    /// Stored x87 instruction pointers differ by nature, as the code runs elsewhere: they are overwritten. So is
    /// XSTATE_BV: which components the CPU holds to be in use is its own business (SDM vol. 1 13.6).
    pub(super) fn hide_instruction_pointers(
        &mut self,
        insn: &Instruction,
        linear: u64,
        after: &mut Vec<u8>,
    ) -> Option<()> {
        let fields = nondeterministic_fields(insn);
        if fields.is_empty() {
            return Some(());
        }
        // Through a register whose value is then lost: the reach of a displacement is not certain here.
        put_move(after, Register::R11, linear);
        for &(offset, len) in fields {
            // Byte by byte: no alignment check can stop it half-way.
            for at in offset..offset + len {
                after.extend([0x41, 0xc6, 0x83]);
                after.extend(at.to_le_bytes().get(..4)?);
                after.push(0);
            }
        }
        Some(())
    }
}

/// Offset and length of what a store of x87 or extended state must not be compared in.
fn nondeterministic_fields(insn: &Instruction) -> &'static [(u64, u64)] {
    match insn.mnemonic() {
        Mnemonic::Fnstenv | Mnemonic::Fnsave => {
            let is_short = insn.memory_size().size() == 14 || insn.memory_size().size() == 94;
            if is_short { &[(6, 8)] } else { &[(12, 8), (20, 8)] }
        }
        Mnemonic::Fxsave | Mnemonic::Fxsave64 => &[(6, 2), (8, 8), (16, 8)],
        Mnemonic::Xsave | Mnemonic::Xsave64 => &[(6, 2), (8, 8), (16, 8), (512, 8)],
        _ => &[],
    }
}

fn is_32_bit_address(insn: &Instruction) -> bool {
    let (base, index) = (insn.memory_base(), insn.memory_index());
    base.is_gpr32()
        || index.is_gpr32()
        || base == Register::EIP
        || base == Register::None && index == Register::None && insn.memory_displ_size() == 4
}

fn displacement_reaches(linear: u64, next: u64) -> bool {
    i32::try_from(linear.wrapping_sub(next).cast_signed()).is_ok()
}

/// Patches the displacement of a RIP-relative operand.
pub(super) fn point_relative(encoded: &mut Encoded, sum: u64, next: u64) -> Option<()> {
    let insn = encoded.insn;
    if !insn.is_ip_rel_memory_operand() {
        return Some(());
    }
    if insn.memory_base() == Register::RIP && !displacement_reaches(sum, next) {
        return None;
    }
    let at = offsets(&encoded.bytes).displacement_offset();
    patch(&mut encoded.bytes, at, sum.wrapping_sub(next), 4)?;
    encoded.insn = Encoded::decode(&encoded.bytes, next - encoded.bytes.len() as u64)?.insn;
    Some(())
}
