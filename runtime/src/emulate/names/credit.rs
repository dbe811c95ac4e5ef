//! Whether facts about names pay: answers earn what establishing and looking again cost.
//!
//! Answers are counted by each thread (`Shared::answered`); they are added up only where something is to be spent.

use crate::calls::{self, Mark};
use crate::emulate::candidate::passed;
use crate::thread::registry;
use core::sync::atomic::{AtomicU64, Ordering};

/// What establishing a fact costs, in answers: 20 to 60 µs, where an answer saves some 0.4.
pub(super) const ESTABLISH: u64 = 128;
/// What looking at changes costs: 3 to 5 µs.
pub(super) const RENEW: u64 = 12;
/// What a process may spend before it has earned anything.
const BEGIN: u64 = 64 * ESTABLISH;
/// What a look at one of 256 calls or more earns: so a process whose names change all the time tries a new one now and then.
const LOOK: u64 = 16;
/// More is not saved up.
const MAX: u64 = 1 << 14;

/// Earned by looks.
static LOOKS: AtomicU64 = AtomicU64::new(0);
/// Spent, or not saved up.
static SPENT: AtomicU64 = AtomicU64::new(0);

/// Calls of all threads that look names up: answered, and made by the kernel.
fn totals() -> (u64, u64) {
    let (mut answered, mut made) = (0u64, 0u64);
    registry::for_each(|shared| {
        for nr in calls::SAMPLED.into_iter().filter(|&nr| calls::is(nr, Mark::LooksUp)) {
            let nr = nr as usize;
            answered += shared.answered.get(nr).map_or(0, |word| word.load(Ordering::Relaxed));
            made += passed(shared, nr);
        }
    });
    (answered, made)
}

/// Look-ups that the process has made.
pub(super) fn made() -> u64 {
    totals().1
}

/// One call was looked at.
pub(super) fn look() {
    LOOKS.fetch_add(LOOK, Ordering::Relaxed);
}

/// Spends so much, if it is there. Takes the registry's lock.
pub(super) fn spend(cost: u64) -> bool {
    let earned = BEGIN + LOOKS.load(Ordering::Relaxed) + totals().0;
    let spent = SPENT.load(Ordering::Relaxed);
    // Threads that ended have taken their counts with them.
    let spent = spent.clamp(earned.saturating_sub(MAX), earned);
    let is_there = earned - spent >= cost;
    SPENT.store(if is_there { spent + cost } else { spent }, Ordering::Relaxed);
    is_there
}

/// More was spent than was asked for.
pub(super) fn charge(cost: u64) {
    SPENT.fetch_add(cost, Ordering::Relaxed);
}
