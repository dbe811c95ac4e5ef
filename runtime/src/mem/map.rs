//! Guest memory that holds code, as the guest sees it.
//!
//! Only executable and shared mappings are kept: where code may be translated from, and what may change it. Data
//! mappings are the kernel's business alone.

use super::spans::Spans;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use linux_raw_sys::general as k;

/// One mapping, or a part of one with equal properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First address after it.
    pub end: u64,
    /// PROT_READ, PROT_WRITE, PROT_EXEC as the guest set them.
    pub prot: u32,
    /// MAP_SHARED: others may write it through another mapping.
    pub shared: bool,
}

impl Region {
    /// Instructions can be fetched from it.
    #[must_use]
    pub fn is_exec(&self) -> bool {
        self.prot & k::PROT_EXEC != 0
    }

    /// The guest may write it.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.prot & k::PROT_WRITE != 0
    }
}

/// What is known of a writable page from which code has been translated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    /// We took write access away.
    pub protected: bool,
    /// Write faults so far.
    pub faults: u32,
}

/// Write faults on a page after which its code is compared at each entry instead: a fault costs as much as thirty
/// comparisons.
pub const FAULTS_TO_CHECK: u32 = 100;

/// The mappings, by start address.
#[derive(Default, Debug)]
pub struct CodeMap {
    regions: BTreeMap<u64, Region>,
    /// Watched pages by page number.
    pub watched: BTreeMap<u64, Watch>,
    /// Memory of which every byte is 0: private memory that nobody could write since it was made.
    blank: Spans,
}

impl CodeMap {
    /// The region that holds `addr`, with its start.
    #[must_use]
    pub fn find(&self, addr: u64) -> Option<(u64, Region)> {
        let (&start, &region) = self.regions.range(..=addr).next_back()?;
        (addr < region.end).then_some((start, region))
    }

    /// True if anything in `start..end` is known.
    #[must_use]
    pub fn touches(&self, start: u64, end: u64) -> bool {
        self.regions.range(..end).next_back().is_some_and(|(_, r)| r.end > start)
    }

    /// Cuts the regions at `at`.
    fn split(&mut self, at: u64) {
        let Some((start, region)) = self.find(at) else { return };
        if start < at {
            self.regions.insert(start, Region { end: at, ..region });
            self.regions.insert(at, region);
        }
    }

    /// Forgets `start..end`.
    pub fn remove(&mut self, start: u64, end: u64) {
        if !self.touches(start, end) {
            return;
        }
        self.split(start);
        self.split(end);
        let gone: Vec<u64> = self.regions.range(start..end).map(|(&s, _)| s).collect();
        for s in gone {
            self.regions.remove(&s);
        }
    }

    /// A new mapping.
    pub fn insert(&mut self, start: u64, end: u64, prot: u32, shared: bool) {
        self.remove(start, end);
        if prot & k::PROT_EXEC != 0 || shared {
            self.regions.insert(start, Region { end, prot, shared });
        }
    }

    /// New protection for what is mapped in `start..end`.
    pub fn protect(&mut self, start: u64, end: u64, prot: u32) {
        self.split(start);
        self.split(end);
        let mut at = start;
        while at < end {
            // Known pieces keep their kind, the gaps between them are private.
            let next = self.regions.range(at..end).next().map(|(&s, &r)| (s, r));
            match next {
                Some((s, r)) if s == at => {
                    if prot & k::PROT_EXEC == 0 && !r.shared {
                        self.regions.remove(&s);
                    } else {
                        self.regions.insert(s, Region { prot, ..r });
                    }
                    at = r.end;
                }
                other => {
                    let gap_end = other.map_or(end, |(s, _)| s);
                    if prot & k::PROT_EXEC != 0 {
                        self.regions.insert(at, Region { end: gap_end, prot, shared: false });
                    }
                    at = gap_end;
                }
            }
        }
    }

    /// `start..end` is new private memory without contents, which the guest may not write.
    pub fn insert_blank(&mut self, start: u64, end: u64) {
        self.blank.insert(start, end);
    }

    /// `start..end` may hold anything from now on.
    pub fn forget_blank(&mut self, start: u64, end: u64) {
        self.blank.remove(start, end);
    }

