//! x86-64 instruction decoding, 64-bit mode only.
//!
//! The translator asks four things of an instruction: how long it is, where its displacement and immediate are,
//! whether it can simply be copied, and what it does to flags and memory. This decoder answers exactly these, from
//! tables computed at compile time; it allocates nothing and has no start-up cost. It never panics, whatever the bytes.
//!
//! Where Intel and AMD differ (the operand-size prefix on near branches) it decodes as Intel does;
//! [`Insn::is_vendor_dependent`] says so. An encoding that no manual defines, or that is only defined by an extension
//! newer than the tables (APX), is [`DecodeError::Invalid`]: its length is not known. An encoding that the CPU refuses
//! for another reason (LOCK on a load, a reserved ModRM or VEX.L) may decode: its copy raises #UD as the original does.
//!
//! SDM = Intel 64 and IA-32 Architectures Software Developer's Manual; APM = AMD64 Architecture Programmer's Manual.

mod classify;
mod fast;
mod flag_effects;
mod insn;
mod maps;
mod memory_effects;
mod prefix;
mod tables;

pub use classify::Class;
pub(crate) use fast::copied_len;
pub use flag_effects::{FlagEffect, flags};
pub use insn::Insn;
pub use prefix::{Encoding, NO_OFFSET, Prefixes};

use prefix::OpcodePrefix;
use tables::{
    CLASSIFY, DISP_LEN, ESCAPE, EXTRQ, Entry, GROUP3_8, GROUP3_Z, HAS_SIB, IMM_FORM, IMM_IRREGULAR, IMM_LEN, MODRM,
    MODRM_FORM, MODRM_REG_ONLY, MOFFS, PP_NONE, PREFIX, REX, SIB_BASE_5_HAS_DISP,
};

/// The longest instruction (SDM vol. 2A 2.3.11); a longer one raises #GP.
pub const MAX_INSN_LEN: u8 = 15;

/// Why bytes are not an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end before the instruction does.
    TooShort,
    /// Not a known encoding in 64-bit mode.
    Invalid,
    /// More than fifteen bytes.
    TooLong,
}

/// Bytes looked at: wherever an instruction's prefixes end, eight more can be loaded at once.
const WINDOW_LEN: usize = 24;

/// Decodes the instruction at the start of `bytes`, which may go on after it.
///
/// # Errors
/// See [`DecodeError`]. A valid instruction cut short is always `TooShort`.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Insn, DecodeError> {
    let mut padded = [0; WINDOW_LEN];
    decode_window(Window::of(bytes, &mut padded))
}

/// [`decode`] into a place of the caller's, for loops over code: returns the length. Fastest with 24 bytes or more.
///
/// An instruction is written field by field; to move it directly afterwards, as returning it does, makes the CPU wait
/// for all those narrow stores, which takes longer than decoding.
///
/// # Errors
/// As [`decode`]; `insn` is then unchanged.
#[inline]
pub fn decode_into(bytes: &[u8], insn: &mut Insn) -> Result<u8, DecodeError> {
    let mut padded = [0; WINDOW_LEN];
    let decoded = decode_window(Window::of(bytes, &mut padded))?;
    *insn = decoded;
    Ok(decoded.len)
}

/// The bytes, of which `available` are the caller's and may belong to one instruction. Positions past the fifteenth
/// byte read anything: the check at the end of decoding refuses what reached that far.
#[derive(Clone, Copy)]
struct Window<'a> {
    bytes: &'a [u8; WINDOW_LEN],
    available: usize,
}

impl<'a> Window<'a> {
    /// What is left at the end of a mapping is padded, so that one decoder without bounds checks serves both.
    #[inline(always)]
    fn of(bytes: &'a [u8], padded: &'a mut [u8; WINDOW_LEN]) -> Self {
        match bytes.first_chunk() {
            Some(bytes) => Window { bytes, available: usize::from(MAX_INSN_LEN) },
            None => Self::of_tail(bytes, padded),
        }
    }

