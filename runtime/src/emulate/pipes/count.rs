//! How many pipes and eventfds are kept in the process, and how often that paid.

use crate::gate::facts::Fact;
use crate::gate::routes::learn;
use core::sync::atomic::{AtomicU32, Ordering};

/// Pipes and eventfds that are kept here.
static COUNT: AtomicU32 = AtomicU32::new(0);
/// Back-off exponent: after one that was handed back before it paid, the next is taken over half as often.
static PENALTY: AtomicU32 = AtomicU32::new(0);
const MAX_PENALTY: u32 = 10;
/// Operations after which taking over has paid.
const WORTH: u64 = 512;

/// Something is kept here.
#[must_use]
pub fn any() -> bool {
    COUNT.load(Ordering::Relaxed) != 0
}

/// One is kept from now on.
pub(super) fn began() {
    if COUNT.fetch_add(1, Ordering::Relaxed) == 0 {
        learn(Fact::PipesHeld, true);
    }
}

/// One is the kernel's again; it answered so many operations.
pub(super) fn ended(answered: u64) {
    let penalty = PENALTY.load(Ordering::Relaxed);
    PENALTY.store(if answered >= WORTH { 0 } else { (penalty + 1).min(MAX_PENALTY) }, Ordering::Relaxed);
    if COUNT.fetch_sub(1, Ordering::Relaxed) == 1 {
        learn(Fact::PipesHeld, false);
    }
}

/// The back-off exponent.
#[must_use]
pub fn penalty() -> u32 {
    PENALTY.load(Ordering::Relaxed)
}
