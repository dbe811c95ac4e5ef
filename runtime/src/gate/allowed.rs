//! Which calls ring 0 may make: those that the module can make and that ring 3 leaves to the kernel. `engine::ring0`
//! tells the module.

use super::entry::CallEntry;
use crate::calls::route::Filter;
use crate::options::{self, EngineChoice};
use crate::process::RING0_FD;
use crate::sys::shim;
use bt_shim::uapi::CALLS;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A set of call numbers.
type Set = [AtomicU64; CALLS / 64];

/// Calls that the module can make; none without it.
static GRANTED: Set = [const { AtomicU64::new(0) }; CALLS / 64];
/// Calls that ring 0 may make as things are.
static ALLOWED: Set = [const { AtomicU64::new(0) }; CALLS / 64];
/// [`ALLOWED`] has changed in a way that the module has not been told.
static CHANGED: AtomicBool = AtomicBool::new(false);

/// The engine is chosen.
#[must_use]
pub fn is_chosen() -> bool {
    options::get().engine == EngineChoice::Ring0
}

/// The module says which calls it can make. It has to be told which of them it may.
pub fn grant(words: &[u64; CALLS / 64]) {
    for (granted, &word) in GRANTED.iter().zip(words) {
        granted.store(word, Ordering::Relaxed);
    }
    CHANGED.store(true, Ordering::Relaxed);
}

/// The module has to be told what is allowed. Asked once for each change.
pub fn take_change() -> bool {
    CHANGED.swap(false, Ordering::Relaxed)
}

/// Ring 0 may make the call.
#[must_use]
pub fn may_call(nr: usize) -> bool {
    ALLOWED.get(nr / 64).is_some_and(|word| word.load(Ordering::Relaxed) >> (nr % 64) & 1 != 0)
}

/// What ring 3 does with a call leaves it to ring 0: it is passed on, or answered with what the kernel would say. Those
/// whose arguments are looked at are checked in ring 0 too (`engine::ring0::regions`).
fn is_the_kernels(plain: CallEntry) -> bool {
    matches!(
        plain,
        CallEntry::Pass
            | CallEntry::Answer
            | CallEntry::Clock(_)
            | CallEntry::Filter(Filter::FirstPath | Filter::SecondPath | Filter::Fcntl)
    )
}

/// The gate's entries without regard to ring 0 are these now.
pub(super) fn allow(plain: &[CallEntry]) {
    let mut lost = 0;
    for (word, (allowed, granted)) in ALLOWED.iter().zip(&GRANTED).enumerate() {
        let mut bits = granted.load(Ordering::Relaxed);
        for bit in 0..64 {
            if !plain.get(64 * word + bit).is_some_and(|&entry| is_the_kernels(entry)) {
                bits &= !(1 << bit);
            }
        }
        lost |= allowed.swap(bits, Ordering::Relaxed) & !bits;
    }
    if lost != 0 {
        CHANGED.store(true, Ordering::Relaxed);
        // At once: other threads may be in there. What is known of the code is forgotten when one comes back.
        shim::clear(RING0_FD.load(Ordering::Relaxed));
    }
}

/// What the gate does with a call of number `nr`, given what it does without ring 0.
pub(super) fn call_entry(nr: usize, plain: CallEntry) -> CallEntry {
    let enters = matches!(plain, CallEntry::Pass | CallEntry::Filter(_));
    if is_chosen() && enters && may_call(nr) { CallEntry::Ring0 } else { plain }
}
