//! The decoder gives the same answers as iced-x86, over all opcodes, random bytes and real code.

mod oracle;

use bt_translator::decode::{DecodeError, decode};
use oracle::{Compared, Findings, hex};

/// xorshift64*: the tests need many reproducible bytes, not good ones.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        println!("seed {seed:#x}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }

    fn one_in(&mut self, n: u64) -> bool {
        (self.next() >> 32).is_multiple_of(n)
    }

    fn pick(&mut self, choices: &[u8]) -> u8 {
        choices[usize::from(self.byte()) % choices.len()]
    }
}

const MANDATORY: [&[u8]; 4] = [&[], &[0x66], &[0xf3], &[0xf2]];

fn with_tail(head: &[u8], random: &mut Random) -> [u8; 24] {
    let mut bytes = [0; 24];
    for (to, from) in bytes.iter_mut().zip(head.iter().copied().chain(std::iter::repeat_with(|| random.byte()))) {
        *to = from;
    }
    bytes
}

#[test]
fn every_legacy_opcode() {
    let mut random = Random::new(0x1e6a_c701);
    let mut findings = Findings::default();
    for escape in [&[][..], &[0x0f], &[0x0f, 0x38], &[0x0f, 0x3a]] {
        for opcode in 0..=255 {
            for prefix in MANDATORY {
                for rex in [&[][..], &[0x48]] {
                    for modrm in 0..=255 {
                        let head = [prefix, rex, escape, &[opcode, modrm]].concat();
                        findings.compare(&with_tail(&head, &mut random));
                    }
                }
            }
        }
    }
    findings.finish("legacy maps");
}

#[test]
fn every_3dnow_suffix() {
    let mut findings = Findings::default();
    for suffix in 0..=255 {
        for modrm in [0xc1, 0x00, 0x44, 0x84, 0x05] {
            for prefix in MANDATORY {
                let mut bytes = [prefix, &[0x0f, 0x0f, modrm]].concat();
                // SIB byte and displacement alike: the suffix then is the right one wherever it is looked for.
                bytes.extend([suffix; 12]);
                findings.compare(&bytes);
            }
        }
    }
    findings.finish("3DNow!");
}

#[test]
fn every_vex_and_xop_opcode() {
    let mut random = Random::new(0x0e8f_c4c5);
    let mut findings = Findings::default();
    let maps = (0..=31).map(|map| (0xc4, map)).chain((8..=31).map(|map| (0x8f, map)));
    for (lead, map) in maps {
        let is_known = if lead == 0xc4 { (1..4).contains(&map) } else { map < 11 };
        for opcode in 0..=255 {
            for pp in 0..4 {
                for w in [0, 0x80] {
                    for modrm in 0..=255 {
                        if !is_known && modrm % 64 != 5 {
                            continue;
                        }
                        // R X B and vvvv mostly as unused ones look, so that few encodings are reserved.
                        let p0 = map | if random.one_in(4) { random.byte() & 0xe0 } else { 0xe0 };
                        let vvvv = random.pick(&[0x78, 0x78, 0x28, 0x50]);
                        for l in [0, 4] {
                            let head = [lead, p0, w | vvvv | l | pp, opcode, modrm];
                            findings.compare(&with_tail(&head, &mut random));
                            if lead == 0xc4 && map == 1 && w == 0 {
                                let head = [0xc5, p0 & 0x80 | vvvv | l | pp, opcode, modrm];
                                findings.compare(&with_tail(&head, &mut random));
                            }
                        }
                    }
                }
            }
        }
    }
    findings.finish("VEX and XOP maps");
}

#[test]
fn every_evex_opcode() {
    let mut random = Random::new(0x0000_62ef);
    let mut findings = Findings::default();
    for map in 0..8 {
        for opcode in 0..=255 {
            for pp in 0..4 {
                for w in [0, 0x80] {
                    for modrm in 0..=255 {
                        let p0 = map | if random.one_in(4) { random.byte() & 0xf0 } else { 0xf0 };
                        let vvvv = random.pick(&[0x78, 0x78, 0x28, 0x50]);
                        let mask = random.pick(&[0, 1, 0x81, 0x11, 0x10]);
                        let v = if random.one_in(8) { 0 } else { 8 };
                        let len = random.pick(&[0, 0x20, 0x40, 0x60]);
                        let head = [0x62, p0, w | vvvv | 4 | pp, mask | v | len, opcode, modrm];
                        findings.compare(&with_tail(&head, &mut random));
                        let head = [0x62, p0 | 0xf0, w | 0x7c | pp, v | 1, opcode, modrm];
                        findings.compare(&with_tail(&head, &mut random));
                    }
                }
            }
        }
    }
    findings.finish("EVEX maps");
}

