//! Target `translate`: any bytes decode or are refused, and become a fragment that holds together.

use crate::Code;
use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::block::{MAX_FRAGMENT_BYTES, MAX_INSNS, Request, Translator};
use bt_translator::decode::{DecodeError, MAX_INSN_LEN, decode};
use bt_translator::layout::{Answer, Layout};
use bt_translator::translation::{NO_ENTRY, Position, Translation, find_entry};

/// Slots at offsets that mean nothing: nothing of it runs.
const LAYOUT: Layout = Layout {
    slot_rcx: 0x10,
    slot_r11: 0x18,
    slot_scratch: 0x20,
    slot_rsp: 0x60,
    runtime_sp: 0x68,
    guest_gs_base: 0x28,
    enter_exit: 0x40,
    enter_lookup: 0x48,
    enter_gate: 0x50,
    enter_cpuid: 0x58,
    enter_slow: 0x70,
    sampled: &[0, 3],
    call_entries: 0x3000,
    stub_calls: 0x7ff8_0000,
    call_counts: 0x2000,
    stubs_call: true,
    answers: &[Answer { number: 39, value: 0x30, count: 0x38 }],
    ibtc: 0x7ff0_0000,
};

/// Where guest code lies.
const TAGS: [u64; 4] = [0x40_1000, 0x7f12_0040_1000, 0xffff_ff00, u64::MAX - 300];
/// Distances from the cache to the code: within reach, at its limit, out of reach.
const DISTANCES: [u64; 4] = [80 << 20, 0u64.wrapping_sub(1 << 30), (1 << 31) - 100, 3 << 32];

/// The first two bytes of the input say how the rest, guest code, is translated.
pub fn translate(data: &[u8]) {
    let &[how, options, ref code @ ..] = data else { return };
    let tag = GuestPc(TAGS[usize::from(how & 3)]);
    let hot_at = CachePc(tag.0.wrapping_sub(DISTANCES[usize::from(how >> 2 & 3)]));
    let in_place_len = 5 + u64::from(how >> 4);
    let request = Request {
        indirect: options & 1 != 0,
        end_after_store: options & 2 != 0,
        single_entry: options & 4 != 0,
        in_place_until: (options & 8 != 0).then(|| tag.plus(in_place_len)),
        max_insns: u32::from(options >> 4 & 3),
    };
    let layout = Layout { stubs_call: options & 0x40 == 0, ..LAYOUT };
    check_decoded(code);
    let once = translated(layout, tag, hot_at, request, code);
    check(&once, code, tag);
    // A position map is made by translating again.
    let again = translated(layout, tag, hot_at, request, code);
    assert_eq!((once.hot.bytes(), once.cold.bytes()), (again.hot.bytes(), again.cold.bytes()));
}

fn translated(layout: Layout, tag: GuestPc, hot_at: CachePc, request: Request, bytes: &[u8]) -> Translation {
    let mut out = Translation { want_positions: true, ..Translation::default() };
    let mut code = Code { at: tag.0, bytes };
    Translator::new(layout).translate(tag, request, hot_at, hot_at.plus(40 << 20), &mut code, &mut out);
    out
}

/// What decodes has its fields inside it, and decodes the same when nothing follows it; less of it is too short.
fn check_decoded(code: &[u8]) {
    let Ok(insn) = decode(code) else { return };
    let len = usize::from(insn.len);
    assert!((1..=usize::from(MAX_INSN_LEN)).contains(&len) && len <= code.len());
    assert!(usize::from(insn.disp_off) + usize::from(insn.disp_len) <= len);
    assert!(usize::from(insn.imm_off) + usize::from(insn.imm_len) <= len);
    assert_eq!(decode(&code[..len]).map(|insn| insn.len), Ok(insn.len));
    assert_eq!(decode(&code[..len - 1]).err(), Some(DecodeError::TooShort));
    // Effects are known for whatever decodes.
    let _ = (insn.flag_effect(), insn.may_write_memory(), insn.is_vendor_dependent());
}

fn check(out: &Translation, code: &[u8], tag: GuestPc) {
    assert!(out.hot.is_sound() && out.cold.is_sound());
    assert!(u64::from(out.hot.offset()) <= MAX_FRAGMENT_BYTES && u64::from(out.cold.offset()) <= MAX_FRAGMENT_BYTES);
    assert!(out.insns <= MAX_INSNS && out.guest_len as usize <= code.len().max(1));
    assert!(out.entries.first().is_some_and(|entry| entry.pc == tag));
    for exit in &out.exits {
        assert!(exit.site + 4 <= out.hot.offset() && exit.id_at + 4 <= out.cold.offset() && exit.stub < exit.id_at);
    }
    for (positions, len) in [(&out.positions, out.hot.offset()), (&out.cold_positions, out.cold.offset())] {
        let is_ascending = |pair: &[Position]| pair[0].offset < pair[1].offset;
        assert!(positions.windows(2).all(is_ascending) && positions.iter().all(|at| at.offset <= len));
    }
    // Every instruction can be found by its distance, until one that is too long.
    let first = out.entries[0].body;
    let mut distance = 0;
    for &[len, emitted] in &out.boundaries {
        assert!(find_entry(&out.boundaries, first, distance).is_some_and(|hot| hot <= out.hot.offset()));
        if emitted == NO_ENTRY {
            break;
        }
        distance += u64::from(len);
    }
}
