//! clock_getres(2): the resolution of a clock does not change while the kernel runs (kernel/time/hrtimer.c sets it when it starts).

use crate::sys::raw;
use crate::syscall::{Call, Outcome, put_user};
use core::sync::atomic::{AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// Clocks with a number of their own; negative ones belong to devices and processes.
const CLOCKS: usize = 12;
const UNKNOWN: u64 = u64::MAX;

/// Resolution of each clock in nanoseconds, once it was asked.
static RESOLUTIONS: [AtomicU64; CLOCKS] = [const { AtomicU64::new(UNKNOWN) }; CLOCKS];

/// Answers the call, or leaves an unknown clock to the kernel.
pub fn resolution(call: &Call<'_>) -> Option<Outcome> {
    const NANOSECONDS: u64 = 1_000_000_000;
    let clock = usize::try_from(call.int(0)).ok()?;
    let known = RESOLUTIONS.get(clock)?;
    let mut value = known.load(Ordering::Relaxed);
    if value == UNKNOWN {
        let mut time = [0u64; 2];
        // SAFETY: the kernel writes a struct timespec.
        unsafe { raw::syscall(k::__NR_clock_getres, [clock as u64, time.as_mut_ptr() as u64]) }.ok()?;
        let [seconds, nanoseconds] = time;
        value = seconds * NANOSECONDS + nanoseconds;
        known.store(value, Ordering::Relaxed);
    }
    let result = match call.arg(1) {
        0 => 0,
        at => put_user(at, &[value / NANOSECONDS, value % NANOSECONDS]).err().unwrap_or(0),
    };
    Some(Outcome::Answered(result))
}
