//! Bursts of writes (runtime/COHERENCE.md, "Writes").
//!
//! A write in place moves no time of the file and tells nobody. That is made good for many of them at once: before the
//! process enters any call that is passed on, and while it computes, at each tick of a timer whose signal can interrupt no
//! call, because none is entered without stopping it.

use super::lane::FileLane;
use crate::emulate::explain::Reason;
use crate::emulate::seeded::{Bug, is_planted};
use crate::gate::facts::Fact;
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

/// Writes of the file are answered in place from here on. `fd` is one of its descriptors.
///
/// # Errors
/// Too many are, or there is no timer.
pub(super) fn join(file: &'static FileLane, fd: i32) -> Result<(), Reason> {
    let this = core::ptr::from_ref(file).cast_mut();
    let is_this = |place: &&AtomicPtr<FileLane>| core::ptr::eq(place.load(Ordering::Relaxed), this);
    let is_free = |place: &&AtomicPtr<FileLane>| place.load(Ordering::Relaxed).is_null();
    let place = FILES.iter().find(is_this).or_else(|| FILES.iter().find(is_free)).ok_or(Reason::Many)?;
    if timer().is_none() {
        // SIGBUS always reaches the runtime: the kernel blocks it never.
        let made = Timer::of_this_thread(sig::SIGBUS, seal()).map_err(|_| Reason::Timer)?;
        TIMER.store(made.0 + 1, Ordering::Relaxed);
    }
    file.begin_burst(fd);
    place.store(this, Ordering::Relaxed);
    timer().ok_or(Reason::Timer)?.run(TICK_NS);
    file.set_code();
    learn(Fact::WritesHeld, true);
    Ok(())
}

/// The first file that is written in place.
pub(super) fn first() -> Option<&'static FileLane> {
    all().next()
}

/// Tells of what was written of the file; its writes are the kernel's from here on. With the last one no tick comes any more. Returns
/// whether the burst has paid.
pub(super) fn leave(file: &FileLane) -> bool {
    if !is_planted(Bug::ForgetLastWrites) {
        file.report(file.burst_fd());
    }
    for place in FILES.iter().filter(|place| core::ptr::eq(place.load(Ordering::Relaxed), file)) {
        place.store(core::ptr::null_mut(), Ordering::Relaxed);
    }
    let written = file.end_burst();
    if first().is_none() {
        if let Some(timer) = timer() {
            timer.run(0);
        }
        learn(Fact::WritesHeld, false);
    }
    written >= WORTH
}

/// Tells of all writes but those of `but`: a call on that file is about to be made.
pub fn report_others(but: &FileLane) {
    for file in all().filter(|&file| !core::ptr::eq(file, but)) {
        file.report(file.burst_fd());
    }
}

/// Ends the timer, which has a number that the program's own follow, and counts (setrlimit(2), RLIMIT_SIGPENDING). Nothing may be
/// written in place any more.
pub(super) fn delete_timer() {
    if let Some(timer) = timer() {
        timer.delete();
    }
    forget_timer();
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
    let was_written = all().filter(|file| file.report(file.burst_fd())).count() != 0;
    if !was_written && is_between {
        // It computes. Its next access is Rust's.
        all().for_each(FileLane::leave_to_rust);
        if let Some(timer) = timer() {
            timer.run(0);
        }
    }
    true
}