    #[cold]
    fn of_tail(tail: &[u8], padded: &'a mut [u8; WINDOW_LEN]) -> Self {
        for (to, from) in padded.iter_mut().zip(tail) {
            *to = *from;
        }
        Window { bytes: padded, available: tail.len().min(usize::from(MAX_INSN_LEN)) }
    }

    #[inline(always)]
    fn at(self, position: usize) -> u8 {
        self.bytes.get(position & 15).copied().unwrap_or(0)
    }

    /// Eight bytes from `position` on, the first lowest.
    #[inline(always)]
    fn eight_at(self, position: usize) -> u64 {
        let rest = self.bytes.get(position & 15..).unwrap_or_default();
        u64::from_le_bytes(rest.first_chunk().copied().unwrap_or_default())
    }

    /// The error when the first `read` bytes are no instruction: `Invalid` only if all of them were really there.
    #[cold]
    fn refuse(self, read: usize) -> DecodeError {
        if read <= self.available {
            DecodeError::Invalid
        } else if self.available >= usize::from(MAX_INSN_LEN) {
            DecodeError::TooLong
        } else {
            DecodeError::TooShort
        }
    }
}

#[inline(always)]
fn lookup<T: Copy + Default, const N: usize>(table: &[T; N], index: u8) -> T {
    table.get(usize::from(index)).copied().unwrap_or_default()
}

/// Byte number `n` of a loaded word.
#[inline(always)]
const fn byte_of(code: u64, n: u32) -> u8 {
    (code >> (8 * n) & 0xff) as u8
}

#[inline(always)]
const fn offset(position: usize) -> u8 {
    position.to_le_bytes()[0]
}

/// Where an opcode was found.
struct Opcode {
    lead: OpcodePrefix,
    entry: Entry,
    class: Class,
    /// Offset of the opcode byte.
    at: usize,
    /// The bytes from the opcode on.
    code: u64,
}

/// The hot path. What varies from one instruction to the next (REX, ModRM, SIB, displacement, immediate) is computed
/// without branches, as a branch on any of them is mispredicted too often; and from one loaded word, as a load at
/// a computed address waits for the address.
#[inline(always)]
fn decode_window(window: Window<'_>) -> Result<Insn, DecodeError> {
    let mut prefixes = Prefixes::NONE;
    let mut pp = 0;
    let mut start = 0;
    let (code, entry, has_rex) = loop {
        let code = window.eight_at(start);
        let first = lookup(&tables::ONE_BYTE, byte_of(code, 0));
        let second = lookup(&tables::ONE_BYTE, byte_of(code, 1));
        let has_rex = byte_of(code, 0) & 0xf0 == 0x40;
        let entry = if has_rex { second } else { first };
        if entry & (PREFIX | REX) == 0 {
            break (code, entry, has_rex);
        }
        // A REX that is not directly before the opcode is ignored (SDM vol. 2A 2.2.1).
        if !has_rex {
            prefixes = prefixes.after(byte_of(code, 0));
            pp = prefixes.mandatory();
        }
        start += 1;
        if start >= usize::from(MAX_INSN_LEN) {
            return Err(window.refuse(start + 1));
        }
    };
    let code_at_opcode = code >> (8 * u32::from(has_rex));
    let opcode = byte_of(code_at_opcode, 0);
    let mut found = Opcode {
        lead: OpcodePrefix {
            pp,
            rex: if has_rex { byte_of(code, 0) & 15 } else { 0 },
            rex_off: if has_rex { offset(start) } else { NO_OFFSET },
            opcode,
            ..OpcodePrefix::NONE
        },
        entry,
        class: lookup(&tables::ONE_BYTE_CLASS, opcode),
        at: start + usize::from(has_rex),
        code: code_at_opcode,
    };
    if entry & ESCAPE != 0 {
        if opcode == 0x0f {
            read_0f_map(&mut found);
        } else if opcode == 0x8f && byte_of(found.code, 1) & 0x1f < 8 {
            // A map number of 8 and more in this place makes it XOP (APM vol. 6 1.2).
            found.entry = MODRM | CLASSIFY | PP_NONE << pp;
        } else {
            let is_allowed = !has_rex && !prefixes.intersects(FORBIDDEN_BEFORE_VECTOR);
            found = read_vector_prefix(window, found.at);
            if !is_allowed {
                found.entry = 0;
            }
        }
    }
    if found.entry & PP_NONE << found.lead.pp == 0 {
        return Err(window.refuse(found.at + 1));
    }
    read_operands(window, prefixes, &found)
}

