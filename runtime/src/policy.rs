//! Which calls pass without entering Rust, and which the runtime must see.

use crate::gate::{ANSWERS, CallEntry, entry_address};
use crate::options::{self, EmulateLevel};
use crate::syscall::table::{self, Treatment};
use crate::thread::registry;
use crate::thread::state::{COUNTED_CALLS, ThreadState};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use linux_raw_sys::general as k;

static WATCHING: AtomicBool = AtomicBool::new(false);
static FILTERED: AtomicBool = AtomicBool::new(false);

/// Calls besides those the table marks that `/proc/self/exe` or the hidden descriptors concern.
const PATH_CALLS: [u32; 8] = [
    k::__NR_stat,
    k::__NR_access,
    k::__NR_statx,
    k::__NR_newfstatat,
    k::__NR_faccessat,
    k::__NR_faccessat2,
    k::__NR_getdents,
    k::__NR_getdents64,
];

/// The runtime carries the call out itself, or looks at its arguments.
#[must_use]
pub fn is_owned(nr: u64) -> bool {
    table::row(nr).is_some_and(|row| row.treatment == Treatment::Owned)
        || PATH_CALLS.iter().any(|&n| u64::from(n) == nr)
}

fn call_entry(nr: u64) -> CallEntry {
    if table::row(nr).is_none() || is_owned(nr) || options::get().trace {
        return CallEntry::Slow;
    }
    if WATCHING.load(Ordering::Relaxed) && table::may_write(nr) {
        return CallEntry::Slow;
    }
    if nr == u64::from(k::__NR_getpid) && may_answer() {
        return CallEntry::Getpid;
    }
    CallEntry::Pass
}

/// Calls may be answered in the process: no seccomp filter is to see them.
fn may_answer() -> bool {
    options::get().emulate != EmulateLevel::Off && !FILTERED.load(Ordering::Relaxed)
}

/// What a stub does with a call if it need not enter the gate.
fn ungated(nr: u32) -> CallEntry {
    if ANSWERS.iter().any(|answer| answer.number == nr) { CallEntry::Getpid } else { CallEntry::Pass }
}

/// What the gate does with each call, for threads to come.
static ENTRIES: [AtomicU64; COUNTED_CALLS] = [const { AtomicU64::new(0) }; COUNTED_CALLS];

/// Sets what the gate does with each call of a thread.
pub fn apply_to(ts: &mut ThreadState) {
    let gated = ts.gated_calls.iter_mut();
    for (((slot, gated), entry), nr) in ts.call_entries.iter_mut().zip(gated).zip(&ENTRIES).zip(0..) {
        *slot = entry.load(Ordering::Relaxed);
        *gated = u8::from(*slot != entry_address(ungated(nr)));
    }
}

/// Sets it for every thread, from the table and the options.
pub fn apply() {
    for (nr, entry) in ENTRIES.iter().enumerate() {
        entry.store(entry_address(call_entry(nr as u64)), Ordering::Relaxed);
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
