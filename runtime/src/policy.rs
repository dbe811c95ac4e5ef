//! Which calls pass without entering Rust, and which the runtime must see.

use crate::gate::{FAST_ENTRIES, set_fast};
use crate::options;
use crate::syscall::table::{self, Treatment};
use core::sync::atomic::{AtomicBool, Ordering};

static WATCHING: AtomicBool = AtomicBool::new(false);

fn is_fast(nr: u64) -> bool {
    let Some(row) = table::row(nr) else { return false };
    row.treatment == Treatment::Passthrough
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
