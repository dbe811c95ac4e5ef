//! x86-64 instruction decoding, 64-bit mode only.
//!
//! The translator asks four things of an instruction: how long it is, where its displacement and immediate are,
//! whether it can simply be copied, and what it does to flags and memory. This decoder answers exactly these, from
//! tables computed at compile time; it allocates nothing and has no start-up cost. It never panics, whatever the bytes.
//!
//! Where Intel and AMD differ (the operand-size prefix on near branches) it decodes as Intel does;
//! [`Insn::is_vendor_dependent`] tells. An encoding that no manual defines, or that is only defined by an extension
//! newer than the tables (APX), is [`DecodeError::Invalid`]: its length is not known. An encoding that the CPU refuses
//! for another reason (LOCK on a load, a reserved ModRM or VEX.L) may decode: its copy raises #UD as the original does.
//!
//! SDM = Intel 64 and IA-32 Architectures Software Developer's Manual; APM = AMD64 Architecture Programmer's Manual.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod classify;
mod flag_effects;
mod insn;
mod maps;
mod memory_effects;
mod prefix;
mod tables;

pub use classify::Class;
pub use flag_effects::{FlagEffect, flags};
pub use insn::{Encoding, Insn, NO_OFFSET};
pub use prefix::Prefixes;

use tables::{
    CLASSIFY, DISP_LEN, ESCAPE, EXTRQ, Entry, GROUP3_8, GROUP3_Z, HAS_SIB, IMM_FORM, IMM_IRREGULAR,
    IMM_LEN, MODRM, MODRM_FORM, MODRM_REG_ONLY, MOFFS, Map, PP_NONE, PREFIX, REX,
    SIB_BASE_5_HAS_DISP,
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

/// Decodes the instruction at the start of `bytes`, which may go on after it.
///
/// # Errors
/// See [`DecodeError`]. A valid instruction cut short is always `TooShort`.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Insn, DecodeError> {
    match bytes.first_chunk::<16>() {
        Some(window) => decode_window(window, MAX_INSN_LEN),
        None => decode_tail(bytes),
    }
}

/// Fewer than sixteen bytes: pads them, so that one decoder without bounds checks serves both.
#[cold]
fn decode_tail(bytes: &[u8]) -> Result<Insn, DecodeError> {
    let mut window = [0; 16];
    let mut available = 0;
    for (to, from) in window.iter_mut().zip(bytes) {
        *to = *from;
        available += 1;
    }
    decode_window(&window, available)
}

/// Reads the window byte by byte. Past its end it wraps: `position` then exceeds every instruction's length, and
/// the checks at the end of decoding refuse whatever was read.
struct Cursor<'a> {
    window: &'a [u8; 16],
    position: u8,
    available: u8,
}

