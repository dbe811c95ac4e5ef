//! The clock of figures: the time stamp counter, which advances by one with each instruction.

use std::arch::x86_64::{_mm_lfence, _rdtsc};

/// Ticks of `rounds` loops, the smallest of them: a timer interrupt strikes some, not all.
pub fn least_ticks(rounds: usize, mut body: impl FnMut()) -> i64 {
    (0..rounds).map(|_| ticks_of(&mut body)).min().unwrap_or(0)
}

/// Ticks of one call of `body`.
pub fn ticks_of(body: impl FnOnce()) -> i64 {
    let before = ticks();
    body();
    ticks().wrapping_sub(before).cast_signed()
}

/// The time stamp counter, read when everything before is done.
fn ticks() -> u64 {
    // SAFETY: every x86-64 CPU has both instructions; neither touches memory.
    unsafe {
        _mm_lfence();
        _rdtsc()
    }
}
