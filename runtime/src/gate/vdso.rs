//! The functions of the vDSO that the gate calls ([`clock`](super::clock)): what a program asks the kernel for and the
//! vDSO tells without a call.
//!
//! Both read the same time: the kernel writes the vDSO's data when it changes its own (kernel/time/vsyscall.c). Where
//! the vDSO cannot tell, it makes the call itself, as always.

use super::clock::FUNCTIONS;
use crate::calls::route::Clock;
use crate::elf::vdso::Vdso;
use core::sync::atomic::{AtomicU64, Ordering};

/// First address of the vDSO and the one after it.
static RANGE: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// The function's name in the vDSO (vdso(7)).
fn symbol(clock: Clock) -> &'static [u8] {
    match clock {
        Clock::Gettime => b"__vdso_clock_gettime",
        Clock::Getres => b"__vdso_clock_getres",
        Clock::Gettimeofday => b"__vdso_gettimeofday",
        Clock::Time => b"__vdso_time",
        Clock::Getcpu => b"__vdso_getcpu",
    }
}

/// Finds the functions of the vDSO at `start..end`.
pub fn start(start: u64, end: u64) {
    let Some(vdso) = Vdso::at(start) else { return };
    for (word, value) in RANGE.iter().zip([start, end]) {
        word.store(value, Ordering::Relaxed);
    }
    for (slot, clock) in FUNCTIONS.iter().zip(Clock::ALL) {
        slot.store(vdso.function(symbol(clock)).unwrap_or(0), Ordering::Relaxed);
    }
}

/// The guest changed `start..end`: what was the vDSO may be anything else.
pub fn changed(start: u64, end: u64) {
    let [from, to] = [RANGE[0].load(Ordering::Relaxed), RANGE[1].load(Ordering::Relaxed)];
    if start < to && from < end {
        for slot in &FUNCTIONS {
            slot.store(0, Ordering::Relaxed);
        }
    }
}