impl Cursor<'_> {
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.window
            .get(usize::from(self.position & 15))
            .copied()
            .unwrap_or(0)
    }

    #[inline(always)]
    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.position += 1;
        byte
    }

    /// The error when what was read so far is no instruction: it is one only if all of it was really there.
    #[cold]
    fn refuse(&self) -> DecodeError {
        if self.position <= self.available {
            DecodeError::Invalid
        } else if self.available >= MAX_INSN_LEN {
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

#[inline]
fn decode_window(window: &[u8; 16], available: u8) -> Result<Insn, DecodeError> {
    let mut cursor = Cursor {
        window,
        position: 0,
        available,
    };
    let mut insn = Insn::BLANK;

    let mut opcode = cursor.next();
    let mut entry = lookup(&tables::ONE_BYTE, opcode);
    while entry & (PREFIX | REX) != 0 {
        if entry & REX != 0 {
            insn.rex = opcode & 15;
            insn.rex_off = cursor.position - 1;
        } else {
            // A REX that is not directly before the opcode is ignored (SDM vol. 2A 2.2.1).
            insn.rex = 0;
            insn.rex_off = NO_OFFSET;
            insn.prefixes = insn.prefixes.after(opcode);
        }
        if cursor.position >= MAX_INSN_LEN {
            cursor.position += 1;
            return Err(cursor.refuse());
        }
        opcode = cursor.next();
        entry = lookup(&tables::ONE_BYTE, opcode);
    }
    insn.pp = insn.prefixes.mandatory();
    insn.opcode = opcode;
    if entry & ESCAPE != 0 {
        entry = match opcode {
            0x0f => read_0f_map(&mut insn, &mut cursor),
            0x8f => read_pop_or_xop(&mut insn, &mut cursor),
            _ => read_vector_prefix(&mut insn, &mut cursor, opcode),
        };
    }
    if entry & PP_NONE << insn.pp == 0 {
        return Err(cursor.refuse());
    }
    insn.opcode_off = cursor.position - 1;

    if entry & MODRM != 0 {
        read_modrm(&mut insn, &mut cursor, entry);
    }
    read_immediate(&mut insn, &mut cursor, entry);
    if cursor.position > available {
        return Err(cursor.refuse());
    }
    insn.len = cursor.position;
    if entry & CLASSIFY != 0 {
        insn.class = insn.classify().ok_or(DecodeError::Invalid)?;
    }
    Ok(insn)
}

#[inline]
fn read_0f_map(insn: &mut Insn, cursor: &mut Cursor<'_>) -> Entry {
    let mut opcode = cursor.next();
    let (number, map): (u8, &Map) = match opcode {
        0x38 => (2, &tables::MAP_0F38),
        0x3a => (3, &tables::MAP_0F3A),
        _ => (1, &tables::TWO_BYTE),
    };
    if number != 1 {
        opcode = cursor.next();
    } else if opcode == 0x0f {
        insn.encoding = Encoding::Now3d;
    }
    insn.map = number;
    insn.opcode = opcode;
    lookup(map, opcode)
}

/// `8F` is POP with ModRM.reg 0; a map number of 8 and more in the same byte makes it XOP (APM vol. 6 1.2).
fn read_pop_or_xop(insn: &mut Insn, cursor: &mut Cursor<'_>) -> Entry {
    if cursor.peek() & 0x1f < 8 {
        return MODRM | CLASSIFY | PP_NONE << insn.pp;
    }
    insn.encoding = Encoding::Xop;
    read_vector_prefix(insn, cursor, 0x8f)
}

/// VEX (SDM vol. 2A 2.3), EVEX (2.7) and XOP prefixes. Returns 0 for what they do not allow.
fn read_vector_prefix(insn: &mut Insn, cursor: &mut Cursor<'_>, lead: u8) -> Entry {
    let forbidden = Prefixes::OPSIZE
        .union(Prefixes::REP)
        .union(Prefixes::REPNE)
        .union(Prefixes::LOCK);
    let is_forbidden = insn.prefixes.intersects(forbidden) || insn.rex_off != NO_OFFSET;
    insn.rex_off = cursor.position - 1;
    let map = if lead == 0xc5 {
        let p = cursor.next();
        insn.encoding = Encoding::Vex;
        insn.map = 1;
        insn.rex = !p >> 7 << 2;
        insn.read_vector_fields(p);
        insn.vector_len = p >> 2 & 1;
        tables::vex_map(1)
    } else {
        let p0 = cursor.next();
        let p1 = cursor.next();
        insn.rex = !p0 >> 5 | p1 >> 7 << 3;
        insn.read_vector_fields(p1);
        match lead {
            0xc4 => {
                insn.encoding = Encoding::Vex;
                insn.map = p0 & 0x1f;
                insn.vector_len = p1 >> 2 & 1;
                tables::vex_map(insn.map)
            }
            0x62 => {
                let p2 = cursor.next();
                insn.encoding = Encoding::Evex;
                insn.map = p0 & 7;
                insn.evex = p2;
                insn.ext = !p0 >> 4 & 1 | (!p2 >> 3 & 1) << 1;
                insn.vvvv |= (!p2 & 8) << 1;
                insn.vector_len = p2 >> 5 & 3;
                // P0 bit 3 and P1 bit 2 are fixed, except in APX and AVX10.2, which nobody here knows.
                if p0 & 8 == 0 && p1 & 4 != 0 {
                    tables::evex_map(insn.map)
                } else {
                    None
                }
            }
            _ => {
                insn.map = p0 & 0x1f;
                insn.vector_len = p1 >> 2 & 1;
                tables::xop_map(insn.map)
            }
        }
    };
    match map {
        Some(map) if !is_forbidden => {
            insn.opcode = cursor.next();
            lookup(map, insn.opcode)
        }
        _ => 0,
    }
}

#[inline(always)]
fn read_modrm(insn: &mut Insn, cursor: &mut Cursor<'_>, entry: Entry) {
    insn.modrm_off = cursor.position;
    insn.modrm = cursor.next();
    if entry & MODRM_REG_ONLY != 0 {
        insn.modrm |= 0xc0;
    }
    let form = lookup(&MODRM_FORM, insn.modrm);
    let mut disp_len = form & DISP_LEN;
    if form & HAS_SIB != 0 {
        insn.sib = cursor.next();
        if form & SIB_BASE_5_HAS_DISP != 0 && insn.sib & 7 == 5 {
            disp_len = 4;
        }
    }
    if disp_len != 0 {
        insn.disp_off = cursor.position;
        insn.disp_len = disp_len;
        cursor.position += disp_len;
    }
}

#[inline(always)]
fn read_immediate(insn: &mut Insn, cursor: &mut Cursor<'_>, entry: Entry) {
    let form = entry & IMM_FORM;
    if form == 0 {
        return;
    }
    let opsize = u8::from(insn.prefixes.contains(Prefixes::OPSIZE));
    let operand_size = (insn.rex & 8) >> 2 | opsize;
    let len = if form < IMM_IRREGULAR {
        regular_immediate_len(form, operand_size)
    } else {
        irregular_immediate_len(insn, cursor, form, operand_size)
    };
    if len != 0 {
        insn.imm_off = cursor.position;
        insn.imm_low = cursor.peek();
        insn.imm_len = len;
        cursor.position += len;
    }
}

#[inline(always)]
fn regular_immediate_len(form: Entry, operand_size: u8) -> u8 {
    IMM_LEN
        .get(usize::from(form * 4) + usize::from(operand_size))
        .copied()
        .unwrap_or(0)
}

fn irregular_immediate_len(
    insn: &mut Insn,
    cursor: &mut Cursor<'_>,
    form: Entry,
    operand_size: u8,
) -> u8 {
    let is_test = insn.modrm & 0x30 == 0;
    match form {
        MOFFS => {
            insn.disp_off = cursor.position;
            insn.disp_len = if insn.prefixes.contains(Prefixes::ADDRSIZE) {
                4
            } else {
                8
            };
            cursor.position += insn.disp_len;
            0
        }
        GROUP3_8 if is_test => 1,
        GROUP3_Z if is_test => regular_immediate_len(tables::IMM_Z, operand_size),
        EXTRQ if insn.pp != 0 => 2,
        _ => 0,
    }
}