#[inline(always)]
fn read_0f_map(found: &mut Opcode) {
    let mut opcode = byte_of(found.code, 1);
    found.at += 1;
    found.code >>= 8;
    found.lead.map = 1;
    found.entry = lookup(&tables::TWO_BYTE, opcode);
    found.class = lookup(&tables::TWO_BYTE_CLASS, opcode);
    if found.entry & ESCAPE != 0 {
        let is_0f38 = opcode == 0x38;
        opcode = byte_of(found.code, 1);
        found.at += 1;
        found.code >>= 8;
        found.lead.map = if is_0f38 { 2 } else { 3 };
        found.entry = lookup(if is_0f38 { &tables::MAP_0F38 } else { &tables::MAP_0F3A }, opcode);
    } else if opcode == 0x0f {
        found.lead.encoding = Encoding::Now3d;
    }
    found.lead.opcode = opcode;
}

/// Prefixes that make a VEX, EVEX or XOP prefix #UD (SDM vol. 2A 2.3.2); REX is the other one.
const FORBIDDEN_BEFORE_VECTOR: Prefixes =
    Prefixes::OPSIZE.union(Prefixes::REP).union(Prefixes::REPNE).union(Prefixes::LOCK);

/// VEX (SDM vol. 2A 2.3), EVEX (2.7) and XOP (APM vol. 6 1.2) prefixes; the entry is 0 for what they do not allow.
#[inline(never)]
fn read_vector_prefix(window: Window<'_>, at: usize) -> Opcode {
    let code = window.eight_at(at);
    let (escape, p0, p2) = (byte_of(code, 0), byte_of(code, 1), byte_of(code, 3));
    let p1 = if escape == 0xc5 { p0 & 0x7f } else { byte_of(code, 2) };
    // pp, L and vvvv have the same bits in the last byte of VEX and XOP and in the second of EVEX.
    let mut lead = OpcodePrefix {
        pp: p1 & 3,
        rex: !p0 >> 5 | p1 >> 7 << 3,
        rex_off: offset(at),
        vvvv: !p1 >> 3 & 15,
        vector_len: p1 >> 2 & 1,
        map: p0 & 0x1f,
        encoding: Encoding::Vex,
        ..OpcodePrefix::NONE
    };
    let (map, len) = match escape {
        0xc5 => {
            lead.rex = !p0 >> 7 << 2;
            lead.map = 1;
            (tables::vex_map(1), 2)
        }
        0xc4 => (tables::vex_map(lead.map), 3),
        0x62 => {
            lead.encoding = Encoding::Evex;
            lead.map = p0 & 7;
            lead.evex = p2;
            lead.ext = !p0 >> 4 & 1 | (!p2 >> 3 & 1) << 1;
            lead.vvvv |= (!p2 & 8) << 1;
            lead.vector_len = p2 >> 5 & 3;
            // P0 bit 3 and P1 bit 2 are fixed, except in APX and AVX10.2, which nobody here knows.
            (if p0 & 8 == 0 && p1 & 4 != 0 { tables::evex_map(lead.map) } else { None }, 4)
        }
        _ => {
            lead.encoding = Encoding::Xop;
            (tables::xop_map(lead.map), 3)
        }
    };
    lead.opcode = byte_of(code, len);
    Opcode {
        entry: map.map_or(0, |map| lookup(map, lead.opcode)),
        class: Class::Plain,
        // Of an unknown map nothing after the prefix was looked at.
        at: at + len as usize - usize::from(map.is_none()),
        code: code >> (8 * len),
        lead,
    }
}

