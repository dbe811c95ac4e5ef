//! One descriptor per opcode: what follows it and under which mandatory prefixes it exists.
//!
//! All tables are computed at compile time from the grids in [`maps`] and the operand forms below, so
//! the decoder has no start-up cost.

use super::classify::{Class, class_of_one_byte, class_of_two_byte};
use super::maps::{self, Grid};

/// Descriptor of one opcode; zero means no instruction.
pub(super) type Entry = u16;
/// Descriptors of one opcode map.
pub(super) type Map = [Entry; 256];

/// Low four bits: the immediate's form, one of the `IMM_*` constants.
pub(super) const IMM_FORM: Entry = 0x000f;
/// A ModRM byte follows.
pub(super) const MODRM: Entry = 0x0010;
/// The class depends on more than the opcode, or is not `Plain`.
pub(super) const CLASSIFY: Entry = 0x0020;
/// The ModRM byte names registers whatever its mod field says (MOV to and from control and debug registers).
pub(super) const MODRM_REG_ONLY: Entry = 0x0040;
/// A legacy prefix.
pub(super) const PREFIX: Entry = 0x1000;
/// A REX prefix.
pub(super) const REX: Entry = 0x2000;
/// Leads to another opcode map: `0F`, `62`, `8F`, `C4`, `C5`.
pub(super) const ESCAPE: Entry = 0x4000;
/// Exists without mandatory prefix; shifted left by VEX.pp for the other prefixes.
pub(super) const PP_NONE: Entry = 0x0100;
const PP_ANY: Entry = 0x0f00;

const IMM_NONE: Entry = 0;
pub(super) const IMM_8: Entry = 1;
const IMM_16: Entry = 2;
/// Operand-sized, four bytes at most (SDM vol. 2D A.2.2, code `z`).
pub(super) const IMM_Z: Entry = 3;
/// Operand-sized, eight bytes with REX.W: only `MOV r64, imm64`.
const IMM_V: Entry = 4;
/// ENTER: imm16 and imm8.
const IMM_16_8: Entry = 5;
/// Near branch: four bytes whatever the operand size (SDM vol. 2A, JMP: "66H is ignored in 64-bit mode").
const REL_32: Entry = 6;
/// Forms from here on depend on more than the operand size.
pub(super) const IMM_IRREGULAR: Entry = 7;
/// An absolute address in the place of a displacement (`A0`-`A3`).
pub(super) const MOFFS: Entry = 7;
/// `F6`: only TEST (/0, /1) has an immediate byte.
pub(super) const GROUP3_8: Entry = 8;
/// `F7`: only TEST (/0, /1) has an operand-sized immediate.
pub(super) const GROUP3_Z: Entry = 9;
/// `0F 78`: EXTRQ and INSERTQ have two immediate bytes (APM vol. 4), VMREAD none.
pub(super) const EXTRQ: Entry = 10;

/// Length of a regular immediate: index is form × 4 + REX.W × 2 + operand-size prefix.
#[rustfmt::skip]
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
pub(super) static IMM_LEN: [u8; 64] = {
    let mut lens = [0; 64];
    let rows: [[u8; 4]; 7] = [
        [0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2], [4, 2, 4, 4], [4, 2, 8, 8], [3, 3, 3, 3], [4, 4, 4, 4],
    ];
    let mut i = 0;
    while i < 28 {
        lens[i] = rows[i / 4][i % 4];
        i += 1;
    }
    lens
};

/// In `MODRM_FORM`: a SIB byte follows.
pub(super) const HAS_SIB: u8 = 0x10;
/// In `MODRM_FORM`: mod is 0, so a SIB byte with base 5 has a four-byte displacement.
pub(super) const SIB_BASE_5_HAS_DISP: u8 = 0x20;
/// In `MODRM_FORM`: the displacement's length.
pub(super) const DISP_LEN: u8 = 0x0f;

/// What follows a ModRM byte (SDM vol. 2A table 2-2).
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated at compile time")]
pub(super) static MODRM_FORM: [u8; 256] = {
    let mut forms = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mode, rm) = (i as u8 >> 6, i as u8 & 7);
        let disp = match mode {
            0 if rm == 5 => 4,
            1 => 1,
            2 => 4,
            _ => 0,
        };
        let sib = if mode != 3 && rm == 4 { HAS_SIB } else { 0 };
        let base_5 = if mode == 0 && rm == 4 { SIB_BASE_5_HAS_DISP } else { 0 };
        forms[i] = disp | sib | base_5;
        i += 1;
    }
    forms
};

