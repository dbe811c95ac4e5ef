//! Which descriptors are worth a lane: every so many reads and writes one is looked at.
//!
//! The counter that every call has anyway counts up to zero, so a program whose calls gain nothing pays nothing.

pub use super::candidate::passed;
use super::candidate::{Found, index};
use super::{descriptors, devices, files, names, pipes};
use crate::calls::{self, Mark, SAMPLED};
use crate::gate::facts::{Fact, holds};
use crate::gate::lane;
use crate::gate::routes::is_answered;
use crate::sys::Fd;
use crate::thread::shared::{Shared, add};
use core::sync::atomic::Ordering;

/// Calls before the first look, and between looks that find something.
const OFTEN: u64 = 256;
/// Calls before a file is looked at once more.
const AGAIN: u64 = 64;
/// Calls between looks at most.
const SELDOM: u64 = 16384;

/// A thread's counters begin.
pub fn begin(shared: &Shared) {
    for (&nr, granted) in SAMPLED.iter().zip(&shared.granted) {
        granted.store(OFTEN, Ordering::Relaxed);
        if let Some(count) = shared.counts.get(nr as usize) {
            count.store(OFTEN.wrapping_neg(), Ordering::Relaxed);
        }
    }
}

/// Counts a call that came to Rust; returns whether it is to be looked at.
pub fn count(shared: &Shared, nr: u32) -> bool {
    let is_sampled = calls::is(nr, Mark::Sampled);
    match shared.counts.get(nr as usize) {
        // It has been counted on the way here, and came here for it.
        Some(count) if is_sampled && count.load(Ordering::Relaxed) == 0 => true,
        Some(count) => {
            add(count, 1);
            is_sampled && count.load(Ordering::Relaxed) == 0
        }
        None => {
            shared.count_unknown(i64::from(nr.cast_signed()).cast_unsigned());
            false
        }
    }
}

/// Looks at a call that is made often.
pub fn look(shared: &Shared, nr: u32, args: &[u64; 6]) {
    let may = !shared.is_foreign() && is_answered(u64::from(nr));
    let is_of_names = calls::is(nr, Mark::LooksUp);
    let found = match may {
        true if is_of_names => names::consider(nr, args, answered(shared, nr)),
        true => consider(nr, args, passed(shared, nr as usize)),
        false => Found::Nothing,
    };
    let Some(i) = index(nr as usize) else { return };
    let (Some(count), Some(granted)) = (shared.counts.get(nr as usize), shared.granted.get(i)) else { return };
    let penalty = if is_of_names { 0 } else { files::penalty().max(pipes::penalty()) };
    let more = match found {
        Found::Lane => OFTEN << penalty,
        // A file is promoted by the second look at it.
        Found::Candidate => AGAIN << penalty,
        Found::Nothing => granted.load(Ordering::Relaxed).clamp(OFTEN, SELDOM),
    };
    count.store(more.wrapping_neg(), Ordering::Relaxed);
    add(granted, more);
}

fn answered(shared: &Shared, nr: u32) -> u64 {
    shared.answered.get(nr as usize).map_or(0, |word| word.load(Ordering::Relaxed))
}

/// Gives the descriptor of a call that was `made` so often a lane if it can have one.
fn consider(nr: u32, args: &[u64; 6], made: u64) -> Found {
    let [fd, _, length, ..] = *args;
    #[expect(clippy::cast_possible_truncation, reason = "the kernel reads edi")]
    let fd = (fd as u32).cast_signed();
    if !descriptors::are_known() || !descriptors::can_have_lane(fd) || !lane::get(fd).is_null() {
        return Found::Nothing;
    }
    let Ok(stat) = Fd(fd).stat() else { return Found::Nothing };
    // Another thread may be closing it: a lane that came too late would answer for what is opened there next. Of files that is seen.
    if !holds(Fact::Threaded) && (devices::consider(fd, &stat) || pipes::consider(nr, fd)) {
        return Found::Lane;
    }
    files::promote::consider(nr, fd, &stat, length, made)
}
