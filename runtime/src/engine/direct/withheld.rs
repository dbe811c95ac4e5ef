//! Pages of guest code that the kernel lets nobody execute: a thread that comes there faults, and goes on under engine
//! `translate` until it has left them.
//!
//! A page is withheld because of single places in it ([`Doubt`]), or with the whole mapping, because what is in it can
//! change unseen or could not be patched.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use linux_raw_sys::general::PROT_EXEC;

const PAGE: u64 = 4096;
/// Ranges of one mapping at most: each costs two mappings of the kernel's, of which a process may have some 65,000
/// (vm.max_map_count).
const MOST_RANGES: usize = 32;

/// Why a page is withheld.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubt {
    /// The bytes at this place are those of a call, but may be data.
    MayBeData,
    /// A call that was executed: it is to be patched. The instruction before it, if the thread came that way.
    Executed(Option<u64>),
    /// No patch can take it over, so it never runs in place.
    Lasting,
}

/// Pages in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// First address.
    pub start: u64,
    /// The one after the last.
    pub end: u64,
    /// It is withheld as it is, not because of places in it.
    pub whole: bool,
}

/// What is withheld.
#[derive(Default)]
pub struct Withheld {
    ranges: Vec<Range>,
    /// By guest pc.
    doubts: BTreeMap<u64, Doubt>,
    /// Single steps for which a page is open ([`super::step`]).
    pub open_steps: u32,
}

impl Withheld {
    /// `pc` lies in code that must not be executed in place.
    #[must_use]
    pub fn holds(&self, pc: u64) -> bool {
        self.at(pc).is_some()
    }

    /// The range that holds `pc`.
    #[must_use]
    pub fn at(&self, pc: u64) -> Option<Range> {
        self.ranges.iter().copied().find(|range| (range.start..range.end).contains(&pc))
    }

    /// The parts of `start..end` that must not be executed in place.
    pub fn within(&self, start: u64, end: u64) -> impl Iterator<Item = Range> + '_ {
        let part = move |range: &Range| Range { start: range.start.max(start), end: range.end.min(end), ..*range };
        self.ranges.iter().map(part).filter(|range| range.start < range.end)
    }

    /// The protection that the kernel is to give a page of the guest's, which has `prot` for the guest.
    #[must_use]
    pub fn page_prot(&self, page: u64, prot: u32) -> u32 {
        if self.holds(page * PAGE) { prot & !PROT_EXEC } else { prot }
    }

    /// Notes a range. What was withheld of it before is so for the same reason.
    pub fn add(&mut self, range: Range) {
        self.forget(range.start, range.end);
        self.ranges.push(range);
    }

    /// What is outside of `start..end` stays withheld.
    pub fn forget(&mut self, start: u64, end: u64) {
        if self.within(start, end).next().is_none() {
            return;
        }
        let parts = |r: &Range| [Range { end: r.end.min(start), ..*r }, Range { start: r.start.max(end), ..*r }];
        self.ranges = self.ranges.iter().flat_map(parts).filter(|range| range.start < range.end).collect();
        let places: Vec<u64> = self.doubts.range(start..end).map(|(&at, _)| at).collect();
        for at in places {
            self.doubts.remove(&at);
        }
    }

    /// Notes what is doubted at `pc`, or that nothing is.
    pub fn set_doubt(&mut self, pc: u64, doubt: Option<Doubt>) {
        match doubt {
            Some(doubt) => self.doubts.insert(pc, doubt),
            None => self.doubts.remove(&pc),
        };
    }

    /// The places in `start..end` that are doubted, ascending.
    pub fn doubts(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, Doubt)> + '_ {
        self.doubts.range(start..end.max(start)).map(|(&at, &doubt)| (at, doubt))
    }

    /// Nothing speaks against executing `range` once what was executed in it is patched.
    #[must_use]
    pub fn is_settled(&self, range: Range) -> bool {
        let stays = |doubt| !matches!(doubt, Doubt::Executed(_));
        !range.whole && self.open_steps == 0 && !self.doubts(range.start, range.end).any(|(_, doubt)| stays(doubt))
    }
}

/// The pages that hold `places`, calls of `bytes` each in ascending order: one by one, so that each can be settled alone,
/// unless there are many.
#[must_use]
pub fn pages_of(places: &[u64], bytes: u64) -> Vec<(u64, u64)> {
    let mut gap = 0;
    loop {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for &at in places {
            let (start, end) = (at & !(PAGE - 1), (at + bytes).next_multiple_of(PAGE));
            match ranges.last_mut() {
                Some(last) if start < last.1 + gap => last.1 = last.1.max(end),
                _ => ranges.push((start, end)),
            }
        }
        if ranges.len() <= MOST_RANGES {
            return ranges;
        }
        gap = (gap * 2).max(PAGE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> Range {
        Range { start, end, whole: true }
    }

    #[test]
    fn what_is_withheld_stays_so_around_what_changes() {
        let mut withheld = Withheld::default();
        withheld.add(range(0x1000, 0x5000));
        withheld.add(range(0x8000, 0x9000));
        withheld.set_doubt(0x1100, Some(Doubt::Lasting));
        withheld.set_doubt(0x2100, Some(Doubt::Lasting));
        withheld.forget(0x2000, 0x3000);
        assert_eq!(withheld.ranges, [range(0x1000, 0x2000), range(0x3000, 0x5000), range(0x8000, 0x9000)]);
        assert_eq!(withheld.doubts(0, u64::MAX).collect::<Vec<_>>(), [(0x1100, Doubt::Lasting)]);
        withheld.forget(0x4000, 0x9000);
        assert_eq!(withheld.ranges, [range(0x1000, 0x2000), range(0x3000, 0x4000)]);
        withheld.forget(0, u64::MAX);
        assert!(withheld.ranges.is_empty());
    }

    #[test]
    fn a_range_is_settled_when_nothing_in_it_may_be_data() {
        let mut withheld = Withheld::default();
        let pages = Range { start: 0x1000, end: 0x2000, whole: false };
        withheld.add(pages);
        withheld.set_doubt(0x1100, Some(Doubt::MayBeData));
        withheld.set_doubt(0x1200, Some(Doubt::Executed(None)));
        assert!(!withheld.is_settled(pages));
        withheld.set_doubt(0x1100, None);
        assert!(withheld.is_settled(pages));
        withheld.open_steps = 1;
        assert!(!withheld.is_settled(pages));
        assert!(!withheld.is_settled(range(0x1000, 0x2000)));
    }

    #[test]
    fn pages_of_places_are_few() {
        assert_eq!(pages_of(&[0x1000, 0x1ffe, 0x3fff], 2), [(0x1000, 0x2000), (0x3000, 0x5000)]);
        assert_eq!(pages_of(&[0x1000, 0x1005, 0x2000], 2), [(0x1000, 0x2000), (0x2000, 0x3000)]);
        let far: Vec<u64> = (0..1000).map(|n| n * 0x10000).collect();
        let ranges = pages_of(&far, 2);
        assert!(ranges.len() <= MOST_RANGES);
        assert!(far.iter().all(|at| ranges.iter().any(|&(start, end)| (start..end).contains(at))));
    }
}