/// Operand forms of the one-byte opcodes (SDM vol. 2D table A-2).
///
/// `n` nothing, `M` ModRM, `b`/`w`/`z`/`v` an immediate of 1, 2, operand-sized (at most 4) or full operand size,
/// `B`/`Z` ModRM and such an immediate, `d` near branch, `o` moffs, `e` ENTER, `g`/`G` group 3, `p` prefix, `r` REX,
/// `E` escape, `.` invalid in 64-bit mode.
#[rustfmt::skip]
const ONE_BYTE_FORMS: Grid = [
    //0123456789abcdef
    b"MMMMbz..MMMMbz.E",
    b"MMMMbz..MMMMbz..",
    b"MMMMbzp.MMMMbzp.",
    b"MMMMbzp.MMMMbzp.",
    b"rrrrrrrrrrrrrrrr",
    b"nnnnnnnnnnnnnnnn",
    b"..EMppppzZbBnnnn",
    b"bbbbbbbbbbbbbbbb",
    b"BZ.BMMMMMMMMMMME",
    b"nnnnnnnnnn.nnnnn",
    b"oooonnnnbznnnnnn",
    b"bbbbbbbbvvvvvvvv",
    b"BBwnEEBZenwnnb.n",
    b"MMMM...nMMMMMMMM",
    b"bbbbbbbbdd.bnnnn",
    b"pnppnngGnnnnnnMM",
];

/// Two-byte opcodes without a ModRM byte.
const fn two_byte_form(opcode: u8) -> Entry {
    match opcode {
        0x05..=0x0b | 0x0e | 0x30..=0x37 | 0x77 | 0xa0..=0xa2 | 0xa8..=0xaa | 0xc8..=0xcf => IMM_NONE,
        0x80..=0x8f => REL_32,
        0x0f | 0x70..=0x73 | 0xa4 | 0xac | 0xba | 0xc2 | 0xc4..=0xc6 => MODRM | IMM_8,
        0x20..=0x23 => MODRM | MODRM_REG_ONLY,
        0x78 => MODRM | EXTRQ,
        _ => MODRM,
    }
}

/// Operand form in map 1 of VEX and EVEX: VZEROUPPER alone has no ModRM byte.
const fn vector_map1_form(opcode: u8) -> Entry {
    match opcode {
        0x77 => IMM_NONE,
        0x70..=0x73 | 0xc2 | 0xc4..=0xc6 => MODRM | IMM_8,
        _ => MODRM,
    }
}

const fn one_byte_form(letter: u8) -> Entry {
    match letter {
        b'n' => PP_ANY,
        b'M' => PP_ANY | MODRM,
        b'b' => PP_ANY | IMM_8,
        b'w' => PP_ANY | IMM_16,
        b'z' => PP_ANY | IMM_Z,
        b'v' => PP_ANY | IMM_V,
        b'B' => PP_ANY | MODRM | IMM_8,
        b'Z' => PP_ANY | MODRM | IMM_Z,
        b'd' => PP_ANY | REL_32,
        b'o' => PP_ANY | MOFFS,
        b'e' => PP_ANY | IMM_16_8,
        b'g' => PP_ANY | MODRM | GROUP3_8,
        b'G' => PP_ANY | MODRM | GROUP3_Z,
        b'p' => PREFIX,
        b'r' => REX,
        b'E' => ESCAPE,
        _ => 0,
    }
}

/// Opcodes whose class, or whose being an instruction at all, depends on more than the opcode:
/// [`classify`](super::classify::classify) looks at them.
const fn is_classified(map: u8, opcode: u8) -> bool {
    match map {
        0 => matches!(opcode, 0x8e | 0x8f | 0xc6 | 0xc7 | 0xcd | 0xfe | 0xff),
        1 => matches!(opcode, 0x01 | 0x0f | 0xae),
        _ => false,
    }
}

/// Classes by one-byte opcode.
pub(super) static ONE_BYTE_CLASS: [Class; 256] = class_map(0);
/// Classes by two-byte opcode.
pub(super) static TWO_BYTE_CLASS: [Class; 256] = class_map(1);

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated at compile time")]
const fn class_map(map: u8) -> [Class; 256] {
    let mut classes = [Class::Plain; 256];
    let mut i = 0;
    while i < 256 {
        classes[i] = if map == 0 { class_of_one_byte(i as u8) } else { class_of_two_byte(i as u8) };
        i += 1;
    }
    classes
}

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated at compile time")]
const fn one_byte_map() -> Map {
    let mut map = [0; 256];
    let mut i = 0;
    while i < 256 {
        let entry = one_byte_form(ONE_BYTE_FORMS[i >> 4][i & 15]);
        map[i] = if is_classified(0, i as u8) { entry | CLASSIFY } else { entry };
        i += 1;
    }
    map
}

