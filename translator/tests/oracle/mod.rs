//! Compares one decoded instruction with what iced-x86 says of the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bt_translator::decode::{Class, DecodeError, Encoding, Insn, Prefixes, decode, flags};
use iced_x86::{
    Decoder, DecoderOptions, EncodingKind, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register,
    RflagsBits,
};

/// Address the instructions pretend to be at: high enough that a 32-bit truncation shows.
pub const PC: u64 = 0x7f12_3456_7000;

/// What both made of the same bytes.
pub struct Compared {
    /// iced's result, which may be `is_invalid`.
    pub theirs: Instruction,
    /// This decoder's result.
    pub ours: Result<Insn, DecodeError>,
}

/// What was found over many comparisons.
#[derive(Default)]
pub struct Findings {
    info: Option<InstructionInfoFactory>,
    /// Instructions that both decode.
    pub compared: u64,
    /// First bytes and count, by what is wrong and with which opcode. Must stay empty.
    pub wrong: BTreeMap<String, (String, u64)>,
    /// Valid to iced, refused here. Must stay empty.
    pub refused: BTreeMap<String, (String, u64)>,
    /// Decoded here, and by iced only when it does not check for what the CPU refuses with #UD: LOCK, reserved
    /// operands.
    pub unchecked: u64,
    /// Invalid to iced in any mode, decoded here: the CPU raises #UD.
    pub lenient: BTreeMap<String, (String, u64)>,
    /// Said to write memory, though iced sees no store.
    pub cautious_writes: BTreeMap<String, (String, u64)>,
    /// iced knows the instruction to overwrite more flags.
    pub cautious_flags: BTreeMap<String, (String, u64)>,
}

