//! Bursts of writes (runtime/COHERENCE.md, "Writes").
//!
//! A write in place moves no time of the file and tells nobody. That is made good for many of them at once: before the
//! process enters any call that is passed on, and while it computes, at each tick of a timer whose signal can interrupt no
//! call, because none is entered without stopping it.

use super::lane::FileLane;
use super::threads;
use crate::emulate::explain::Reason;
use crate::emulate::seeded::{Bug, is_planted};
use crate::gate::facts::Fact;
use crate::gate::routes::learn;
use crate::sys::process::gettid;
use crate::sys::time::Timer;
use crate::sys::types::{SigInfo, sig};
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};

/// Files that can be in a burst at a time.
const MOST: usize = 8;
/// Between two ticks: times of files have the resolution of a clock tick, which is 1 to 10 ms.
const TICK_NS: u64 = 4_000_000;
/// si_code of a timer's signal (sigaction(2)).
const SI_TIMER: i32 = -2;

/// The lanes of files that are written in place. A signal handler reads it at any time: a lane leaves before it ends, and does not end
/// while one looks.
static FILES: [AtomicPtr<FileLane>; MOST] = [const { AtomicPtr::new(core::ptr::null_mut()) }; MOST];
/// The timer's number plus one, 0 without one.
static TIMER: AtomicI32 = AtomicI32::new(0);
/// The thread that it is for: the one that has begun the burst, and has made no call since, as no thread has.
static OWNER: AtomicU32 = AtomicU32::new(0);
/// Signal handlers that look at the list.
static HANDLERS: AtomicU32 = AtomicU32::new(0);

/// What the timer's signal carries: an address of the runtime's, which no guest is told.
fn seal() -> u64 {
    FILES.as_ptr() as u64
}

fn timer() -> Option<Timer> {
    TIMER.load(Ordering::Relaxed).checked_sub(1).filter(|&number| number >= 0).map(Timer)
}

fn all() -> impl Iterator<Item = &'static FileLane> {
    FILES.iter().filter_map(|place| {
        // SAFETY: as the list says.
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
    if first().is_none() && OWNER.load(Ordering::Relaxed) != gettid() {
        // The thread that had the last burst may wait in a call.
        delete_timer();
    }
    if timer().is_none() {
        // SIGBUS always reaches the runtime: the kernel blocks it never.
        let made = Timer::of_this_thread(sig::SIGBUS, seal()).map_err(|_| Reason::Timer)?;
        TIMER.store(made.0 + 1, Ordering::Relaxed);
        OWNER.store(gettid(), Ordering::Relaxed);
    }
    file.begin_burst(fd, gettid());
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
/// whether
/// another burst is worth it.
pub(super) fn leave(file: &FileLane) -> bool {
    // A write that comes too late for what follows finds that it is.
    file.leave_to_rust();
    threads::barrier();
    if !is_planted(Bug::ForgetLastWrites) {
        file.report(file.burst_fd());
    }
    for place in FILES.iter().filter(|place| core::ptr::eq(place.load(Ordering::Relaxed), file)) {
        place.store(core::ptr::null_mut(), Ordering::Relaxed);
    }
    let is_worth_it = file.end_burst();
    if first().is_none() {
        if let Some(timer) = timer() {
            timer.run(0);
        }
        learn(Fact::WritesHeld, false);
    }
    is_worth_it
}

/// Tells of this thread's writes, but those of `but`: a call on that file is about to be made. What other threads write at the same
/// time is told at its own time: to tell of it is a change of their files, after which each has to look at its own anew.
pub fn report_others(but: &FileLane) {
    let mut others = all().filter(|&file| !core::ptr::eq(file, but)).peekable();
    if others.peek().is_none() {
        return;
    }
    let me = gettid();
    for file in others.filter(|file| file.is_written_by(me)) {
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
    HANDLERS.fetch_add(1, Ordering::SeqCst);
    let was_written = all().filter(|file| file.report_in_handler(file.burst_fd())).count() != 0;
    if !was_written && is_between {
        // It computes. Its next access is Rust's, and those that other threads have begun are told.
        all().for_each(FileLane::leave_to_rust);
        threads::barrier();
        all().for_each(|file| _ = file.report_in_handler(file.burst_fd()));
        if let Some(timer) = timer() {
            timer.run(0);
        }
    }
    HANDLERS.fetch_sub(1, Ordering::SeqCst);
    true
}

/// Some signal handler may be looking at a lane that has left.
pub(super) fn is_looked_at() -> bool {
    HANDLERS.load(Ordering::SeqCst) != 0
}
