//! Where in the gate a thread was stopped, and where it goes on if it faulted there.

use super::piece::Piece;
use super::region::Region;
use super::{clock, duplicates, filters, labels, lanes, ring0};

/// The piece that holds `pc`.
fn piece_of(pc: u64) -> Option<Piece> {
    let asm = [labels::pass_piece, labels::lookup_piece, labels::call_piece, labels::leave_piece];
    let answers = [lanes::find_piece, lanes::device_piece, lanes::file_piece, lanes::shared_piece, lanes::pipe_piece];
    let others = [lanes::copy_piece, lanes::leave_piece, clock::piece, filters::piece, duplicates::piece, ring0::piece];
    asm.into_iter().chain(answers).chain(others).map(|piece| piece()).find(|piece| piece.contains(pc))
}

/// What a pc in the runtime means for a signal.
#[must_use]
pub fn classify(pc: u64) -> Region {
    piece_of(pc).map_or(Region::Runtime, |piece| piece.region(pc))
}

/// Where a thread continues that faulted at `pc`, if it was looking at the guest's memory in the gate.
#[must_use]
pub fn fixup(pc: u64) -> Option<u64> {
    piece_of(pc)?.fixup(pc)
}