const fn digit(letter: u8) -> Entry {
    match letter {
        b'0'..=b'9' => (letter - b'0') as Entry,
        b'a'..=b'f' => (letter - b'a') as Entry + 10,
        _ => 0,
    }
}

/// Which operand forms a map has.
#[derive(Clone, Copy)]
enum Forms {
    TwoByte,
    VectorMap1,
    Uniform(Entry),
}

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated at compile time")]
const fn map_of(grid: &Grid, forms: Forms) -> Map {
    let mut map = [0; 256];
    let mut i = 0;
    while i < 256 {
        let pp = digit(grid[i >> 4][i & 15]) * PP_NONE;
        if pp != 0 {
            map[i] = pp
                | match forms {
                    Forms::TwoByte if is_classified(1, i as u8) => two_byte_form(i as u8) | CLASSIFY,
                    Forms::TwoByte => two_byte_form(i as u8),
                    Forms::VectorMap1 => vector_map1_form(i as u8),
                    Forms::Uniform(form) => form,
                };
        }
        i += 1;
    }
    map
}

const fn two_byte_map() -> Map {
    let mut map = map_of(&maps::TWO_BYTE_PP, Forms::TwoByte);
    map[0x38] = ESCAPE;
    map[0x3a] = ESCAPE;
    map
}

pub(super) static ONE_BYTE: Map = one_byte_map();
pub(super) static TWO_BYTE: Map = two_byte_map();
pub(super) static MAP_0F38: Map = map_of(&maps::MAP_0F38_PP, Forms::Uniform(MODRM));
pub(super) static MAP_0F3A: Map = map_of(&maps::MAP_0F3A_PP, Forms::Uniform(MODRM | IMM_8));
static VEX_MAP1: Map = map_of(&maps::VEX_MAP1_PP, Forms::VectorMap1);
static VEX_MAP2: Map = map_of(&maps::VEX_MAP2_PP, Forms::Uniform(MODRM));
static VEX_MAP3: Map = map_of(&maps::VEX_MAP3_PP, Forms::Uniform(MODRM | IMM_8));
static EVEX_MAP1: Map = map_of(&maps::EVEX_MAP1_PP, Forms::VectorMap1);
static EVEX_MAP2: Map = map_of(&maps::EVEX_MAP2_PP, Forms::Uniform(MODRM));
static EVEX_MAP3: Map = map_of(&maps::EVEX_MAP3_PP, Forms::Uniform(MODRM | IMM_8));
static EVEX_MAP5: Map = map_of(&maps::EVEX_MAP5_PP, Forms::Uniform(MODRM));
static EVEX_MAP6: Map = map_of(&maps::EVEX_MAP6_PP, Forms::Uniform(MODRM));
static XOP_MAP8: Map = map_of(&maps::XOP_MAP8_PP, Forms::Uniform(MODRM | IMM_8));
static XOP_MAP9: Map = map_of(&maps::XOP_MAP9_PP, Forms::Uniform(MODRM));
/// Operand size plays no part: a `66` before XOP is refused, so the operand-sized form is always four bytes.
static XOP_MAP10: Map = map_of(&maps::XOP_MAP10_PP, Forms::Uniform(MODRM | IMM_Z));

/// The VEX opcode map with this number, if it exists.
#[inline]
pub(super) fn vex_map(number: u8) -> Option<&'static Map> {
    match number {
        1 => Some(&VEX_MAP1),
        2 => Some(&VEX_MAP2),
        3 => Some(&VEX_MAP3),
        _ => None,
    }
}

/// The EVEX opcode map with this number, if it exists; map 4 is APX, which is refused.
#[inline]
pub(super) fn evex_map(number: u8) -> Option<&'static Map> {
    match number {
        1 => Some(&EVEX_MAP1),
        2 => Some(&EVEX_MAP2),
        3 => Some(&EVEX_MAP3),
        5 => Some(&EVEX_MAP5),
        6 => Some(&EVEX_MAP6),
        _ => None,
    }
}

/// The XOP opcode map with this number, if it exists.
#[inline]
pub(super) fn xop_map(number: u8) -> Option<&'static Map> {
    match number {
        8 => Some(&XOP_MAP8),
        9 => Some(&XOP_MAP9),
        10 => Some(&XOP_MAP10),
        _ => None,
    }
}
