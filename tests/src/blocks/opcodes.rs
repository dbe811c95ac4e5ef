//! What blocks are made of: every iced `Code` of 64-bit mode, in its register and its memory form.

use iced_x86::{
    Code, Decoder, DecoderOptions, EncodingKind, Instruction, MandatoryPrefix, Mnemonic, OpCodeOperandKind,
    OpCodeTableKind, OpKind, Register,
};

use super::random::Random;

/// Operand form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// No operand is memory, or only an implied one.
    Register,
    /// An operand is memory.
    Memory,
}

/// One thing to cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) code: Code,
    pub(crate) form: Form,
}

/// Instructions that are left out, with the reason.
const EXCLUDED: &[(Mnemonic, &str)] = &[
    (Mnemonic::Syscall, "random numbers would do anything; the guests cover it"),
    (Mnemonic::Sysenter, "not a system call in 64-bit code on Linux"),
    (Mnemonic::Rdtsc, "time"),
    (Mnemonic::Rdtscp, "time"),
    (Mnemonic::Rdpmc, "time"),
    (Mnemonic::Rdpru, "time"),
    (Mnemonic::Rdrand, "random by purpose"),
    (Mnemonic::Rdseed, "random by purpose"),
    (Mnemonic::Rdpid, "depends on the CPU it runs on"),
    (Mnemonic::Lsl, "one segment's limit is the number of the CPU it runs on"),
    (Mnemonic::Umonitor, "waits"),
    (Mnemonic::Umwait, "waits"),
    (Mnemonic::Tpause, "waits"),
    (Mnemonic::Mwait, "waits"),
    (Mnemonic::Mwaitx, "waits"),
    (Mnemonic::Sgdt, "shows the CPU it runs on, or the kernel's emulation of it"),
    (Mnemonic::Sidt, "shows the CPU it runs on, or the kernel's emulation of it"),
    (Mnemonic::Xbegin, "whether a transaction commits depends on interrupts"),
    (Mnemonic::Xsaveopt, "what it writes depends on what was saved before, and where"),
    (Mnemonic::Xsaveopt64, "see xsaveopt"),
    (Mnemonic::Wrpkru, "takes the harness's memory away"),
    (Mnemonic::Vmcall, "the hypervisor's answer is no part of the CPU"),
    (Mnemonic::Vmmcall, "the hypervisor's answer is no part of the CPU"),
    (Mnemonic::Vmgexit, "a prefixed vmmcall: KVM rewrites it in place, which read-only code does not let it"),
    (Mnemonic::Iret, "far return: the guests cover iretq"),
    (Mnemonic::Iretd, "far return"),
    (Mnemonic::Iretq, "far return"),
    (Mnemonic::Retf, "far return: refused by the runtime"),
    (Mnemonic::Lgs, "the runtime refuses selectors other than null"),
    (Mnemonic::Ldtilecfg, "AMX needs a permission of the kernel's"),
    (Mnemonic::Sttilecfg, "AMX needs a permission of the kernel's"),
    (Mnemonic::Tilerelease, "AMX"),
    (Mnemonic::Tileloadd, "AMX"),
    (Mnemonic::Tileloaddt1, "AMX"),
    (Mnemonic::Tilestored, "AMX"),
    (Mnemonic::Tilezero, "AMX"),
    (Mnemonic::Xsavec, "what it writes depends on which components the CPU holds to be in use (SDM vol. 1 13.6)"),
    (Mnemonic::Xsavec64, "see xsavec"),
    (Mnemonic::Enqcmd, "devices"),
    (Mnemonic::Enqcmds, "devices"),
    (Mnemonic::Ptwrite, "writes to a trace"),
];

/// As [`EXCLUDED`], for single codes.
const EXCLUDED_CODES: &[(Code, &str)] = &[
    (Code::Popw_GS, "the runtime refuses selectors other than null"),
    (Code::Popq_GS, "the runtime refuses selectors other than null"),
    (Code::Call_m1616, "far transfer: the runtime refuses those that succeed"),
    (Code::Call_m1632, "far transfer"),
    (Code::Call_m1664, "far transfer"),
    (Code::Jmp_m1616, "far transfer"),
    (Code::Jmp_m1632, "far transfer"),
    (Code::Jmp_m1664, "far transfer"),
];

/// Why a code is left out, if it is.
pub(crate) fn excluded(code: Code) -> Option<&'static str> {
    let by_code = EXCLUDED_CODES.iter().find(|(known, _)| *known == code);
    let by_name = EXCLUDED.iter().find(|(name, _)| *name == code.mnemonic());
    by_code.map(|(_, why)| *why).or_else(|| by_name.map(|(_, why)| *why))
}

