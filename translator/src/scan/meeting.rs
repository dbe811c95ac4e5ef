//! Whether an instruction begins at a place, without decoding from the start of the function.
//!
//! Wherever in the bytes before it one begins to read, the ways to read them soon meet: after a few instructions they
//! go on at the same places. So where all ways have met, one of which is the code's, an instruction is certain to
//! begin.

use crate::addr::GuestPc;
use crate::decode::{Insn, copied_len, decode_into};
use crate::source::{CodeSource, Window};

/// Bytes before a place in which the ways to it must meet.
pub(super) const MEETING_BYTES: u64 = 112;
/// An instruction of the code begins in one of the first so many of them: no instruction is longer (Intel SDM vol. 2,
/// 2.3.11).
const LONGEST_INSN: u32 = 15;

/// Where the ways to read the bytes before a place lead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meeting {
    /// No way leads to the place: no instruction begins there.
    None,
    /// All ways that are left go through this earlier place, where an instruction begins, and on to the place.
    At(GuestPc),
    /// Some ways lead to it, some do not.
    Unknown,
}

/// Follows all ways to read the code before `pc`: from each of the first bytes, at one of which an instruction begins.
pub(super) fn meeting(pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> Meeting {
    let start = pc.0 - MEETING_BYTES;
    // Where an instruction begins on some way: a bit for each offset.
    let mut ways: u128 = (1 << LONGEST_INSN) - 1;
    let mut passed = false;
    let mut met = None;
    let mut insn = Insn::default();
    while ways != 0 {
        let offset = ways.trailing_zeros();
        if u64::from(offset) >= MEETING_BYTES {
            break;
        }
        ways &= ways - 1;
        let at = GuestPc(start + u64::from(offset));
        if met.is_none() && ways == 0 && !passed && offset >= LONGEST_INSN {
            met = Some(at);
        }
        let bytes = window.at(at, source);
        let len = match bytes.first_chunk().map_or(0, copied_len) {
            0 => decode_into(bytes, &mut insn).map_or(0, u32::from),
            len => u32::try_from(len).unwrap_or(0),
        };
        match (len, u64::from(offset + len).cmp(&MEETING_BYTES)) {
            // No instruction: this way ends.
            (0, _) => {}
            (_, core::cmp::Ordering::Greater) => passed = true,
            _ => ways |= 1 << (offset + len),
        }
    }
    match (ways != 0, met) {
        (false, _) => Meeting::None,
        (true, Some(at)) => Meeting::At(at),
        (true, None) => Meeting::Unknown,
    }
}
