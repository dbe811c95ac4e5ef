//! Back-off: a process whose promotions did not pay promotes half as often next time.

use core::sync::atomic::{AtomicU32, Ordering};

/// Accesses after which a promotion has paid.
const WORTH: u64 = 2048;
/// The exponent, of 2.
static PENALTY: AtomicU32 = AtomicU32::new(0);
const MAX_PENALTY: u32 = 6;
/// Back-off exponent: the next look comes after two to this power times as many calls as usual.
#[must_use]
pub fn penalty() -> u32 {
    PENALTY.load(Ordering::Relaxed)
}

/// A lane that answered so many accesses is gone.
pub fn learn_from(answered: u64) {
    let penalty = PENALTY.load(Ordering::Relaxed);
    PENALTY.store(if answered >= WORTH { 0 } else { (penalty + 1).min(MAX_PENALTY) }, Ordering::Relaxed);
}
