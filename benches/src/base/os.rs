//! The calls for which std has no word: affinity, waiting with resource usage, Ctrl-C, signals to a server, counters.
//! The only module with `unsafe`.
#![allow(unsafe_code, reason = "system calls")]

use std::io;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note_interrupt(_signal: libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From now on the first Ctrl-C only sets [`interrupted`]; the second one ends the process.
pub fn keep_rows_on_interrupt() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: sigaction is plain data for which zeros are valid: no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        let handler: extern "C" fn(libc::c_int) = note_interrupt;
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESETHAND;
        // SAFETY: the action is initialised and its handler only stores to an atomic.
        unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
    }
}

/// Whether the user asked to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// A set of CPUs.
#[derive(Clone, Copy)]
pub struct CpuSet(libc::cpu_set_t);

impl CpuSet {
    /// The CPUs that this process may use.
    ///
    /// # Errors
    /// The kernel's.
    pub fn allowed() -> io::Result<Self> {
        // SAFETY: cpu_set_t is an array of integers.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is writable and its size is passed along.
        let done = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
        if done == 0 { Ok(Self(set)) } else { Err(io::Error::last_os_error()) }
    }

    /// The set of one CPU.
    #[must_use]
    pub fn only(cpu: usize) -> Option<Self> {
        if cpu >= 8 * size_of::<libc::cpu_set_t>() {
            return None;
        }
        // SAFETY: cpu_set_t is an array of integers.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: CPU_SET only writes a bit inside `set`; `cpu` was checked against its size.
        unsafe { libc::CPU_SET(cpu, &mut set) };
        Some(Self(set))
    }

    /// The set of some CPUs; `None` where one of them has too high a number.
    #[must_use]
    pub fn of(cpus: &[usize]) -> Option<Self> {
        // SAFETY: cpu_set_t is an array of integers.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        for &cpu in cpus {
            if cpu >= 8 * size_of::<libc::cpu_set_t>() {
                return None;
            }
            // SAFETY: CPU_SET only writes a bit inside `set`; `cpu` was checked against its size.
            unsafe { libc::CPU_SET(cpu, &mut set) };
        }
        Some(Self(set))
    }

    /// The CPUs of the set, from the lowest on.
    #[must_use]
    pub fn cpus(&self) -> Vec<usize> {
        // SAFETY: CPU_ISSET only reads a bit inside the set.
        (0..8 * size_of::<libc::cpu_set_t>()).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &self.0) }).collect()
    }

    /// The highest CPU of the set: the first ones take most interrupts.
    #[must_use]
    pub fn last(&self) -> Option<usize> {
        // SAFETY: CPU_ISSET only reads a bit inside the set.
        (0..8 * size_of::<libc::cpu_set_t>()).rfind(|&cpu| unsafe { libc::CPU_ISSET(cpu, &self.0) })
    }

    /// Confines this process, and what it starts, to the set.
    ///
    /// # Errors
    /// The kernel's, for example that none of the CPUs is allowed.
    pub fn confine(&self) -> io::Result<()> {
        // SAFETY: the set is readable and its size is passed along.
        let done = unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), &raw const self.0) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// How a process tree ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ended {
    /// Exit code, or the negative number of the signal.
    pub status: i32,
    /// User and system time of the process and of all descendants that were waited for.
    pub cpu_seconds: f64,
}

/// Why a wait has no [`Ended`].
#[derive(Debug)]
pub enum WaitError {
    /// The time was over; the process group was killed.
    TimeOut,
    /// The user pressed Ctrl-C; the process group was killed.
    Interrupted,
    /// The kernel's.
    Os(io::Error),
}

/// Waits for `child`, which must lead its own process group, at most for `limit`.
///
/// # Errors
/// See [`WaitError`]; the process is gone in every case.
pub fn wait(child: &Child, limit: Duration) -> Result<Ended, WaitError> {
    let pid = libc::pid_t::try_from(child.id()).map_err(|_| WaitError::Os(io::ErrorKind::InvalidInput.into()))?;
    let deadline = Instant::now() + limit;
    // SAFETY: pidfd_open takes integers only.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let mut watched =
        libc::pollfd { fd: libc::c_int::try_from(descriptor).unwrap_or(-1), events: libc::POLLIN, revents: 0 };
    let mut stop = None;
    // Without a descriptor (Linux before 5.3) the wait below has no limit.
    while watched.fd >= 0 && stop.is_none() {
        // SAFETY: one initialised pollfd.
        if unsafe { libc::poll(&raw mut watched, 1, 200) } == 1 {
            break;
        }
        if interrupted() {
            stop = Some(WaitError::Interrupted);
        } else if Instant::now() > deadline {
            stop = Some(WaitError::TimeOut);
        }
    }
    if stop.is_some() {
        // SAFETY: a signal to the group that this child leads; nobody has waited for it, so
        // the number is still its own.
        unsafe { libc::kill(-pid, libc::SIGKILL) };
    }
    let ended = reap(pid);
    if watched.fd >= 0 {
        // SAFETY: the descriptor was opened above and nobody else has it.
        unsafe { libc::close(watched.fd) };
    }
    stop.map_or_else(|| ended.map_err(WaitError::Os), Err)
}

