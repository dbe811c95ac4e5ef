//! Time.

use super::errno::Errno;
use super::raw::syscall;
use linux_raw_sys::general as k;

/// CLOCK_MONOTONIC in nanoseconds.
#[must_use]
pub fn now_ns() -> u64 {
    of_clock(k::CLOCK_MONOTONIC)
}

/// CLOCK_REALTIME in nanoseconds: what times of files are taken from.
#[must_use]
pub fn date_ns() -> u64 {
    of_clock(k::CLOCK_REALTIME)
}

fn of_clock(clock: u32) -> u64 {
    let mut time = [0u64; 2];
    // SAFETY: the kernel writes a struct timespec.
    let _ = unsafe { syscall(k::__NR_clock_gettime, [u64::from(clock), time.as_mut_ptr() as u64]) };
    let [seconds, nanoseconds] = time;
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
}

/// A call with the guest's first two arguments.
pub type TwoArguments = fn(u64, u64) -> Result<u64, Errno>;

/// The call that the kernel emulates at an offset of the vsyscall page (vsyscall(7)).
#[must_use]
pub fn vsyscall(offset: u64) -> Option<TwoArguments> {
    Some(match offset {
        // SAFETY: writes to the guest's pointers only, which the kernel checks.
        0 => |a, b| unsafe { syscall(k::__NR_gettimeofday, [a, b]) },
        // SAFETY: as above.
        0x400 => |a, b| unsafe { syscall(k::__NR_time, [a, b]) },
        // SAFETY: as above.
        0x800 => |a, b| unsafe { syscall(k::__NR_getcpu, [a, b]) },
        _ => return None,
    })
}