fn note(list: &mut BTreeMap<String, (String, u64)>, key: String, bytes: &[u8]) {
    let entry = list.entry(key).or_insert_with(|| (hex(bytes), 0));
    entry.1 += 1;
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn name(insn: &Insn) -> String {
    let prefix = ["", "66.", "f3.", "f2."][usize::from(insn.pp)];
    let group = if insn.has_modrm() && insn.encoding == Encoding::Legacy && insn.map < 2 {
        format!(" /{}", insn.modrm_group())
    } else {
        String::new()
    };
    format!("{:?} map {} {prefix}{:02x}{group}", insn.encoding, insn.map, insn.opcode)
}

impl Findings {
    /// Decodes `bytes` with both and compares. Returns both results.
    pub fn compare(&mut self, bytes: &[u8]) -> Compared {
        let mut decoder = Decoder::with_ip(64, bytes, PC, DecoderOptions::NONE);
        let theirs = decoder.decode();
        let ours = decode(bytes);
        match ours {
            Ok(insn) if theirs.is_invalid() => self.check_lenient(&insn, bytes),
            Ok(insn) => {
                self.compared += 1;
                let code = &bytes[..usize::from(insn.len)];
                for what in self.differences(&decoder, &theirs, &insn, bytes) {
                    note(&mut self.wrong, format!("{what}: {} {:?}", name(&insn), theirs.code()), code);
                }
            }
            Err(error) if !theirs.is_invalid() => {
                note(&mut self.refused, format!("{:?} {error:?}", theirs.code()), bytes);
            }
            Err(_) => {}
        }
        Compared { theirs, ours }
    }

    fn check_lenient(&mut self, insn: &Insn, bytes: &[u8]) {
        let theirs = Decoder::with_ip(64, bytes, PC, DecoderOptions::NO_INVALID_CHECK).decode();
        if theirs.is_invalid() {
            note(&mut self.lenient, name(insn), bytes);
            return;
        }
        self.unchecked += 1;
        if theirs.len() != usize::from(insn.len) {
            note(&mut self.wrong, format!("len of a reserved form: {} {:?}", name(insn), theirs.code()), bytes);
        }
    }

    fn differences(&mut self, decoder: &Decoder<'_>, theirs: &Instruction, insn: &Insn, bytes: &[u8]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |is_same: bool, what: &str| {
            if !is_same {
                wrong.push(what.to_owned());
            }
        };
        let constants = decoder.get_constant_offsets(theirs);
        let uses_modrm_memory = insn.has_memory_operand();
        let has_memory_op = (0..theirs.op_count()).any(|n| theirs.op_kind(n) == OpKind::Memory);
        // XLAT's operand is in no ModRM byte, like those of the string instructions.
        let has_memory_op = has_memory_op && theirs.mnemonic() != Mnemonic::Xlatb;
        let is_moffs = insn.encoding == Encoding::Legacy && insn.map == 0 && matches!(insn.opcode, 0xa0..=0xa3);

        check(usize::from(insn.len) == theirs.len(), "len");
        check(insn.encoding == expected_encoding(theirs), "encoding");
        check(insn.class == expected_class(theirs), "class");
        check(insn.is_rip_relative() == theirs.is_ip_rel_memory_operand(), "rip-relative");
        check(has_memory_op == (uses_modrm_memory || is_moffs), "memory operand");
        check(usize::from(insn.disp_len) == constants.displacement_size(), "disp length");
        if insn.disp_len != 0 {
            check(usize::from(insn.disp_off) == constants.displacement_offset(), "disp offset");
        }
        let imm_len = constants.immediate_size() + constants.immediate_size2();
        // A fourth register in the high half of the last byte, and the opcode suffix of 3DNow!, count as immediates
        // here.
        let ends_in_register = matches!(insn.encoding, Encoding::Vex | Encoding::Xop) && matches!(insn.map, 3 | 8);
        if imm_len == 0 && (ends_in_register || insn.encoding == Encoding::Now3d) {
            check(insn.imm_len == 1 && insn.imm_off + 1 == insn.len, "last byte");
        } else {
            check(usize::from(insn.imm_len) == imm_len, "imm length");
            check(imm_len == 0 || usize::from(insn.imm_off) == constants.immediate_offset(), "imm offset");
        }
        if uses_modrm_memory {
            check_address(theirs, insn, bytes, &mut check);
        }
        if matches!(insn.class, Class::Jcc(_) | Class::LoopOrJrcxz | Class::Jmp | Class::Call | Class::Xbegin) {
            check(insn.rel_target(PC, bytes) == theirs.near_branch_target(), "branch target");
        }

        let effect = insn.flag_effect();
        check(effect.read & flags_of(theirs.rflags_read()) == flags_of(theirs.rflags_read()), "flags read");
        let written = flags_of(theirs.rflags_modified());
        check(effect.write & !written == 0, "flags written");
        let writes_memory =
            self.info.get_or_insert_with(InstructionInfoFactory::new).info(theirs).used_memory().iter().any(|memory| {
                matches!(
                    memory.access(),
                    OpAccess::Write | OpAccess::ReadWrite | OpAccess::CondWrite | OpAccess::ReadCondWrite
                )
            });
        check(insn.may_write_memory() || !writes_memory, "memory write");
        if insn.may_write_memory() && !writes_memory {
            note(&mut self.cautious_writes, format!("{:?}", theirs.mnemonic()), bytes);
        }
        if effect.write != written {
            note(&mut self.cautious_flags, format!("{:?}", theirs.mnemonic()), bytes);
        }
        wrong
    }

    /// Prints the lists and fails if anything is wrong.
    pub fn finish(&self, title: &str) {
        println!("{title}: {} instructions compared, {} reserved forms by length only", self.compared, self.unchecked);
        for (what, list) in [
            ("WRONG", &self.wrong),
            ("REFUSED here, valid to iced", &self.refused),
            ("decoded here, invalid to iced (the CPU raises #UD)", &self.lenient),
            ("may_write_memory without a store", &self.cautious_writes),
            ("more flags overwritten than flag_effect claims", &self.cautious_flags),
        ] {
            println!("  {what}: {} kinds", list.len());
            for (key, (example, count)) in list {
                println!("    {key}: {count} ({example})");
            }
        }
        assert!(self.compared > 0, "{title}: nothing was compared");
        assert!(self.wrong.is_empty(), "{title}: {} kinds of wrong results", self.wrong.len());
        assert!(self.refused.is_empty(), "{title}: {} kinds refused", self.refused.len());
    }
}