/// Everything after the opcode.
#[inline(always)]
fn read_operands(window: Window<'_>, prefixes: Prefixes, found: &Opcode) -> Result<Insn, DecodeError> {
    let Opcode { lead, entry, .. } = found;
    let (lead, entry) = (*lead, *entry);
    let mut position = found.at + 1;

    let has_modrm = usize::from(entry & MODRM != 0);
    // All bits of what is there, none of what is not.
    let modrm_mask = offset(has_modrm.wrapping_neg());
    let reg_only = offset(usize::from(entry & MODRM_REG_ONLY) * 3);
    let modrm = byte_of(found.code, 1) & modrm_mask | reg_only;
    let form = lookup(&MODRM_FORM, modrm) & modrm_mask;
    let modrm_off = offset(position) & modrm_mask;
    let has_sib = u8::from(form & HAS_SIB != 0);
    let sib = byte_of(found.code, 2) & has_sib.wrapping_neg();
    position += has_modrm + usize::from(has_sib);

    let mut disp_len = (form & DISP_LEN) | u8::from(form & SIB_BASE_5_HAS_DISP != 0 && sib & 7 == 5) << 2;
    let imm_form = entry & IMM_FORM;
    let operand_size = (lead.rex & 8) >> 2 | u8::from(prefixes.contains(Prefixes::OPSIZE));
    let mut imm_len = regular_immediate_len(imm_form, operand_size);
    if imm_form >= IMM_IRREGULAR {
        if imm_form == MOFFS {
            disp_len = if prefixes.contains(Prefixes::ADDRSIZE) { 4 } else { 8 };
        } else {
            imm_len = irregular_immediate_len(imm_form, operand_size, modrm, lead.pp);
        }
    }
    let disp_off = if disp_len == 0 { 0 } else { offset(position) };
    position += usize::from(disp_len);
    let first_imm = window.at(position);
    let (imm_off, imm_low) = if imm_len == 0 { (0, 0) } else { (offset(position), first_imm) };
    position += usize::from(imm_len);
    if position > window.available {
        return Err(window.refuse(position));
    }
    let class = if entry & CLASSIFY == 0 {
        found.class
    } else {
        classify::classify(&lead, modrm, imm_low).ok_or(DecodeError::Invalid)?
    };
    // None of what is not simply copied takes a LOCK prefix (SDM vol. 2, LOCK): it raises #UD.
    let class = if prefixes.contains(Prefixes::LOCK) && class != Class::Plain { Class::Ud } else { class };
    Ok(Insn {
        len: offset(position),
        encoding: lead.encoding,
        map: lead.map,
        opcode: lead.opcode,
        pp: lead.pp,
        prefixes,
        rex: lead.rex,
        rex_off: lead.rex_off,
        ext: lead.ext,
        evex: lead.evex,
        vector_len: lead.vector_len,
        vvvv: lead.vvvv,
        opcode_off: offset(found.at),
        modrm_off,
        modrm,
        sib,
        disp_off,
        disp_len,
        imm_off,
        imm_len,
        imm_low,
        class,
    })
}

#[inline(always)]
fn regular_immediate_len(form: Entry, operand_size: u8) -> u8 {
    IMM_LEN.get(usize::from(form * 4) + usize::from(operand_size)).copied().unwrap_or(0)
}

#[cold]
fn irregular_immediate_len(form: Entry, operand_size: u8, modrm: u8, pp: u8) -> u8 {
    let is_test = modrm & 0x30 == 0;
    match form {
        GROUP3_8 if is_test => 1,
        GROUP3_Z if is_test => regular_immediate_len(tables::IMM_Z, operand_size),
        EXTRQ if pp != 0 => 2,
        _ => 0,
    }
}
