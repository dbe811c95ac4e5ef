//! What the CPU counts: cycles of its time-stamp counter, and events, where it has a PMU that the kernel gives away.

use std::time::{Duration, Instant};

use perf_event::Builder;
use perf_event::events::Hardware;

/// How long the time-stamp counter is compared with the clock.
const COMPARED: Duration = Duration::from_millis(50);

/// Whether the kernel gives performance counters of the CPU: perf_event_open(2) of retired instructions.
#[must_use]
pub(crate) fn has_performance_counters() -> bool {
    let mut builder = Builder::new().kind(Hardware::INSTRUCTIONS);
    builder.include_kernel().include_hv();
    builder.build().is_ok()
}

/// Cycles of the time-stamp counter in a second, by the clock.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a fraction of a second has far fewer than 2^53 cycles")]
pub(crate) fn tsc_hz() -> f64 {
    let (start, first) = (Instant::now(), read_tsc());
    std::thread::sleep(COMPARED);
    let (last, seconds) = (read_tsc(), start.elapsed().as_secs_f64());
    last.wrapping_sub(first) as f64 / seconds
}

#[allow(unsafe_code, reason = "the instruction has no safe name")]
fn read_tsc() -> u64 {
    // SAFETY: every x86-64 CPU has the instruction, and Linux lets processes use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamp_counter_runs_at_some_ghz() {
        let hz = tsc_hz();
        assert!((1e8..1e11).contains(&hz), "{hz}");
    }
}