fn check_address(theirs: &Instruction, insn: &Insn, bytes: &[u8], check: &mut impl FnMut(bool, &str)) {
    let segment = match theirs.segment_prefix() {
        Register::FS => Prefixes::SEG_FS,
        Register::GS => Prefixes::SEG_GS,
        _ => Prefixes::NONE,
    };
    check(insn.prefixes.contains(segment), "segment");
    check(segment != Prefixes::NONE || !insn.prefixes.intersects(Prefixes::SEG_FS.union(Prefixes::SEG_GS)), "segment");
    if insn.is_rip_relative() {
        check(insn.rip_target(PC, bytes) == theirs.ip_rel_memory_address(), "rip target");
        return;
    }
    let number = |register: Register| (register != Register::None).then(|| register.number());
    check(insn.base().map(usize::from) == number(theirs.memory_base()), "base");
    check(insn.index().map(usize::from) == number(theirs.memory_index()), "index");
    check(insn.is_vsib() == theirs.is_vsib(), "vsib");
    if insn.index().is_some() {
        check(u32::from(insn.scale()) == theirs.memory_index_scale(), "scale");
    }
    if insn.encoding != Encoding::Evex || insn.disp_len != 1 {
        let is_32_bit = insn.prefixes.contains(Prefixes::ADDRSIZE);
        let mask = if is_32_bit { 0xffff_ffff } else { u64::MAX };
        check(insn.disp(bytes).cast_unsigned() & mask == theirs.memory_displacement64() & mask, "displacement");
    }
}

fn flags_of(rflags: u32) -> u8 {
    [
        (RflagsBits::CF, flags::CF),
        (RflagsBits::PF, flags::PF),
        (RflagsBits::AF, flags::AF),
        (RflagsBits::ZF, flags::ZF),
        (RflagsBits::SF, flags::SF),
        (RflagsBits::OF, flags::OF),
    ]
    .iter()
    .fold(0, |set, (theirs, ours)| if rflags & theirs != 0 { set | ours } else { set })
}

fn expected_encoding(theirs: &Instruction) -> Encoding {
    match theirs.encoding() {
        EncodingKind::VEX => Encoding::Vex,
        EncodingKind::EVEX => Encoding::Evex,
        EncodingKind::XOP => Encoding::Xop,
        EncodingKind::D3NOW => Encoding::Now3d,
        _ => Encoding::Legacy,
    }
}

fn expected_class(theirs: &Instruction) -> Class {
    if theirs.is_jcc_short_or_near() {
        let code = u8::try_from(theirs.condition_code() as usize - 1).expect("sixteen conditions");
        return Class::Jcc(code);
    }
    if theirs.is_loop() || theirs.is_loopcc() || theirs.is_jcx_short() {
        return Class::LoopOrJrcxz;
    }
    if theirs.is_jmp_short_or_near() {
        return Class::Jmp;
    }
    if theirs.is_call_near() {
        return Class::Call;
    }
    if theirs.is_jmp_near_indirect() {
        return Class::JmpInd;
    }
    if theirs.is_call_near_indirect() {
        return Class::CallInd;
    }
    if theirs.is_jmp_far_indirect() || theirs.is_call_far_indirect() {
        return Class::FarTransfer;
    }
    match theirs.mnemonic() {
        Mnemonic::Retf => Class::FarTransfer,
        Mnemonic::Ret => Class::Ret,
        Mnemonic::Xbegin => Class::Xbegin,
        Mnemonic::Syscall => Class::Syscall,
        Mnemonic::Sysenter => Class::Sysenter,
        Mnemonic::Int => Class::Int(theirs.immediate8()),
        Mnemonic::Int3 => Class::Int3,
        Mnemonic::Int1 => Class::Int1,
        Mnemonic::Popf | Mnemonic::Popfq => Class::Popf,
        Mnemonic::Iret | Mnemonic::Iretd | Mnemonic::Iretq => Class::Iret,
        Mnemonic::Rdgsbase | Mnemonic::Wrgsbase => Class::GsBase,
        Mnemonic::Cpuid => Class::Cpuid,
        Mnemonic::Rdtsc | Mnemonic::Rdtscp => Class::Rdtsc,
        Mnemonic::Ud0 | Mnemonic::Ud1 | Mnemonic::Ud2 => Class::Ud,
        Mnemonic::Lgs => Class::GsSelector,
        Mnemonic::Mov | Mnemonic::Pop if theirs.op0_register() == Register::GS => Class::GsSelector,
        _ => Class::Plain,
    }
}
