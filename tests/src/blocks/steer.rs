//! Steering: moves before an instruction that make its memory operand lie in an arena (or, sometimes, just not), its
//! count small, its divisor work.

use iced_x86::{
    Code, CodeSize, Decoder, DecoderOptions, Encoder, EncodingKind, Instruction, MemoryOperand, Mnemonic, OpAccess,
    OpKind, Register,
};

use super::generate::{COMPONENTS, Generator, Limits, Steered};
use super::opcodes::Encoded;
use super::places::{ARENA_BYTES, INDICES_32, INDICES_64, LOW, MXCSR_VALUES, SELECTORS, USER_DS, XSAVE_IMAGE};

/// Flags that random code may not load: TF would trap in the harness, NT makes the kernel's `iret` special.
const NOT_LOADED: u64 = 1 << 8 | 1 << 14;

/// Values that general registers are given before an instruction.
#[derive(Default)]
struct Sets(Vec<(Register, u64)>);

impl Sets {
    /// `None` if the register is needed with another value.
    fn add(&mut self, register: Register, value: u64) -> Option<()> {
        let register = register.full_register();
        match self.0.iter().find(|(known, _)| *known == register) {
            Some((_, other)) => (*other == value).then_some(()),
            None => {
                self.0.push((register, value));
                Some(())
            }
        }
    }

    fn get(&self, register: Register) -> Option<u64> {
        let register = register.full_register();
        self.0.iter().find(|(known, _)| *known == register).map(|&(_, value)| value)
    }
}

/// What an operand's address is to be.
struct Target {
    linear: u64,
    is_in_arena: bool,
}

pub(super) fn has_prefix(bytes: &[u8], wanted: u8) -> bool {
    bytes
        .iter()
        .take_while(|&&byte| matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3 | 0x40..=0x4f))
        .any(|&byte| byte == wanted)
}

/// A REX prefix in front of another prefix, or two segments.
pub(super) fn has_stray_prefix(bytes: &[u8]) -> bool {
    let segments = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
    if segments.into_iter().filter(|&segment| has_prefix(bytes, segment)).count() > 1 {
        return true;
    }
    let is_rex = |byte: u8| matches!(byte, 0x40..=0x4f);
    let is_prefix = |byte: u8| is_rex(byte) || has_prefix(&[byte], byte);
    bytes.windows(2).take_while(|pair| is_prefix(pair[0])).any(|pair| is_rex(pair[0]) && is_prefix(pair[1]))
}

/// `mov r64, imm` in one of its forms.
pub(super) fn put_move(code: &mut Vec<u8>, register: Register, value: u64) {
    let [number, ..] = register.number().to_le_bytes();
    let (b, low) = (number >> 3, number & 7);
    match u32::try_from(value) {
        Ok(value) => {
            if b != 0 {
                code.push(0x41);
            }
            code.push(0xb8 | low);
            code.extend(value.to_le_bytes());
        }
        Err(_) => {
            code.extend([0x48 | b, 0xb8 | low]);
            code.extend(value.to_le_bytes());
        }
    }
}

/// Offset of the displacement or immediate field, by the decoder's word.
pub(super) fn offsets(bytes: &[u8]) -> iced_x86::ConstantOffsets {
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let insn = decoder.decode();
    decoder.get_constant_offsets(&insn)
}

fn patch(bytes: &mut [u8], at: usize, value: u64, len: usize) -> Option<()> {
    bytes.get_mut(at..at + len)?.copy_from_slice(value.to_le_bytes().get(..len)?);
    Some(())
}

fn writes_register(info: &[iced_x86::UsedRegister], register: Register) -> bool {
    info.iter().any(|used| {
        used.register().full_register() == register
            && !matches!(used.access(), OpAccess::Read | OpAccess::CondRead | OpAccess::None)
    })
}

fn displacement_reaches(linear: u64, next: u64) -> bool {
    i32::try_from(linear.wrapping_sub(next).cast_signed()).is_ok()
}

