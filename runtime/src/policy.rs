//! Which calls pass without entering Rust, and which the runtime must see.

use crate::calls;
use crate::emulate::{descriptors, files, identity, rings};
use crate::engine::ring0;
use crate::engine::translate::ibl::set_stub_call;
use crate::gate::clock::Function;
use crate::gate::filters::Filter;
use crate::gate::lanes::Operation;
use crate::gate::{ANSWERS, CallEntry, entry_address};
use crate::options;
use crate::syscall::descriptors::are_high;
use crate::thread::registry;
use crate::thread::state::{COUNTED_CALLS, ThreadState};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use linux_raw_sys::general as k;

static WATCHING: AtomicBool = AtomicBool::new(false);
static FILTERED: AtomicBool = AtomicBool::new(false);

/// The runtime carries the call out itself, or looks at its arguments.
#[must_use]
pub fn is_owned(nr: u64) -> bool {
    calls::traits(nr).is_some_and(calls::Traits::is_owned)
}

fn call_entry(nr: u64) -> CallEntry {
    let Some(traits) = calls::traits(nr) else { return CallEntry::Slow };
    let is_of_lanes = LANE_CALLS.iter().any(|(n, _)| u64::from(*n) == nr);
    // Assembly takes no times.
    let is_of_assembly = is_of_lanes || has_answer(nr) || Function::of(nr).is_some();
    if rings::any() && !rings::is_blind(nr) || options::get().stats_time && !is_of_assembly {
        return CallEntry::Slow;
    }
    let filter = filter(nr);
    // These filters look whether the descriptor has a lane.
    let asks_lane = matches!(filter, Some(Filter::Fcntl | Filter::Close));
    let may_see = files::ever_any() && traits.may_see() && !is_of_lanes && !asks_lane;
    if options::get().trace || may_see || WATCHING.load(Ordering::Relaxed) && calls::may_write(nr) {
        return CallEntry::Slow;
    }
    if traits.is_owned() {
        return filter.map_or(CallEntry::Slow, CallEntry::Filter);
    }
    if has_answer(nr) && is_answered(nr) && identity::is_known(nr) {
        return CallEntry::Answer;
    }
    // With --strict the vDSO's own call, should it make one, would be taken for a site that was missed.
    if let Some(function) = Function::of(nr).filter(|_| is_answered(nr) && !options::get().strict) {
        return CallEntry::Clock(function);
    }
    match LANE_CALLS.iter().find(|(n, _)| u64::from(*n) == nr) {
        Some(&(_, operation)) if descriptors::are_asked() && is_answered(nr) => CallEntry::Lane(operation),
        // A lane may hold what the call moves.
        Some(_) if files::ever_any() || options::get().stats_time => CallEntry::Slow,
        _ => CallEntry::Pass,
    }
}

/// What decides about a call that is the runtime's, without entering it.
fn filter(nr: u64) -> Option<Filter> {
    let filter = Filter::of(nr).filter(|_| !options::get().strict)?;
    match filter {
        Filter::Close if !are_high() => None,
        // An open may have to wait for a lease of ours.
        Filter::OpenFirstPath | Filter::OpenSecondPath if files::ever_any() || !are_high() => None,
        filter => Some(filter),
    }
}

/// Calls that are answered by what their descriptor is.
pub const LANE_CALLS: [(u32, Operation); 5] = [
    (k::__NR_read, Operation::Read),
    (k::__NR_write, Operation::Write),
    (k::__NR_pread64, Operation::Pread),
    (k::__NR_pwrite64, Operation::Pwrite),
    (k::__NR_lseek, Operation::Lseek),
];

/// Calls may be answered in the process: no seccomp filter is to see them.
fn may_answer() -> bool {
    !FILTERED.load(Ordering::Relaxed)
}

/// The process may answer the call: the level includes it, no option excludes it, and no filter is to see it.
#[must_use]
pub fn is_answered(nr: u64) -> bool {
    let options = options::get();
    let is_answered = calls::traits(nr).is_some_and(|traits| traits.answered_from(options.emulate));
    is_answered && !options.passed.has(nr) && may_answer()
}

/// Stubs answer the call, or leave it to the gate.
fn has_answer(nr: u64) -> bool {
    ANSWERS.iter().any(|answer| u64::from(answer.number) == nr)
}

/// What the gate does with each call, for threads to come.
static ENTRIES: [AtomicU64; COUNTED_CALLS] = [const { AtomicU64::new(0) }; COUNTED_CALLS];
/// The same without regard to ring 0, if that is chosen.
static PLAIN_ENTRIES: [AtomicU64; COUNTED_CALLS] = [const { AtomicU64::new(0) }; COUNTED_CALLS];

fn plain_entries() -> &'static [AtomicU64; COUNTED_CALLS] {
    if ring0::is_chosen() { &PLAIN_ENTRIES } else { &ENTRIES }
}

/// Sets what the gate does with each call of a thread. The descriptors of another process in the same memory are not ours.
pub fn apply_to(ts: &mut ThreadState) {
    // Ring 0 is bound to a process.
    let entries = if ts.foreign == 0 { &ENTRIES } else { plain_entries() };
    for (slot, entry) in ts.call_entries.iter_mut().zip(entries) {
        *slot = entry.load(Ordering::Relaxed);
    }
    // Read where ring 0 is left, and nowhere else.
    if ring0::is_chosen() {
        for (slot, entry) in ts.plain_entries.iter_mut().zip(&PLAIN_ENTRIES) {
            *slot = entry.load(Ordering::Relaxed);
        }
    }
    if ts.foreign != 0 && descriptors::are_asked() {
        for (nr, _) in LANE_CALLS {
            if let Some(slot) = ts.call_entries.get_mut(nr as usize) {
                *slot = entry_address(CallEntry::Pass);
            }
        }
    }
}

/// Sets it for every thread, from the table and the options.
pub fn apply() {
    let plain: [CallEntry; COUNTED_CALLS] = core::array::from_fn(|nr| call_entry(nr as u64));
    if ring0::is_chosen() {
        ring0::apply(&plain);
    }
    for (nr, ((entry, plain_entry), plain)) in ENTRIES.iter().zip(plain_entries()).zip(plain).enumerate() {
        let what = ring0::entry(nr, plain);
        plain_entry.store(entry_address(plain), Ordering::Relaxed);
        entry.store(entry_address(what), Ordering::Relaxed);
        set_stub_call(nr, what == CallEntry::Pass && !has_answer(nr as u64), what == CallEntry::Answer);
    }
    registry::for_each_mut(apply_to);
}

/// A seccomp filter is or will be in force: it must see the guest's calls.
pub fn note_filter() {
    if !FILTERED.swap(true, Ordering::Relaxed) {
        apply();
    }
}

/// Whether [`note_filter`] was called, for the next image.
#[must_use]
pub fn is_filtered() -> bool {
    FILTERED.load(Ordering::Relaxed)
}

/// Some page of the guest's is write-protected: from now on the gate looks at what calls write.
pub fn watch_outputs() {
    if !WATCHING.swap(true, Ordering::Relaxed) {
        apply();
    }
}

/// Calls that write guest memory are looked at.
#[must_use]
pub fn is_watching() -> bool {
    WATCHING.load(Ordering::Relaxed)
}
