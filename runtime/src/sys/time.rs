//! Time.

use super::errno::Errno;
use super::process::gettid;
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

/// A timer of the process (timer_create(2)), by the kernel's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timer(pub i32);

impl Timer {
    /// One whose signal goes to the calling thread and carries `value`. It stands still.
    ///
    /// # Errors
    /// The kernel's; EAGAIN where the user has as many signals as allowed (RLIMIT_SIGPENDING).
    pub fn of_this_thread(signal: i32, value: u64) -> Result<Self, Errno> {
        /// `struct sigevent` (include/uapi/asm-generic/siginfo.h): 64 bytes.
        #[repr(C)]
        struct Event {
            value: u64,
            signal: i32,
            notify: u32,
            thread: u64,
            rest: [u64; 5],
        }
        let notify = k::SIGEV_SIGNAL | k::SIGEV_THREAD_ID;
        let event = Event { value, signal, notify, thread: u64::from(gettid()), rest: [0; 5] };
        let mut number = 0i32;
        let arguments = [u64::from(k::CLOCK_MONOTONIC), &raw const event as u64, &raw mut number as u64];
        // SAFETY: the kernel reads the event and writes the number; both live during the call.
        unsafe { syscall(k::__NR_timer_create, arguments) }.map(|_| Self(number))
    }

    /// Has it run out after so many nanoseconds, again and again; 0 stops it. What has come by then is delivered before this
    /// returns, unless the signal is blocked (kernel/time/posix-timers.c).
    pub fn run(self, period_ns: u64) {
        let period = [0, period_ns];
        let times = [period, period];
        // SAFETY: a struct itimerspec, which lives during the call.
        let _ = unsafe { syscall(k::__NR_timer_settime, [self.number(), 0, times.as_ptr() as u64, 0]) };
    }

    /// Ends it.
    pub fn delete(self) {
        // SAFETY: a timer of ours.
        let _ = unsafe { syscall(k::__NR_timer_delete, [self.number()]) };
    }

    fn number(self) -> u64 {
        u64::from(self.0.cast_unsigned())
    }
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
