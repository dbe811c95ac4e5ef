//! Steering: moves before an instruction that make its memory operand lie in an arena (or, sometimes, just not), its
//! count small, its divisor work.

use iced_x86::{EncodingKind, Instruction, Mnemonic, OpAccess, OpKind, Register};

use super::encoding::{has_prefix, offsets, patch, put_move};
use super::generator::{Generator, Limits, Steered};
use super::opcodes::Encoded;
use super::places::{ARENA_BYTES, LOW, USER_DS};
use super::state::COMPONENTS;
use super::target::{Sets, point_relative};

/// Flags that random code may not load: TF would trap in the harness, NT makes the kernel's `iret` special.
const NOT_LOADED: u64 = 1 << 8 | 1 << 14;

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

    /// A segment's base is written: it points into an arena.
    fn write_base(&mut self, insn: &Instruction, sets: &mut Sets) -> Option<()> {
        let is_narrow = insn.op0_register().is_gpr32();
        let arena = if is_narrow { LOW } else { self.random.pick(self.region.arenas) };
        let base = arena + 8 * self.random.below(500);
        sets.add(insn.op0_register(), base)?;
        if insn.mnemonic() == Mnemonic::Wrfsbase {
            self.fs = Some(base);
        } else {
            self.gs = Some(base);
        }
        Some(())
    }

    /// A segment register is loaded.
    fn load_segment(&mut self, insn: &Instruction, sets: &mut Sets) -> Option<()> {
        let is_gs = insn.op0_register() == Register::GS;
        if insn.op1_kind() != OpKind::Register {
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
        Some(())
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
            Mnemonic::Wrfsbase | Mnemonic::Wrgsbase => self.write_base(&insn, sets)?,
            Mnemonic::Mov if op0 == OpKind::Register && insn.op0_register().is_segment_register() => {
                self.load_segment(&insn, sets)?;
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
}

fn writes_register(info: &[iced_x86::UsedRegister], register: Register) -> bool {
    info.iter().any(|used| {
        used.register().full_register() == register
            && !matches!(used.access(), OpAccess::Read | OpAccess::CondRead | OpAccess::None)
    })
}

/// What the translator does not rewrite and the runtime refuses with a line: no compiler makes these relative to gs
/// with a 32-bit address.
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