impl Generator<'_> {
    /// Puts moves before an instruction. `None` when its operands contradict each other.
    pub(super) fn steer(&mut self, mut encoded: Encoded, limits: Limits) -> Option<Steered> {
        let mut sets = Sets::default();
        let (mut first, mut pushes) = (Vec::new(), Vec::new());
        let info = self.info.info(&encoded.insn).clone();
        if is_refused(&encoded) {
            return None;
        }
        let is_stack = encoded.insn.is_stack_instruction();
        let writes_rsp = writes_register(info.used_registers(), Register::RSP);
        if limits.is_calm {
            let touches = |r| info.used_registers().iter().any(|used| used.register().full_register() == r);
            let changes_base =
                matches!(encoded.insn.mnemonic(), Mnemonic::Wrfsbase | Mnemonic::Wrgsbase | Mnemonic::Mov)
                    || !info.used_memory().is_empty();
            if touches(Register::RSP) || touches(Register::RCX) || changes_base {
                return None;
            }
        }
        let mut after = Vec::new();
        self.special(&mut encoded, &mut sets, &mut pushes)?;
        let uses_stack = is_stack || encoded.insn.mnemonic() == Mnemonic::Enter;
        if uses_stack && !self.rsp_is_good {
            let arena = self.random.pick(self.region.arenas);
            let at = arena + ARENA_BYTES / 2 + 8 * self.random.below(64);
            sets.add(Register::RSP, at)?;
            self.rsp_is_good = true;
        }
        let is_explicit = (0..encoded.insn.op_count()).any(|n| encoded.insn.op_kind(n) == OpKind::Memory)
            && encoded.insn.mnemonic() != Mnemonic::Xlatb;
        let is_accessed =
            info.used_memory().iter().any(|memory| !matches!(memory.access(), OpAccess::NoMemAccess | OpAccess::None));
        let mut address = None;
        let mut target = None;
        if is_explicit && is_accessed {
            let wanted = self.choose_target(&encoded.insn, limits)?;
            let sum = self.offset_in_segment(&encoded.insn, wanted.linear)?;
            self.point(&mut encoded, sum, &mut sets, limits.lead, &mut first)?;
            target = Some((wanted, sum));
        }
        self.implied(&encoded.insn, is_explicit, &info, &mut sets)?;
        let mut before = first;
        for &(register, value) in &sets.0 {
            put_move(&mut before, register, value);
        }
        before.extend(pushes);
        if limits.is_calm && !before.is_empty() {
            return None;
        }
        if let Some((wanted, sum)) = target {
            let next = self.here() + limits.lead + (before.len() + encoded.bytes.len()) as u64;
            point_relative(&mut encoded, sum, next)?;
            address = Some(wanted.linear);
            if wanted.is_in_arena {
                self.hide_instruction_pointers(&encoded.insn, wanted.linear, &mut after)?;
            }
            let is_through_rsp = encoded.insn.memory_base().full_register() == Register::RSP;
            if is_through_rsp && sets.get(Register::RSP).is_some() {
                if is_stack {
                    return None;
                }
                self.rsp_is_good = false;
            }
        } else if encoded.insn.is_ip_rel_memory_operand() {
            // Only computed: `lea` and relatives may name any address.
            encoded = Encoded::decode(&encoded.bytes, self.here() + limits.lead)?;
        }
        let explicit_rsp = (0..encoded.insn.op_count()).any(|n| {
            encoded.insn.op_kind(n) == OpKind::Register
                && encoded.insn.op_register(n).full_register() == Register::RSP
                && encoded.insn.op_register(n).is_gpr()
        });
        let moves_far = matches!(encoded.insn.mnemonic(), Mnemonic::Enter | Mnemonic::Leave);
        if writes_rsp && (!is_stack || explicit_rsp || moves_far) {
            self.rsp_is_good = false;
        }
        Some(Steered { before, encoded, after, address })
    }

    /// What single instructions need.
    fn special(&mut self, encoded: &mut Encoded, sets: &mut Sets, before: &mut Vec<u8>) -> Option<()> {
        let insn = encoded.insn;
        let (op0, op1) = (insn.op0_kind(), insn.op1_kind());
        match insn.mnemonic() {
            Mnemonic::Div | Mnemonic::Idiv if !self.random.one_in(8) => {
                // A small dividend: any divisor but zero works.
                let small = self.random.below(0x7f);
                let is_byte = op0 == OpKind::Register && insn.op0_register().is_gpr8()
                    || op0 == OpKind::Memory && insn.memory_size().size() == 1;
                sets.add(Register::RAX, if is_byte { small } else { self.random.next() >> 33 })?;
                sets.add(Register::RDX, 0)?;
                let divisor = insn.op0_register().full_register();
                if op0 == OpKind::Register && divisor != Register::RAX && divisor != Register::RDX {
                    sets.add(divisor, self.random.next() | 0x0101_0101)?;
                }
            }
            Mnemonic::Bt | Mnemonic::Bts | Mnemonic::Btr | Mnemonic::Btc
                if op0 == OpKind::Memory && op1 == OpKind::Register =>
            {
                // The bit offset is a signed index into memory.
                let bits = self.random.below(4096);
                let offset = if self.random.one_in(3) { bits.wrapping_neg() } else { bits };
                sets.add(insn.op1_register(), offset)?;
            }
            Mnemonic::Popf | Mnemonic::Popfd | Mnemonic::Popfq => {
                if self.random.one_in(8) {
                    return None;
                }
                let flags = self.random.next() & 0x0024_4fd5 & !NOT_LOADED;
                before.push(0x68);
                before.extend(flags.to_le_bytes().get(..4)?);
            }
            Mnemonic::Xgetbv => sets.add(Register::RCX, 0)?,
            Mnemonic::Cpuid => {
                sets.add(Register::RAX, self.random.pick(&[0, 0x8000_0000, 0x8000_0002]))?;
                sets.add(Register::RCX, 0)?;
            }
            Mnemonic::Xsave | Mnemonic::Xsave64 | Mnemonic::Xrstor | Mnemonic::Xrstor64 => {
                sets.add(Register::RAX, self.random.pick(&[COMPONENTS, COMPONENTS, 3, 7]))?;
                sets.add(Register::RDX, 0)?;
            }
            Mnemonic::Enter => {
                let at = encoded.bytes.len() - 3;
                let size = 8 * self.random.below(16);
                patch(&mut encoded.bytes, at, size | self.random.below(4) << 16, 3)?;
                encoded.insn = Encoded::decode(&encoded.bytes, 0)?.insn;
            }
            Mnemonic::Int if insn.immediate8() == 0x80 => return None,
            Mnemonic::Wrfsbase | Mnemonic::Wrgsbase => {
                let is_narrow = insn.op0_register().is_gpr32();
                let arena = if is_narrow { LOW } else { self.random.pick(self.region.arenas) };
                let base = arena + 8 * self.random.below(500);
                sets.add(insn.op0_register(), base)?;
                if insn.mnemonic() == Mnemonic::Wrfsbase {
                    self.fs = Some(base);
                } else {
                    self.gs = Some(base);
                }
            }
            Mnemonic::Mov if op0 == OpKind::Register && insn.op0_register().is_segment_register() => {
                let is_gs = insn.op0_register() == Register::GS;
                if op1 != OpKind::Register {
                    // Random selectors fault; a null one in fs clears its base.
                    return (!is_gs && insn.op0_register() != Register::FS).then_some(());
                }
                let selector = if is_gs || insn.op0_register() == Register::FS {
                    0
                } else {
                    self.random.pick(&[USER_DS, USER_DS, USER_DS, 0])
                };
                sets.add(insn.op1_register(), selector)?;
                match insn.op0_register() {
                    Register::GS => self.gs = None,
                    Register::FS => self.fs = None,
                    _ => {}
                }
            }
            Mnemonic::Lfs => self.fs = None,
            Mnemonic::Pop if insn.op0_register() == Register::FS => self.fs = None,
            _ => {}
        }
        if insn.is_string_instruction() && (insn.has_rep_prefix() || insn.has_repne_prefix()) {
            sets.add(Register::RCX, self.random.below(34))?;
        }
        Some(())
    }

    fn segment_base(&self, segment: Register) -> Option<u64> {
        match segment {
            Register::FS => self.fs,
            Register::GS => self.gs,
            _ => Some(0),
        }
    }

    fn choose_target(&mut self, insn: &Instruction, limits: Limits) -> Option<Target> {
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
                // Across the end, and behind it.
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
    fn offset_in_segment(&self, insn: &Instruction, linear: u64) -> Option<u64> {
        let sum = linear.wrapping_sub(self.segment_base(insn.memory_segment())?);
        (!is_32_bit_address(insn) || u32::try_from(sum).is_ok()).then_some(sum)
    }

    /// Sets base and index, or the displacement where there is neither.
    fn point(
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
    fn set_vector_index(&mut self, insn: &Instruction, lead: u64, first: &mut Vec<u8>) -> Option<()> {
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
    fn implied(
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

    /// Stored x87 instruction pointers differ by nature, as the code runs elsewhere: they are overwritten. So is XSTATE_BV: which
    /// components the CPU holds to be in use is its own business (SDM vol. 1 13.6).
    fn hide_instruction_pointers(&mut self, insn: &Instruction, linear: u64, after: &mut Vec<u8>) -> Option<()> {
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

/// What the translator does not rewrite and the runtime refuses with a line: no compiler makes these relative to gs with a
/// 32-bit address.
fn is_refused(encoded: &Encoded) -> bool {
    let insn = &encoded.insn;
    let is_scaled = insn.code().encoding() == EncodingKind::EVEX && offsets(&encoded.bytes).displacement_size() == 1;
    let is_string = insn.is_string_instruction() || insn.mnemonic() == Mnemonic::Xlatb;
    let is_special = is_string || is_scaled || insn.is_vsib() || insn.mnemonic() == Mnemonic::Movdir64b;
    // With UMIP the kernel emulates these, and not with every kind of address (arch/x86/kernel/umip.c).
    let is_emulated = matches!(insn.mnemonic(), Mnemonic::Str | Mnemonic::Sldt | Mnemonic::Smsw);
    if is_emulated && (insn.segment_prefix() == Register::GS || insn.is_ip_rel_memory_operand()) {
        return true;
    }
    insn.segment_prefix() == Register::GS && is_special && has_prefix(&encoded.bytes, 0x67)
}

fn is_32_bit_address(insn: &Instruction) -> bool {
    let (base, index) = (insn.memory_base(), insn.memory_index());
    base.is_gpr32()
        || index.is_gpr32()
        || base == Register::EIP
        || base == Register::None && index == Register::None && insn.memory_displ_size() == 4
}

/// Patches the displacement of a RIP-relative operand.
fn point_relative(encoded: &mut Encoded, sum: u64, next: u64) -> Option<()> {
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
