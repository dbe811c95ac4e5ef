//! Descriptors of the runtime's own: where they are, and how they keep out of the guest's way.

use crate::sys::{Fd, process};
use core::sync::atomic::{AtomicI32, Ordering};
use linux_raw_sys::general as k;

/// The runtime's own program file, which the next image of the family is started from.
pub static SELF_FD: AtomicI32 = AtomicI32::new(-1);
/// Where trace lines go, -1 without `--trace`.
pub static TRACE_FD: AtomicI32 = AtomicI32::new(-1);
/// The guest's program file, for `/proc/self/exe`.
pub static EXE_FD: AtomicI32 = AtomicI32::new(-1);
/// The device of engine `ring0`, -1 without it.
pub static RING0_FD: AtomicI32 = AtomicI32::new(-1);
/// The inotify instance of `emulate::watch`, -1 without one.
pub static INOTIFY_FD: AtomicI32 = AtomicI32::new(-1);
/// The epoll set that it is in.
pub static WATCH_FD: AtomicI32 = AtomicI32::new(-1);
/// /proc/self/mountinfo, as a member of that set; -1 while no name is watched.
pub static MOUNTS_FD: AtomicI32 = AtomicI32::new(-1);
/// The same, opened once more, to be asked.
pub static MOUNTS_ASKED_FD: AtomicI32 = AtomicI32::new(-1);

/// Number of descriptors of ours.
const OWN: usize = 8;

/// All of them.
pub const PLACES: [&AtomicI32; OWN] =
    [&SELF_FD, &EXE_FD, &TRACE_FD, &RING0_FD, &INOTIFY_FD, &WATCH_FD, &MOUNTS_FD, &MOUNTS_ASKED_FD];

/// The hidden descriptors, ascending.
#[must_use]
pub fn hidden() -> [i32; OWN] {
    let mut all = PLACES.map(|fd| fd.load(Ordering::Relaxed));
    all.sort_unstable();
    all
}

/// `fd` is ours.
#[must_use]
pub fn is_hidden(fd: i32) -> bool {
    fd >= 0 && hidden().contains(&fd)
}

/// Above the guest's limit ours are out of its way; the table that the kernel keeps for them grows with their numbers.
const HIGHEST_PLACE: u64 = 4096;

/// RLIMIT_NOFILE: soft and hard.
fn limits() -> [u64; 2] {
    const USUAL: u64 = 1024;
    process::limits(k::RLIMIT_NOFILE).unwrap_or([USUAL; 2])
}

fn set_limits(limits: [u64; 2]) -> bool {
    process::set_limits(k::RLIMIT_NOFILE, limits).is_ok()
}

/// A duplicate of `fd` at a number that the guest does not come to: after its limit if the hard one is higher. Kept
/// over exec only when one is under way.
#[must_use]
pub fn move_up(fd: i32) -> Option<i32> {
    let [soft, _] = limits();
    let is_near = soft <= HIGHEST_PLACE;
    let past = if is_near { duplicate_past_limit(fd) } else { None };
    // Or the last numbers below it, which the guest comes to when it has all others.
    let last = |n| soft.checked_sub(n).filter(|_| is_near).and_then(|at_least| duplicate(fd, at_least));
    let last = || (1..=PLACES.len() as u64).find_map(last);
    // High enough to be out of the way of ordinary programs, low enough for the default limit of 1024.
    let high = || [1000u64, 500, 200, 20].into_iter().find_map(|at_least| duplicate(fd, at_least));
    past.or_else(last).or_else(high)
}

/// A duplicate past the guest's limit, which is higher for that moment: to the hard limit, or with the right to raise
/// that as well (capabilities(7), CAP_SYS_RESOURCE).
fn duplicate_past_limit(fd: i32) -> Option<i32> {
    const ROOM: u64 = 16;
    let [soft, hard] = limits();
    let raised = soft.checked_add(ROOM)?;
    if !set_limits([raised, hard.max(raised)]) {
        return None;
    }
    let moved = duplicate(fd, soft);
    set_limits([soft, hard]);
    moved
}

/// Moves a descriptor of ours up, if that can be; its number then.
#[must_use]
pub fn keep_high(fd: Fd) -> i32 {
    match move_up(fd.0) {
        Some(high) => {
            fd.close();
            high
        }
        None => fd.0,
    }
}

/// Ours are all well above the numbers below `few`.
#[must_use]
pub fn are_above(few: i32) -> bool {
    hidden().iter().all(|fd| !(0..few + NEAR).contains(fd))
}

fn duplicate(fd: i32, at_least: u64) -> Option<i32> {
    Fd(fd).duplicate(at_least).ok().map(|fd| fd.0)
}

/// Distance from ours at which they move.
const NEAR: i32 = 64;

/// The guest has got the number `fd`: where it comes near ours they move far up. Returns whether they did.
pub fn make_room(fd: i32) -> bool {
    let lowest = PLACES.iter().map(|place| place.load(Ordering::Relaxed)).filter(|&own| own >= 0).min();
    if lowest.is_none_or(|lowest| lowest < fd || lowest - fd > NEAR) {
        return false;
    }
    let [soft, _] = limits();
    let at_least = (u64::from(fd.cast_unsigned()) * 2).max(HIGHEST_PLACE).min(soft.saturating_sub(PLACES.len() as u64));
    for place in PLACES {
        let own = place.load(Ordering::Relaxed);
        if own >= 0
            && u64::from(own.cast_unsigned()) < at_least
            && let Some(moved) = duplicate(own, at_least)
        {
            place.store(moved, Ordering::Relaxed);
            Fd(own).close();
        }
    }
    true
}

/// The guest has no number left (EMFILE): those that ours take become free where that can be. Returns whether any did.
pub fn leave_numbers() -> bool {
    let [soft, _] = limits();
    let mut have_moved = false;
    for place in PLACES {
        let own = place.load(Ordering::Relaxed);
        if own >= 0
            && u64::from(own.cast_unsigned()) < soft
            && let Some(moved) = duplicate_past_limit(own)
        {
            place.store(moved, Ordering::Relaxed);
            Fd(own).close();
            have_moved = true;
        }
    }
    have_moved
}

/// Ours below the guest's limit: natively their numbers would be the guest's.
pub fn inside() -> impl Iterator<Item = &'static AtomicI32> {
    let [soft, _] = limits();
    let is_below = move |place: &&AtomicI32| u64::try_from(place.load(Ordering::Relaxed)).is_ok_and(|fd| fd < soft);
    PLACES.into_iter().filter(is_below)
}

/// The guest's limit of descriptors has changed: ours go past it where that can be.
pub fn follow_limit() {
    let [soft, _] = limits();
    for place in PLACES {
        let fd = place.load(Ordering::Relaxed);
        if fd >= 0
            && u64::from(fd.cast_unsigned()) + (PLACES.len() as u64) < soft
            && soft <= HIGHEST_PLACE
            && let Some(moved) = move_up(fd)
        {
            place.store(moved, Ordering::Relaxed);
            Fd(fd).close();
        }
    }
}