/// Everything that can be encoded in 64-bit mode and is not excluded.
pub(crate) fn all() -> Vec<Spec> {
    let mut random = Random::new(0);
    let mut specs = Vec::new();
    for code in Code::values() {
        let op = code.op_code();
        let known =
            matches!(op.encoding(), EncodingKind::Legacy | EncodingKind::VEX | EncodingKind::EVEX | EncodingKind::XOP);
        if !op.is_instruction() || !op.mode64() || !known || excluded(code).is_some() {
            continue;
        }
        for form in [Form::Register, Form::Memory] {
            let spec = Spec { code, form };
            let is_possible = form == Form::Register || op.op_kinds().iter().any(|&k| is_memory(k));
            if is_possible && (0..400).any(|_| spec.encode(&mut random).is_some()) {
                specs.push(spec);
            }
        }
    }
    specs
}

fn is_memory(kind: OpCodeOperandKind) -> bool {
    format!("{kind:?}").contains("mem")
}

fn is_in_opcode(kind: OpCodeOperandKind) -> bool {
    matches!(
        kind,
        OpCodeOperandKind::r8_opcode
            | OpCodeOperandKind::r16_opcode
            | OpCodeOperandKind::r32_opcode
            | OpCodeOperandKind::r64_opcode
            | OpCodeOperandKind::sti_opcode
    )
}

/// One encoded instruction.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    /// Decoded at address 0.
    pub(crate) insn: Instruction,
}

impl Encoded {
    /// Decodes `bytes` again after a change, at `pc`.
    pub(crate) fn decode(bytes: &[u8], pc: u64) -> Option<Self> {
        let insn = Decoder::with_ip(64, bytes, pc, DecoderOptions::NONE).decode();
        let bytes = bytes.get(..insn.len())?.to_vec();
        (!insn.is_invalid()).then_some(Self { bytes, insn })
    }
}

impl Spec {
    /// A random encoding, redundant prefixes and all; `None` when the attempt became something else.
    pub(crate) fn encode(self, random: &mut Random) -> Option<Encoded> {
        let mut bytes = Vec::with_capacity(24);
        match self.code.encoding() {
            EncodingKind::Legacy => self.legacy_head(random, &mut bytes),
            _ => self.vector_head(random, &mut bytes),
        }
        self.tail(random, &mut bytes);
        bytes.truncate(15);
        let encoded = Encoded::decode(&bytes, 0)?;
        let insn = &encoded.insn;
        let is_memory =
            (0..insn.op_count()).any(|n| insn.op_kind(n) == OpKind::Memory) && insn.mnemonic() != Mnemonic::Xlatb;
        let fits = insn.code() == self.code && is_memory == (self.form == Form::Memory);
        // The stack pointer as an operand makes most blocks fault: rarely.
        let uses_rsp = (0..insn.op_count()).any(|n| {
            insn.op_kind(n) == OpKind::Register
                && insn.op_register(n).is_gpr()
                && insn.op_register(n).full_register() == Register::RSP
        }) || insn.memory_base() == Register::RSP;
        (fits && (!uses_rsp || random.one_in(6))).then_some(encoded)
    }

    fn legacy_head(self, random: &mut Random, bytes: &mut Vec<u8>) {
        let op = self.code.op_code();
        let is_branch = op.is_cet_tracked() || self.code.is_jcc_short_or_near();
        if random.one_in(16) {
            bytes.push(random.pick(&[0x26, 0x2e, 0x36, 0x3e]));
        }
        let is_string = op.can_use_rep_prefix() || op.can_use_repne_prefix();
        if (self.form == Form::Memory || is_string) && random.one_in(8) {
            bytes.push(random.pick(&[0x64, 0x65]));
        }
        if op.address_size() == 32 || random.one_in(12) {
            bytes.push(0x67);
        }
        if op.operand_size() == 16 || op.mandatory_prefix() == MandatoryPrefix::P66 || random.one_in(40) {
            bytes.push(0x66);
        }
        match op.mandatory_prefix() {
            MandatoryPrefix::PF3 => bytes.push(0xf3),
            MandatoryPrefix::PF2 => bytes.push(0xf2),
            _ if is_string && random.one_in(2) => bytes.push(random.pick(&[0xf2, 0xf3])),
            _ if random.one_in(if is_branch { 8 } else { 60 }) => {
                bytes.push(random.pick(&[0xf2, 0xf3]));
            }
            _ => {}
        }
        if op.can_use_lock_prefix() && self.form == Form::Memory && random.one_in(2) {
            bytes.push(0xf0);
        }
        // In any order; a REX that is not the last prefix is ignored by the CPU.
        for n in (1..bytes.len()).rev() {
            let other = usize::try_from(random.below(n as u64 + 1)).unwrap_or(0);
            bytes.swap(n, other);
        }
        if random.one_in(60) {
            bytes.insert(0, 0x40 | random.byte() & 15);
        }
        if op.operand_size() == 64 && !op.default_op_size64() && !op.force_op_size64() {
            bytes.push(0x48 | random.byte() & 7);
        } else if random.one_in(2) {
            bytes.push(0x40 | random.byte() & 15);
        }
        match op.table() {
            OpCodeTableKind::T0F => bytes.push(0x0f),
            OpCodeTableKind::T0F38 => bytes.extend([0x0f, 0x38]),
            OpCodeTableKind::T0F3A => bytes.extend([0x0f, 0x3a]),
            _ => {}
        }
        self.opcode(random, bytes);
    }

