//! Whatever valid code is translated: positions, boundaries, entries and exits agree with each other and with the code.

mod common;

use bt_translator::addr::GuestPc;
use bt_translator::block::{MAX_FRAGMENT_BYTES, MAX_INSNS, Request};
use bt_translator::decode::decode;
use bt_translator::translation::{FAR_AWAY, NO_ENTRY, Position, Recover, Translation, find_entry, find_position};
use common::{HIGH, LOW, Random, translate};
use iced_x86::{Decoder, DecoderOptions, Mnemonic};

const BLOCKS: u64 = 60_000;

/// One to twelve instructions that both decoders hold to be valid.
fn valid_code(random: &mut Random) -> Vec<u8> {
    let mut code = Vec::new();
    let wanted = 1 + random.below(12);
    let mut found = 0;
    while found < wanted {
        let bytes = random.instruction_bytes();
        let insn = Decoder::with_ip(64, &bytes, 0, DecoderOptions::NONE).decode();
        if insn.is_invalid() {
            continue;
        }
        if decode(&bytes).is_ok_and(|ours| usize::from(ours.len) == insn.len()) {
            code.extend(&bytes[..insn.len()]);
            found += 1;
        }
    }
    code
}

fn assert_ascending(positions: &[Position], len: u32, what: &str) {
    for pair in positions.windows(2) {
        assert!(pair[0].offset < pair[1].offset, "{what}: offsets do not ascend");
    }
    if let Some(last) = positions.last() {
        assert!(last.offset <= len, "{what}: a position lies past the code");
    }
}

/// The guest pc that the hot byte at `offset` belongs to, when registers are the guest's own there.
fn clean_pc(out: &Translation, tag: GuestPc, offset: u32) -> Option<GuestPc> {
    let position = find_position(&out.positions, offset)?;
    assert_ne!(position.pc, FAR_AWAY);
    let pc = GuestPc(tag.0.wrapping_add_signed(i64::from(position.pc)));
    match position.recover {
        Recover::Copied => Some(pc.plus(u64::from(offset - position.offset))),
        Recover::At => Some(pc),
        _ => None,
    }
}

fn check(out: &Translation, tag: GuestPc, guest: &[u8]) {
    let (hot_len, cold_len) = (out.hot.offset(), out.cold.offset());
    assert!(u64::from(hot_len) < MAX_FRAGMENT_BYTES && u64::from(cold_len) < MAX_FRAGMENT_BYTES);
    assert!(out.insns <= MAX_INSNS);
    assert!(out.hot.is_sound() && out.cold.is_sound());
    assert_ascending(&out.positions, hot_len, "hot");
    assert_ascending(&out.cold_positions, cold_len, "cold");

    for exit in &out.exits {
        assert!(exit.site + 4 <= hot_len, "site outside the hot code");
        assert!(exit.stub < cold_len && exit.id_at + 4 <= cold_len, "stub outside the cold code");
        let site = out.hot.address(exit.site).0;
        assert!(site % 32 <= 28, "a displacement crosses a 32-byte boundary");
        let field = exit.site as usize;
        let rel = i32::from_le_bytes(out.hot.bytes()[field..field + 4].try_into().unwrap());
        let to = (site + 4).wrapping_add_signed(i64::from(rel));
        assert_eq!(to, out.cold.address(exit.stub).0, "an exit does not lead to its stub");
    }
    let first = out.entries.first().expect("no entry");
    assert_eq!(first.pc, tag);
    for entry in &out.entries {
        assert!(entry.body <= hot_len);
        assert!(entry.indirect.is_none_or(|at| at < entry.body));
    }

    // Every instruction, by the guest's own code.
    let (mut pc, mut distance) = (tag, 0u64);
    let mut hot = first.body;
    for (n, &[len, emitted]) in out.boundaries.iter().enumerate() {
        let from = usize::try_from(distance).unwrap();
        let insn = decode(&guest[from..]).unwrap();
        assert_eq!(insn.len, len, "instruction {n} has another length");
        assert_eq!(find_entry(&out.boundaries, first.body, distance), Some(hot));
        assert_eq!(clean_pc(out, tag, hot), Some(pc), "instruction {n} is not found again");
        distance += u64::from(len);
        pc = pc.plus(u64::from(len));
        if emitted == NO_ENTRY {
            break;
        }
        hot += u32::from(emitted);
    }

    let start = out.hot.address(0).0;
    for insn in Decoder::with_ip(64, out.hot.bytes(), start, DecoderOptions::NONE) {
        let offset = insn.ip() - start;
        assert!(!insn.is_invalid(), "emitted code is invalid at +{offset:#x}");
        let offset = u32::try_from(offset).unwrap();
        let position = find_position(&out.positions, offset).expect("code without a position");
        if position.recover != Recover::Copied {
            continue;
        }
        // A copy belongs to the instruction with the same opcode.
        let pc = clean_pc(out, tag, offset).unwrap();
        let from = usize::try_from(pc.since(tag)).unwrap();
        let original = Decoder::with_ip(64, &guest[from..], pc.0, DecoderOptions::NONE).decode();
        assert_eq!((original.code(), original.len()), (insn.code(), insn.len()));
        // The operand of an undefined instruction is not looked at.
        let is_undefined = matches!(insn.mnemonic(), Mnemonic::Ud0 | Mnemonic::Ud1);
        if original.is_ip_rel_memory_operand() && !is_undefined {
            assert_eq!(original.ip_rel_memory_address(), insn.ip_rel_memory_address());
        }
    }
}

#[test]
fn maps_agree_with_the_code() {
    let mut random = Random::new(0x7a15);
    for number in 0..BLOCKS {
        let guest = valid_code(&mut random);
        let tag = if number % 3 == 0 { LOW } else { HIGH };
        let distance = if number % 4 == 0 { 3 << 32 } else { 80 << 20 };
        let distance = if tag == LOW { 0u64.wrapping_sub(0x7ba0_0000) } else { distance };
        let request = Request { indirect: number % 2 == 0, ..Request::default() };
        let out = translate(tag, &guest, distance, request);
        let text: String = guest.iter().map(|byte| format!("{byte:02x}")).collect();
        let checked = std::panic::catch_unwind(|| check(&out, tag, &guest));
        assert!(checked.is_ok(), "block {number} at {:#x}, cache {distance:#x} below: {text}", tag.0);
    }
}

#[test]
fn translating_again_gives_the_same_bytes() {
    let mut random = Random::new(0xa9a1);
    for _ in 0..5000 {
        let guest = valid_code(&mut random);
        let first = translate(HIGH, &guest, 80 << 20, Request::default());
        let again = Request { max_insns: first.insns, ..Request::default() };
        // The maps are made this way, when a signal asks for them.
        let second = translate(HIGH, &guest, 80 << 20, again);
        let same = first.hot.bytes().len().min(second.hot.bytes().len());
        assert_eq!(first.hot.bytes()[..same], second.hot.bytes()[..same]);
    }
}
