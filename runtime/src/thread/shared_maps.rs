//! Shared mappings without code, which a thread notes by itself: they matter only once somebody makes them executable,
//! and who does so gathers what all threads have noted ([`crate::engine::alone`]).

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Mappings that a thread can note.
const MOST: usize = 8;
/// Bits of an address within a page: they hold the protection.
const IN_PAGE: u64 = 4095;

/// What a thread has noted. Only the thread itself writes it, or who is alone.
pub struct SharedMaps([Note; MOST]);

struct Note {
    /// The first address, and the protection (PROT_*) in the bits below a page's.
    start: AtomicU64,
    /// The address after the last, 0 if the place is free.
    end: AtomicU64,
}

/// Counters of notes, by the hash of what part of the address space they are about.
static NOTES: [AtomicU32; SLOTS] = [const { AtomicU32::new(0) }; SLOTS];
const SLOTS: usize = 2048;
/// Bytes of such a part, as a power of two.
const PART_BITS: u32 = 16;
/// Parts at most that are looked at, or counted, one by one.
const FEW_PARTS: u64 = 64;

/// The counter of a part. Parts that follow each other have theirs in different cache lines.
fn counter(part: u64) -> &'static AtomicU32 {
    const HASH: u64 = 0x9e37_79b9_7f4a_7c15;
    let [_, _, _, _, _, _, low, high] = part.wrapping_mul(HASH).to_le_bytes();
    let n = usize::from(u16::from_le_bytes([low, high])) % SLOTS;
    NOTES.get(n).unwrap_or(&NOTES[0])
}

fn parts(start: u64, end: u64) -> core::ops::RangeInclusive<u64> {
    start >> PART_BITS..=end.saturating_sub(1).max(start) >> PART_BITS
}

/// Some thread may have noted a mapping in `start..end`.
#[must_use]
pub fn may_hold(start: u64, end: u64) -> bool {
    let is_noted = |counter: &AtomicU32| counter.load(Ordering::Relaxed) != 0;
    let parts = parts(start, end);
    if parts.end() - parts.start() < FEW_PARTS { parts.map(counter).any(is_noted) } else { NOTES.iter().any(is_noted) }
}

/// A mapping of so many bytes is small enough to be noted.
#[must_use]
pub fn is_small(len: u64) -> bool {
    len < (FEW_PARTS - 1) << PART_BITS
}

/// A place for a note.
#[derive(Clone, Copy, Debug)]
pub struct Place(usize);

impl SharedMaps {
    /// A place that is free.
    #[must_use]
    pub fn room(&self) -> Option<Place> {
        self.0.iter().position(|note| note.end.load(Ordering::Relaxed) == 0).map(Place)
    }

    /// The place of the note about just `start..end`.
    #[must_use]
    pub fn find(&self, start: u64, end: u64) -> Option<Place> {
        let is_it = |note: &Note| {
            note.end.load(Ordering::Relaxed) == end && note.start.load(Ordering::Relaxed) & !IN_PAGE == start
        };
        if end == 0 { None } else { self.0.iter().position(is_it).map(Place) }
    }

    /// Notes a small shared mapping with the protection `prot`, at a free place.
    pub fn note(&self, Place(n): Place, (start, end): (u64, u64), prot: u32) {
        let Some(note) = self.0.get(n) else { return };
        parts(start, end).for_each(|part| {
            counter(part).fetch_add(1, Ordering::Relaxed);
        });
        note.start.store(start & !IN_PAGE | u64::from(prot) & IN_PAGE, Ordering::Relaxed);
        note.end.store(end, Ordering::Relaxed);
    }

    /// Takes the note out of its place: where the mapping was, and its protection.
    pub fn take(&self, Place(n): Place) -> Option<((u64, u64), u32)> {
        let note = self.0.get(n)?;
        let (start, end) = (note.start.load(Ordering::Relaxed), note.end.load(Ordering::Relaxed));
        if end == 0 {
            return None;
        }
        note.end.store(0, Ordering::Relaxed);
        parts(start & !IN_PAGE, end).for_each(|part| {
            counter(part).fetch_sub(1, Ordering::Relaxed);
        });
        Some(((start & !IN_PAGE, end), (start & IN_PAGE) as u32))
    }

    /// Takes all notes out.
    pub fn take_all(&self) -> impl Iterator<Item = ((u64, u64), u32)> + '_ {
        (0..MOST).filter_map(|n| self.take(Place(n)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> SharedMaps {
        SharedMaps([const { Note { start: AtomicU64::new(0), end: AtomicU64::new(0) } }; MOST])
    }

    #[test]
    fn notes_are_found_by_their_whole_range_and_leave_nothing() {
        let maps = empty();
        let (start, end) = (0x7123_0000_f000, 0x7123_0002_1000);
        maps.note(maps.room().unwrap(), (start, end), 3);
        assert!(may_hold(start, start + 1) && may_hold(end - 1, end) && may_hold(0, u64::MAX));
        assert!(maps.find(start, end - 0x1000).is_none() && maps.find(start + 0x1000, end).is_none());
        let place = maps.find(start, end).unwrap();
        assert_eq!(maps.take(place), Some(((start, end), 3)));
        assert_eq!(maps.take(place), None);
        assert!(!may_hold(start, end));
    }

    #[test]
    fn there_is_room_for_some() {
        let maps = empty();
        let ranges = (1..).map(|n: u64| (n << 20, (n << 20) + 0x1000));
        let noted = ranges.map_while(|range| maps.room().map(|place| maps.note(place, range, 1))).count();
        assert_eq!(noted, MOST);
        assert_eq!(maps.take_all().count(), MOST);
        assert!(maps.room().is_some());
    }
}