    fn opcode(self, random: &mut Random, bytes: &mut Vec<u8>) {
        let op = self.code.op_code();
        let [low, high, ..] = op.op_code().to_le_bytes();
        if op.op_code_len() == 2 {
            bytes.push(high);
        }
        let in_opcode = op.op_kinds().iter().any(|&kind| is_in_opcode(kind));
        bytes.push(low | if in_opcode { random.byte() & 7 } else { 0 });
    }

    /// VEX, EVEX or XOP (SDM vol. 2A 2.3, 2.7; APM vol. 6 1.2).
    fn vector_head(self, random: &mut Random, bytes: &mut Vec<u8>) {
        let op = self.code.op_code();
        if random.one_in(16) {
            bytes.push(random.pick(&[0x26, 0x2e, 0x36, 0x3e]));
        }
        if self.form == Form::Memory && random.one_in(8) {
            bytes.push(random.pick(&[0x64, 0x65]));
        }
        if random.one_in(12) {
            bytes.push(0x67);
        }
        let pp = match op.mandatory_prefix() {
            MandatoryPrefix::P66 => 1,
            MandatoryPrefix::PF3 => 2,
            MandatoryPrefix::PF2 => 3,
            _ => 0,
        };
        let map = match op.table() {
            OpCodeTableKind::T0F38 => 2,
            OpCodeTableKind::T0F3A => 3,
            OpCodeTableKind::MAP5 => 5,
            OpCodeTableKind::MAP6 => 6,
            OpCodeTableKind::MAP8 => 8,
            OpCodeTableKind::MAP9 => 9,
            OpCodeTableKind::MAP10 => 10,
            OpCodeTableKind::Normal => 0,
            _ => 1,
        };
        let bit = |random: &mut Random| random.byte() & 1;
        let w = if op.is_wig() || op.is_wig32() { bit(random) } else { u8::from(op.w() == 1) };
        let is_rounding = op.can_use_rounding_control() && self.form == Form::Register;
        let l = if op.is_lig() || is_rounding && random.one_in(3) {
            random.byte() & 3
        } else {
            match op.l() {
                512 => 2,
                256 | 1 => 1,
                _ => 0,
            }
        };
        // Inverted: all ones where the operand is not used.
        let vvvv = if random.one_in(3) { 15 } else { random.byte() & 15 };
        let rxb = random.byte() & 0xe0;
        let p1 = w << 7 | vvvv << 3 | pp;
        match self.code.encoding() {
            EncodingKind::EVEX => {
                let r2 = random.byte() & 0x10;
                let masked = op.can_use_op_mask_register() && !random.one_in(3);
                let aaa = if masked { random.byte() & 7 } else { 0 };
                let z = if op.can_use_zeroing_masking() && aaa != 0 { random.byte() & 0x80 } else { 0 };
                let may_b = op.can_broadcast() || op.can_use_rounding_control() || op.can_suppress_all_exceptions();
                let b = if may_b { random.byte() & 0x10 } else { 0 };
                let v2 = if vvvv == 15 && random.one_in(2) { 8 } else { random.byte() & 8 };
                bytes.extend([0x62, rxb | r2 | map, p1 | 4, z | l << 5 | b | v2 | aaa]);
            }
            EncodingKind::VEX if map == 1 && w == 0 && random.one_in(2) => {
                bytes.extend([0xc5, rxb & 0x80 | vvvv << 3 | (l & 1) << 2 | pp]);
            }
            kind => {
                let escape = if kind == EncodingKind::XOP { 0x8f } else { 0xc4 };
                bytes.extend([escape, rxb | map, p1 | (l & 1) << 2]);
            }
        }
        self.opcode(random, bytes);
    }

    /// ModRM with what the opcode fixes in it, and random bytes; the decoder says how many of them belong to it.
    fn tail(self, random: &mut Random, bytes: &mut Vec<u8>) {
        let op = self.code.op_code();
        if op.op_code_len() == 1 || op.is_group() {
            let mut modrm = random.byte();
            modrm = match self.form {
                Form::Register => modrm | 0xc0,
                Form::Memory if modrm >= 0xc0 => modrm & 0x3f | 0x40 << (modrm & 1),
                Form::Memory => modrm,
            };
            if self.form == Form::Memory && random.one_in(2) {
                modrm = modrm & 0xf8 | 4 | u8::from(random.one_in(4));
            }
            if let Ok(group) = u8::try_from(op.group_index()) {
                modrm = modrm & 0xc7 | group << 3;
            }
            if let Ok(rm) = u8::try_from(op.rm_group_index()) {
                modrm = modrm & 0xf8 | rm;
            }
            bytes.push(modrm);
        }
        bytes.extend((0..12).map(|_| random.byte()));
    }
}
