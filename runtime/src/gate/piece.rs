//! A piece of the gate's assembly, as a signal handler sees it: where it lies, what a pc in it means, and where a
//! thread goes on that faulted there. Each file of assembly describes its own; [`classify`](super::classify) asks all
//! of them.

use super::region::Region;

/// Places at which the gate enters one piece, at most.
const ENTRIES: usize = 12;
/// Ranges and single places of one piece that mean something of their own, at most.
const RANGES: usize = 10;
/// Ranges of one piece in which a fault is survived, at most.
const FIXUPS: usize = 2;

/// Addresses from the first on, up to but not with the second.
pub type Span = (u64, u64);

fn contains((start, end): Span, pc: u64) -> bool {
    (start..end).contains(&pc)
}

/// The description of a piece.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// All of it.
    pub span: Span,
    /// Addresses at which the gate enters, 0 where there is none. Nothing has been saved there.
    entries: [u64; ENTRIES],
    /// What a pc in a range means; the first range that holds it decides.
    ranges: [(Span, Region); RANGES],
    /// Where a thread goes on that faulted in a range, by looking at the guest's memory; the first range that holds it
    /// decides.
    fixups: [(Span, u64); FIXUPS],
}

impl Piece {
    /// A piece in which every pc is the runtime's own and no fault is survived.
    #[must_use]
    pub fn new(span: Span) -> Self {
        const NOWHERE: Span = (0, 0);
        Self {
            span,
            entries: [0; ENTRIES],
            ranges: [(NOWHERE, Region::Runtime); RANGES],
            fixups: [(NOWHERE, 0); FIXUPS],
        }
    }

    /// With these entries.
    #[must_use]
    pub fn entered_at<const N: usize>(mut self, entries: [u64; N]) -> Self {
        const { assert!(N <= ENTRIES) };
        for (slot, entry) in self.entries.iter_mut().zip(entries) {
            *slot = entry;
        }
        self
    }

    /// With these ranges.
    #[must_use]
    pub fn with_ranges<const N: usize>(mut self, ranges: [(Span, Region); N]) -> Self {
        const { assert!(N <= RANGES) };
        for (slot, range) in self.ranges.iter_mut().zip(ranges) {
            *slot = range;
        }
        self
    }

    /// With these fix-ups.
    #[must_use]
    pub fn with_fixups<const N: usize>(mut self, fixups: [(Span, u64); N]) -> Self {
        const { assert!(N <= FIXUPS) };
        for (slot, fixup) in self.fixups.iter_mut().zip(fixups) {
            *slot = fixup;
        }
        self
    }

    /// What `pc`, which lies in the piece, means for a signal.
    #[must_use]
    pub fn region(&self, pc: u64) -> Region {
        if self.entries.contains(&pc) {
            return Region::BeforeCallLive;
        }
        self.ranges.iter().find(|(span, _)| contains(*span, pc)).map_or(Region::Runtime, |&(_, region)| region)
    }

    /// Where a thread goes on that faulted at `pc`, if the piece survives that.
    #[must_use]
    pub fn fixup(&self, pc: u64) -> Option<u64> {
        self.fixups.iter().find(|(span, _)| contains(*span, pc)).map(|&(_, to)| to)
    }

    /// `pc` lies in the piece.
    #[must_use]
    pub fn contains(&self, pc: u64) -> bool {
        contains(self.span, pc)
    }
}
