//! Sets of addresses, kept as ranges.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Ranges of addresses, by start; no two overlap.
#[derive(Default, Debug)]
pub struct Spans(BTreeMap<u64, u64>);

impl Spans {
    /// It holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds `start..end`.
    pub fn insert(&mut self, start: u64, end: u64) {
        self.remove(start, end);
        if start < end {
            self.0.insert(start, end);
        }
    }

    /// Takes `start..end` out.
    pub fn remove(&mut self, start: u64, end: u64) {
        while let Some((from, to)) = self.0.range(..end).next_back().map(|(&f, &t)| (f, t)).filter(|&(_, t)| t > start)
        {
            self.0.remove(&from);
            if from < start {
                self.0.insert(from, start);
            }
            if end < to {
                self.0.insert(end, to);
            }
        }
    }

    /// The parts of `start..end` that are in it, ascending.
    pub fn within(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let before = self.0.range(..start).next_back().filter(move |&(_, &to)| to > start);
        let found = before.into_iter().chain(self.0.range(start..end.max(start)));
        found.map(move |(&from, &to)| (from.max(start), to.min(end)))
    }

    /// The parts of `start..end` that are not in it, ascending.
    #[must_use]
    pub fn outside(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        let (mut found, mut at) = (Vec::new(), start);
        for (from, to) in self.within(start, end) {
            if from > at {
                found.push((at, from));
            }
            at = to;
        }
        if at < end {
            found.push((at, end));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(spans: &Spans) -> Vec<(u64, u64)> {
        spans.within(0, u64::MAX).collect()
    }

    #[test]
    fn what_is_taken_out_leaves_both_sides() {
        let mut spans = Spans::default();
        spans.insert(0x1000, 0x9000);
        spans.remove(0x3000, 0x4000);
        assert_eq!(all(&spans), [(0x1000, 0x3000), (0x4000, 0x9000)]);
        spans.remove(0x0, 0x2000);
        spans.remove(0x8000, 0xa000);
        assert_eq!(all(&spans), [(0x2000, 0x3000), (0x4000, 0x8000)]);
        assert_eq!(spans.outside(0x0, 0x5000), [(0x0, 0x2000), (0x3000, 0x4000)]);
        spans.remove(0x0, u64::MAX);
        assert!(spans.is_empty());
    }

    #[test]
    fn what_is_added_twice_is_there_once() {
        let mut spans = Spans::default();
        spans.insert(0x1000, 0x3000);
        spans.insert(0x2000, 0x5000);
        assert_eq!(all(&spans), [(0x1000, 0x2000), (0x2000, 0x5000)]);
        assert_eq!(spans.within(0x1800, 0x2800).collect::<Vec<_>>(), [(0x1800, 0x2000), (0x2000, 0x2800)]);
    }
}
