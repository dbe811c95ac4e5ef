//! Which calls pass without entering Rust, and which the runtime must see.

use crate::gate::{FAST_ENTRIES, set_fast};
use crate::options;
use crate::syscall::table::{self, Treatment};
use core::sync::atomic::{AtomicBool, Ordering};
use linux_raw_sys::general as k;

static WATCHING: AtomicBool = AtomicBool::new(false);

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

fn is_fast(nr: u64) -> bool {
    table::row(nr).is_some()
        && !is_owned(nr)
        && !options::get().trace
        && !(WATCHING.load(Ordering::Relaxed) && table::may_write(nr))
}

/// Sets the gate's fast path from the table and the options.
pub fn apply() {
    for nr in 0..FAST_ENTRIES {
        set_fast(nr, is_fast(nr as u64));
    }
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
