//! Any bytes at all: decoding and translating them ends, does not panic, and emits no more than it may.

mod common;

use bt_translator::block::{MAX_FRAGMENT_BYTES, MAX_INSNS, Request};
use bt_translator::decode::{DecodeError, MAX_INSN_LEN, decode};
use common::{HIGH, LOW, Random, translate};

const INPUTS: u64 = 60_000;

fn check(bytes: &[u8], random: &mut Random) {
    match decode(bytes) {
        Ok(insn) => {
            assert!((1..=MAX_INSN_LEN).contains(&insn.len) && usize::from(insn.len) <= bytes.len());
        }
        Err(DecodeError::TooShort) => assert!(bytes.len() < usize::from(MAX_INSN_LEN)),
        Err(_) => {}
    }
    let tag = if random.below(2) == 0 { LOW } else { HIGH };
    let request = Request {
        indirect: random.below(2) == 0,
        end_after_store: random.below(4) == 0,
        max_insns: u32::try_from(random.below(3)).unwrap(),
        single_entry: random.below(4) == 0,
        in_place_until: (random.below(4) == 0).then(|| tag.plus(5 + random.below(19))),
    };
    let distance = [80 << 20, 3 << 32, 0u64.wrapping_sub(1 << 30)][random.index(3)];
    let out = translate(tag, bytes, distance, request);
    assert!(u64::from(out.hot.offset()) <= MAX_FRAGMENT_BYTES);
    assert!(u64::from(out.cold.offset()) <= MAX_FRAGMENT_BYTES);
    assert!(out.insns <= MAX_INSNS);
    assert!(out.hot.is_sound() && out.cold.is_sound());
    assert!(out.guest_len as usize <= bytes.len().max(1));
    assert!(!out.entries.is_empty());
    for exit in &out.exits {
        assert!(exit.site + 4 <= out.hot.offset() && exit.id_at + 4 <= out.cold.offset());
    }
}

fn checked(bytes: &[u8], random: &mut Random) {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(bytes, random)));
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(result.is_ok(), "with these bytes: {text}");
}

#[test]
fn random_bytes() {
    let mut random = Random::new(0xf022_0001);
    for _ in 0..INPUTS {
        let len = random.index(200);
        let bytes: Vec<u8> = (0..len).map(|_| random.byte()).collect();
        checked(&bytes, &mut random);
    }
}

#[test]
fn random_instructions() {
    let mut random = Random::new(0xf022_0002);
    for _ in 0..INPUTS {
        let mut bytes = Vec::new();
        for _ in 0..random.below(12) {
            bytes.extend(random.instruction_bytes());
        }
        bytes.truncate(bytes.len().saturating_sub(random.index(15)));
        checked(&bytes, &mut random);
    }
}

#[test]
fn mutated_real_code() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let mut random = Random::new(0xf022_0003);
    for _ in 0..INPUTS {
        let from = random.index(own.len());
        let len = 1 + random.index(400);
        let mut bytes = own[from..own.len().min(from + len)].to_vec();
        for _ in 0..random.below(6) {
            let at = random.index(bytes.len());
            bytes[at] = match random.below(3) {
                0 => random.byte(),
                1 => bytes[at] ^ 1 << random.below(8),
                _ => [0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x0f, 0x62, 0xc4, 0xc5, 0xff][random.index(11)],
            };
        }
        checked(&bytes, &mut random);
    }
}

#[test]
fn longest_rewrites_fill_no_fragment_beyond_its_limit() {
    let mut random = Random::new(1);
    // Calls through gs, gs operands, operands out of reach, returns after calls: as many as fit.
    for unit in [
        &[0x65, 0xff, 0x53, 0x08][..],
        &[0x65, 0x48, 0x8b, 0x43, 0x10],
        &[0x48, 0x8b, 0x05, 0x10, 0, 0, 0],
        &[0xe8, 0x10, 0, 0, 0],
        &[0x74, 0x05],
        &[0xe3, 0x05],
    ] {
        let bytes = unit.repeat(400);
        for _ in 0..20 {
            checked(&bytes, &mut random);
        }
    }
}