/// Asks a child to end. It has not been waited for: the number is its own.
pub fn terminate(child: &Child) {
    if let Ok(pid) = libc::pid_t::try_from(child.id()) {
        // SAFETY: a signal to a child of ours.
        unsafe { libc::kill(pid, libc::SIGTERM) };
    }
}

/// Ends what is left of the group that a child led. The group's number is not given away while it has members.
pub fn kill_group(child: &Child) {
    if let Ok(pid) = libc::pid_t::try_from(child.id()) {
        // SAFETY: a signal to the group that a child of ours leads or led.
        unsafe { libc::kill(-pid, libc::SIGKILL) };
    }
}

/// Whether the kernel gives performance counters of the CPU: perf_event_open(2) of retired instructions.
#[must_use]
pub fn has_performance_counters() -> bool {
    const SIZE_VER0: u64 = 64;
    const INSTRUCTIONS: u64 = 1;
    const DISABLED: u64 = 1;
    // type 0 (hardware) and size, config, period, sample type, read format, flags, wake-up, address.
    let attributes: [u64; 8] = [SIZE_VER0 << 32, INSTRUCTIONS, 0, 0, 0, DISABLED, 0, 0];
    // SAFETY: the attributes are as long as they say.
    let descriptor = unsafe { libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0) };
    match libc::c_int::try_from(descriptor) {
        Ok(descriptor) if descriptor >= 0 => {
            // SAFETY: it was opened above and nobody else has it.
            unsafe { libc::close(descriptor) };
            true
        }
        _ => false,
    }
}

/// Cycles of the time-stamp counter in a second, by the clock.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a fraction of a second has far fewer than 2^53 cycles")]
pub fn tsc_hz() -> f64 {
    // SAFETY: every x86-64 CPU has the instruction, and Linux lets processes use it.
    let counter = || unsafe { core::arch::x86_64::_rdtsc() };
    let (start, first) = (Instant::now(), counter());
    std::thread::sleep(Duration::from_millis(50));
    let (last, seconds) = (counter(), start.elapsed().as_secs_f64());
    last.wrapping_sub(first) as f64 / seconds
}

fn reap(pid: libc::pid_t) -> io::Result<Ended> {
    let mut status = 0;
    // SAFETY: rusage is plain data.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to initialised locals.
        if unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } == pid {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(Ended {
        status: if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -libc::WTERMSIG(status) },
        cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
    })
}

#[allow(clippy::cast_precision_loss, reason = "CPU seconds are far below 2^53")]
fn seconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 + time.tv_usec as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    fn shell(script: &str) -> Child {
        Command::new("/bin/sh").args(["-c", script]).process_group(0).spawn().unwrap()
    }

    #[test]
    fn exit_codes_and_signals_are_told_apart() {
        let minute = Duration::from_secs(60);
        assert_eq!(wait(&shell("exit 7"), minute).unwrap().status, 7);
        assert_eq!(wait(&shell("kill -9 $$"), minute).unwrap().status, -9);
    }

    #[test]
    fn time_of_descendants_counts() {
        let loop_in_child = "(i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done)";
        let ended = wait(&shell(loop_in_child), Duration::from_secs(60)).unwrap();
        assert!(ended.cpu_seconds > 0.01, "{ended:?}");
    }

    #[test]
    fn limit_ends_the_group() {
        let start = Instant::now();
        let result = wait(&shell("sleep 60 & sleep 60"), Duration::from_millis(10));
        assert!(matches!(result, Err(WaitError::TimeOut)), "{result:?}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn time_stamp_counter_runs_at_some_ghz() {
        let hz = tsc_hz();
        assert!((1e8..1e11).contains(&hz), "{hz}");
    }

    #[test]
    fn last_cpu_of_a_single_set_is_that_cpu() {
        assert_eq!(CpuSet::only(5).and_then(|set| set.last()), Some(5));
        assert!(CpuSet::only(1 << 20).is_none());
        assert_eq!(CpuSet::of(&[3, 1]).map(|set| set.cpus()), Some(vec![1, 3]));
        assert!(CpuSet::of(&[1 << 20]).is_none());
        assert!(CpuSet::allowed().unwrap().last().is_some());
    }
}
