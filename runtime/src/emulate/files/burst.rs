//! Bursts of writes (runtime/COHERENCE.md, "Writes").
//!
//! A write in place moves no time of the file and tells nobody. That is made good for many of them at once: before the
//! process enters any call that is passed on, and while it computes, at each tick of a timer whose signal can interrupt no
//! call, because none is entered without stopping it.

use super::lane::FileLane;
use super::{dismantle, renew};
use crate::emulate::explain::Reason;
use crate::emulate::seeded::{Bug, is_planted};
use crate::gate::facts::{Fact, holds};
use crate::gate::routes::learn;
use crate::sys::time::Timer;
use crate::sys::types::{SigInfo, sig};
use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

/// Files that can be in a burst at a time.
const MOST: usize = 8;
/// Between two ticks: times of files have the resolution of a clock tick, which is 1 to 10 ms.
const TICK_NS: u64 = 4_000_000;
/// Writes after which a burst has paid for its beginning and end.
const WORTH: u64 = 64;
/// si_code of a timer's signal (sigaction(2)).
const SI_TIMER: i32 = -2;

/// The lanes of files that are written in place. A signal handler reads it at any time: a lane leaves before it ends.
static FILES: [AtomicPtr<FileLane>; MOST] = [const { AtomicPtr::new(core::ptr::null_mut()) }; MOST];
/// The timer's number plus one, 0 without one.
static TIMER: AtomicI32 = AtomicI32::new(0);

/// What the timer's signal carries: an address of the runtime's, which no guest is told.
fn seal() -> u64 {
    FILES.as_ptr() as u64
}

fn timer() -> Option<Timer> {
    TIMER.load(Ordering::Relaxed).checked_sub(1).filter(|&number| number >= 0).map(Timer)
}

fn all() -> impl Iterator<Item = &'static FileLane> {
    FILES.iter().filter_map(|place| {
        // SAFETY: a lane leaves the list before it ends, on the one thread of the process.
        unsafe { place.load(Ordering::Relaxed).as_ref() }
    })
}

/// A write of this file has just been made by the kernel: those that follow are answered in place, if that can be. `fd` is one of
/// its descriptors.
pub fn begin(file: &'static FileLane, fd: i32) -> Result<(), Reason> {
    let this = core::ptr::from_ref(file).cast_mut();
    let is_this = |place: &&AtomicPtr<FileLane>| core::ptr::eq(place.load(Ordering::Relaxed), this);
    let is_free = |place: &&AtomicPtr<FileLane>| place.load(Ordering::Relaxed).is_null();
    let place = FILES.iter().find(is_this).or_else(|| FILES.iter().find(is_free)).ok_or(Reason::Many)?;
    if timer().is_none() {
        // SIGBUS always reaches the runtime: the kernel blocks it never.
        let made = Timer::of_this_thread(sig::SIGBUS, seal()).map_err(|_| Reason::Timer)?;
        TIMER.store(made.0 + 1, Ordering::Relaxed);
    }
    // It may do so: what is reported later is reported.
    file.touch(fd).map_err(|_| Reason::Rights)?;
    renew(None);
    if super::get(fd).is_none_or(|found| !core::ptr::eq(found, file)) {
        return Err(Reason::Watch);
    }
    file.begin_burst(fd);
    place.store(this, Ordering::Relaxed);
    timer().ok_or(Reason::Timer)?.run(TICK_NS);
    file.set_code();
    learn(Fact::WritesHeld, true);
    Ok(())
}

/// A call is about to be passed on: whoever it could tell of a write finds the write's times, and no tick comes while it is made.
/// Files whose bursts did not pay are the kernel's again.
pub fn end() {
    if !holds(Fact::WritesHeld) {
        return;
    }
    if let Some(timer) = timer() {
        timer.run(0);
    }
    for place in &FILES {
        // SAFETY: as in `all`.
        let Some(file) = (unsafe { place.load(Ordering::Relaxed).as_ref() }) else { continue };
        let fd = file.burst_fd.load(Ordering::Relaxed);
        let written = file.lane.writes.load(Ordering::Relaxed) - file.begun_at.load(Ordering::Relaxed);
        if !is_planted(Bug::ForgetLastWrites) {
            file.report(fd);
        }
        place.store(core::ptr::null_mut(), Ordering::Relaxed);
        file.end_burst();
        if written < WORTH {
            dismantle(fd);
        }
    }
    learn(Fact::WritesHeld, false);
}

/// Tells of all writes but those of `but`: a call on that file is about to be made.
pub fn report_others(but: &FileLane) {
    for file in all().filter(|&file| !core::ptr::eq(file, but)) {
        file.report(file.burst_fd.load(Ordering::Relaxed));
    }
}

/// The lane ends.
pub(super) fn forget(file: &FileLane) {
    for place in FILES.iter().filter(|place| core::ptr::eq(place.load(Ordering::Relaxed), file)) {
        place.store(core::ptr::null_mut(), Ordering::Relaxed);
    }
}

/// Without the timer, which has a number that the program's own follow, and counts (setrlimit(2), RLIMIT_SIGPENDING).
pub fn close() {
    end();
    if let Some(timer) = timer() {
        timer.delete();
        TIMER.store(0, Ordering::Relaxed);
    }
}

/// In the child of a fork, which has no timers.
pub fn forget_timer() {
    TIMER.store(0, Ordering::Relaxed);
}

/// The signal is the timer's: what was written is told. `is_between`: the thread was executing the guest's code, so no write is
/// half done. A signal handler does this, wherever the thread was.
pub fn takes(signal: i32, info: &SigInfo, is_between: bool) -> bool {
    let [_, value, ..] = info.fields;
    if signal != sig::SIGBUS || info.code != SI_TIMER || value != seal() {
        return false;
    }
    let was_written = all().fold(false, |any, file| file.report(file.burst_fd.load(Ordering::Relaxed)) || any);
    if !was_written && is_between {
        // It computes. Its next access is Rust's.
        all().for_each(FileLane::leave_to_rust);
        if let Some(timer) = timer() {
            timer.run(0);
        }
    }
    true
}