/// Bytes with many prefixes, escapes and vector prefixes in front.
fn random_code(random: &mut Random) -> [u8; 24] {
    const PREFIXES: [u8; 11] = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
    let mut head = Vec::with_capacity(24);
    while head.len() < 18 && random.one_in(2) {
        head.push(if random.one_in(4) { 0x40 | random.byte() & 15 } else { random.pick(&PREFIXES) });
    }
    if random.one_in(2) {
        head.push(0x40 | random.byte() & 15);
    }
    match random.byte() % 8 {
        0 | 1 => head.push(0x0f),
        2 => head.extend([0x0f, random.pick(&[0x38, 0x3a])]),
        3 if random.one_in(2) => head.extend([0xc4, random.byte() & 0xe0 | random.pick(&[1, 2, 3])]),
        3 => head.extend([0x62, random.byte() & 0xf0 | random.pick(&[1, 2, 3, 5, 6]), random.byte() | 4]),
        4 if random.one_in(4) => head.extend([0x8f, random.byte() & 0xe0 | random.pick(&[8, 9, 10])]),
        _ => {}
    }
    with_tail(&head, random)
}

#[test]
fn random_bytes() {
    let mut findings = Findings::default();
    for seed in [0x5eed_0001, 0x5eed_0002] {
        let mut random = Random::new(seed);
        for _ in 0..1_000_000 {
            let bytes = random_code(&mut random);
            let Compared { theirs, ours } = findings.compare(&bytes);
            if let (false, Ok(insn)) = (theirs.is_invalid(), ours) {
                for len in 0..insn.len {
                    let cut = &bytes[..usize::from(len)];
                    assert_eq!(decode(cut).err(), Some(DecodeError::TooShort), "{} of {}", hex(cut), hex(&bytes));
                }
                // What follows plays no part.
                let exact = decode(&bytes[..usize::from(insn.len)]).expect("the whole instruction is there");
                assert_eq!(format!("{exact:?}"), format!("{insn:?}"));
            }
        }
    }
    findings.finish("random bytes");
}

#[test]
fn an_instruction_longer_than_fifteen_bytes_is_too_long() {
    let mut bytes = [0x66; 24];
    assert_eq!(decode(&bytes).err(), Some(DecodeError::TooLong));
    assert_eq!(decode(&bytes[..14]).err(), Some(DecodeError::TooShort));
    bytes[14] = 0x90;
    assert_eq!(decode(&bytes).map(|insn| insn.len), Ok(15));
    assert_eq!(decode(&bytes[..15]).map(|insn| insn.len), Ok(15));
    // add [rax], al: two bytes from the fifteenth on.
    bytes[14] = 0x00;
    assert_eq!(decode(&bytes).err(), Some(DecodeError::TooLong));
    assert_eq!(decode(&bytes[..15]).err(), Some(DecodeError::TooLong));
}

#[test]
fn what_64_bit_mode_lacks_is_invalid() {
    let gone =
        [0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd6, 0xea];
    // AAM, AAD and APX's REX2; APX in EVEX map 4 and with B4.
    let apx: [&[u8]; 4] =
        [&[0xd4], &[0xd5], &[0x62, 0xf4, 0x7c, 0x08, 0x01, 0xc0], &[0x62, 0xf9, 0x7c, 0x08, 0x58, 0xc0]];
    for head in gone.iter().map(std::slice::from_ref).chain(apx) {
        assert_eq!(decode(&with_tail(head, &mut Random(1))).err(), Some(DecodeError::Invalid), "{}", hex(head));
    }
}

/// Offset and size of an ELF file's `.text`.
fn text_section(file: &[u8]) -> Option<&[u8]> {
    let word = |at: usize, len: usize| {
        file.get(at..at + len)?.iter().rev().try_fold(0usize, |value, byte| Some(value << 8 | usize::from(*byte)))
    };
    let (table, entry_len, count, names) = (word(0x28, 8)?, word(0x3a, 2)?, word(0x3c, 2)?, word(0x3e, 2)?);
    let names_at = word(table + names * entry_len + 0x18, 8)?;
    (0..count).map(|n| table + n * entry_len).find_map(|header| {
        let name = file.get(names_at + word(header, 4)?..)?;
        let (at, len) = (word(header + 0x18, 8)?, word(header + 0x20, 8)?);
        name.starts_with(b".text\0").then(|| file.get(at..at + len))?
    })
}

#[test]
fn the_text_of_libc() {
    let path = "/usr/lib/x86_64-linux-gnu/libc.so.6";
    let Ok(file) = std::fs::read(path) else {
        println!("skipped: no {path}");
        return;
    };
    let text = text_section(&file).expect("libc has a .text section");
    let mut findings = Findings::default();
    let mut rest = text;
    while !rest.is_empty() {
        let Compared { theirs, ours } = findings.compare(&rest[..rest.len().min(24)]);
        let len = if theirs.is_invalid() { 1 } else { theirs.len() };
        if !theirs.is_invalid() && ours.is_ok_and(|insn| usize::from(insn.len) != len) {
            break;
        }
        rest = &rest[len.min(rest.len())..];
    }
    println!("{path}: {} bytes of text", text.len());
    findings.finish("libc");
    assert!(rest.is_empty(), "the walk ended early");
}
