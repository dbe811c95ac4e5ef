//! Memory that the engines have to do with, as a thread without their lock can ask about it.
//!
//! What is in here may be of no concern any more, but all that is of concern is in here. It is changed under the
//! engines' lock; who looks meanwhile, or finds no room, is told that everything is of concern (a sequence lock).

use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

/// Ranges at most; each adjoins no other.
const MOST: usize = 2048;

/// Ranges of addresses.
pub struct Concerns {
    /// Odd while the ranges change.
    sequence: AtomicU32,
    /// Ranges in use.
    count: AtomicUsize,
    /// There was no room: what is not in here may be of concern as well.
    is_full: AtomicU32,
    /// First address and the one after the last, ascending.
    ranges: [[AtomicU64; 2]; MOST],
}

/// Those of this address space.
pub static CONCERNS: Concerns = Concerns::new();

impl Concerns {
    const fn new() -> Self {
        Self {
            sequence: AtomicU32::new(0),
            count: AtomicUsize::new(0),
            is_full: AtomicU32::new(0),
            ranges: [const { [const { AtomicU64::new(0) }; 2] }; MOST],
        }
    }

    fn get(&self, n: usize) -> [u64; 2] {
        self.ranges.get(n).map_or([u64::MAX; 2], |range| [0, 1].map(|i: usize| load(range, i)))
    }

    fn set(&self, n: usize, [start, end]: [u64; 2]) {
        if let Some([first, last]) = self.ranges.get(n) {
            first.store(start, Ordering::Relaxed);
            last.store(end, Ordering::Relaxed);
        }
    }

    /// The first of `count` ranges that ends after `at`.
    fn first_after(&self, count: usize, at: u64) -> usize {
        let (mut low, mut high) = (0, count.min(MOST));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle)[1] > at { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// Something in `start..end` may be of concern.
    #[must_use]
    pub fn touch(&self, start: u64, end: u64) -> bool {
        let before = self.sequence.load(Ordering::Acquire);
        let count = self.count.load(Ordering::Relaxed);
        let n = self.first_after(count, start);
        let found = n < count && self.get(n)[0] < end || self.is_full.load(Ordering::Relaxed) != 0;
        fence(Ordering::Acquire);
        found || before & 1 != 0 || self.sequence.load(Ordering::Relaxed) != before
    }

    /// `start..end` is of concern from now on. Under the engines' lock.
    pub fn add(&self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let count = self.count.load(Ordering::Relaxed);
        // Those that it overlaps or adjoins become one with it.
        let first = self.first_after(count, start.saturating_sub(1));
        let mut next = first;
        let (mut from, mut to) = (start, end);
        while next < count && self.get(next)[0] <= end {
            let [other_start, other_end] = self.get(next);
            (from, to) = (from.min(other_start), to.max(other_end));
            next += 1;
        }
        if next == first + 1 && self.get(first) == [from, to] {
            return;
        }
        self.replace(first, next, &[[from, to]]);
    }

    /// `start..end` is of no concern any more. Under the engines' lock.
    pub fn remove(&self, start: u64, end: u64) {
        let count = self.count.load(Ordering::Relaxed);
        let first = self.first_after(count, start);
        let mut next = first;
        while next < count && self.get(next)[0] < end {
            next += 1;
        }
        if start >= end || next == first {
            return;
        }
        let before = [self.get(first)[0], start];
        let after = [end, self.get(next - 1)[1]];
        match (before[0] < before[1], after[0] < after[1]) {
            (true, true) => self.replace(first, next, &[before, after]),
            (true, false) => self.replace(first, next, &[before]),
            (false, true) => self.replace(first, next, &[after]),
            (false, false) => self.replace(first, next, &[]),
        }
    }

    /// Puts `new` where the ranges from `first` to before `next` are.
    fn replace(&self, first: usize, next: usize, new: &[[u64; 2]]) {
        let count = self.count.load(Ordering::Relaxed);
        let new_count = count - (next - first) + new.len();
        if new_count > MOST {
            self.is_full.store(1, Ordering::Relaxed);
            return;
        }
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        let to = first + new.len();
        if to <= next {
            (0..count - next).for_each(|n| self.set(to + n, self.get(next + n)));
        } else {
            (0..count - next).rev().for_each(|n| self.set(to + n, self.get(next + n)));
        }
        for (n, &range) in new.iter().enumerate() {
            self.set(first + n, range);
        }
        self.count.store(new_count, Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(2), Ordering::Release);
    }
}

fn load(range: &[AtomicU64; 2], n: usize) -> u64 {
    range.get(n).map_or(u64::MAX, |word| word.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    fn all(concerns: &Concerns) -> Vec<[u64; 2]> {
        (0..concerns.count.load(Ordering::Relaxed)).map(|n| concerns.get(n)).collect()
    }

    #[test]
    fn ranges_that_meet_are_one_and_what_is_removed_leaves_both_sides() {
        let concerns = Box::new(Concerns::new());
        concerns.add(0x3000, 0x4000);
        concerns.add(0x8000, 0x9000);
        concerns.add(0x4000, 0x5000);
        assert_eq!(all(&concerns), [[0x3000, 0x5000], [0x8000, 0x9000]]);
        concerns.add(0x2000, 0x8800);
        assert_eq!(all(&concerns), [[0x2000, 0x9000]]);
        concerns.remove(0x3000, 0x4000);
        concerns.remove(0x8000, 0xa000);
        assert_eq!(all(&concerns), [[0x2000, 0x3000], [0x4000, 0x8000]]);
        concerns.remove(0, u64::MAX);
        assert!(all(&concerns).is_empty());
    }

    #[test]
    fn touching_is_to_have_an_address_in_common() {
        let concerns = Box::new(Concerns::new());
        concerns.add(0x3000, 0x4000);
        concerns.add(0x6000, 0x7000);
        assert!(!concerns.touch(0, 0x3000) && !concerns.touch(0x4000, 0x6000) && !concerns.touch(0x7000, u64::MAX));
        assert!(concerns.touch(0x2000, 0x3001) && concerns.touch(0x3fff, 0x4000) && concerns.touch(0, u64::MAX));
    }

    #[test]
    fn it_agrees_with_a_set_of_pages() {
        let (concerns, mut pages) = (Box::new(Concerns::new()), [false; 64]);
        let mut seed = 1u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..20_000 {
            let start = next(64);
            let end = start + next(65 - start);
            let is_added = next(2) == 0;
            if is_added {
                concerns.add(start, end)
            } else {
                concerns.remove(start, end)
            }
            pages
                .iter_mut()
                .zip(0u64..)
                .filter(|(_, n)| (start..end).contains(n))
                .for_each(|(page, _)| *page = is_added);
            let from = next(64);
            let to = from + 1 + next(64 - from);
            let expected = pages.iter().zip(0u64..).any(|(&page, n)| page && from <= n && n < to);
            assert_eq!(concerns.touch(from, to), expected, "{from} {to} {:?}", all(&concerns));
            assert!(all(&concerns).windows(2).all(|pair| pair[0][1] < pair[1][0]));
        }
    }

    #[test]
    fn without_room_everything_is_of_concern() {
        let concerns = Box::new(Concerns::new());
        (0..MOST as u64).for_each(|n| concerns.add(n * 0x2000, n * 0x2000 + 0x1000));
        assert!(!concerns.touch(0x1000, 0x2000));
        concerns.add(u64::MAX - 0x1000, u64::MAX);
        assert!(concerns.touch(0x1000, 0x2000));
    }
}