    /// Where the memory without contents ends that `at` is in, or `at`.
    #[must_use]
    pub fn blank_end(&self, at: u64) -> u64 {
        self.blank.within(at, u64::MAX).next().map_or(at, |(from, to)| if from == at { to } else { at })
    }

    /// The parts of `start..end` that may hold something.
    #[must_use]
    pub fn filled(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        self.blank.outside(start, end)
    }

    /// Pieces of `start..end`, with their regions.
    #[must_use]
    pub fn pieces(&self, start: u64, end: u64) -> Vec<(u64, Region)> {
        let mut found = Vec::new();
        if let Some((s, r)) = self.find(start) {
            found.push((s.max(start), Region { end: r.end.min(end), ..r }));
        }
        for (&s, &r) in self.regions.range(start..end) {
            if s > start {
                found.push((s, Region { end: r.end.min(end), ..r }));
            }
        }
        found
    }

    /// Code at `addr` can change without a fault: it is shared, or its page is written so often that faults cost too
    /// much.
    #[must_use]
    pub fn is_checked(&self, addr: u64) -> bool {
        self.find(addr).is_some_and(|(_, r)| r.shared)
            || self.watched.get(&(addr >> 12)).is_some_and(|w| w.faults >= FAULTS_TO_CHECK)
    }

    /// Watched pages in `start..end` that we protected.
    #[must_use]
    pub fn protected_pages(&self, start: u64, end: u64) -> Vec<u64> {
        if start >= end {
            return Vec::new();
        }
        self.watched.range(start >> 12..=(end - 1) >> 12).filter(|(_, w)| w.protected).map(|(&p, _)| p).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const RX: u32 = k::PROT_READ | k::PROT_EXEC;
    const RW: u32 = k::PROT_READ | k::PROT_WRITE;

    #[test]
    fn a_hole_splits_a_region() {
        let mut map = CodeMap::default();
        map.insert(0x1000, 0x9000, RX, false);
        map.remove(0x3000, 0x5000);
        assert_eq!(map.find(0x2fff), Some((0x1000, Region { end: 0x3000, prot: RX, shared: false })));
        assert_eq!(map.find(0x3000), None);
        assert_eq!(map.find(0x5000), Some((0x5000, Region { end: 0x9000, prot: RX, shared: false })));
    }

    #[test]
    fn what_is_blank_holds_nothing_until_it_is_written() {
        let mut map = CodeMap::default();
        map.insert_blank(0x1000, 0x9000);
        assert!(map.filled(0x2000, 0x8000).is_empty());
        assert_eq!(map.filled(0x0, 0xa000), [(0x0, 0x1000), (0x9000, 0xa000)]);
        map.forget_blank(0x3000, 0x4000);
        assert_eq!(map.filled(0x1000, 0x9000), [(0x3000, 0x4000)]);
        map.forget_blank(0x0, 0x2000);
        map.forget_blank(0x8000, 0xa000);
        assert_eq!(map.filled(0x1000, 0x9000), [(0x1000, 0x2000), (0x3000, 0x4000), (0x8000, 0x9000)]);
        map.forget_blank(0x0, u64::MAX);
        assert_eq!(map.filled(0x1000, 0x9000), [(0x1000, 0x9000)]);
    }

    #[test]
    fn taking_execution_away_forgets_private_memory_only() {
        let mut map = CodeMap::default();
        map.insert(0x1000, 0x3000, RX, false);
        map.insert(0x3000, 0x5000, RX, true);
        map.protect(0x1000, 0x5000, RW);
        assert_eq!(map.find(0x1000), None);
        assert_eq!(map.find(0x3000), Some((0x3000, Region { end: 0x5000, prot: RW, shared: true })));
    }

    #[test]
    fn making_unknown_memory_executable_adds_it_around_what_is_known() {
        let mut map = CodeMap::default();
        map.insert(0x2000, 0x3000, RW, true);
        map.protect(0x1000, 0x4000, RX);
        assert!(!map.find(0x1000).unwrap().1.shared);
        assert!(map.find(0x2000).unwrap().1.shared);
        assert_eq!(map.find(0x3fff).unwrap().0, 0x3000);
    }
}
