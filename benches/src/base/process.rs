//! Processes that are waited for with their resource usage, signals to them, and Ctrl-C.

use std::io;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::time::{TimeVal, TimeValLike as _};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open};
use std::os::fd::{AsFd as _, OwnedFd};
use thiserror::Error;

/// How often a wait looks at the clock and at Ctrl-C, in milliseconds.
const LOOK_MS: u8 = 200;

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// From now on the first Ctrl-C only sets [`interrupted`]; the second one ends the process.
///
/// # Errors
/// The kernel's.
pub(crate) fn keep_rows_on_interrupt() -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM] {
        // They run in this order: the second signal finds the flag that the first one set.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&INTERRUPTED))?;
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED))?;
    }
    Ok(())
}

/// Whether the user asked to stop.
#[must_use]
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// How a process tree ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ended {
    /// Exit code, or the negative number of the signal.
    pub status: i32,
    /// User and system time of the process and of all descendants that were waited for.
    pub cpu_seconds: f64,
}

/// Why a wait has no [`Ended`].
#[derive(Debug, Error)]
pub(crate) enum WaitError {
    /// The time was over; the process group was killed.
    #[error("the time was over")]
    TimeOut,
    /// The user pressed Ctrl-C; the process group was killed.
    #[error("interrupted")]
    Interrupted,
    /// The kernel's.
    #[error(transparent)]
    Os(#[from] io::Error),
}

impl From<Errno> for WaitError {
    fn from(error: Errno) -> Self {
        Self::Os(error.into())
    }
}

/// Waits for `child`, which must lead its own process group, at most for `limit`. Nobody else may wait for a child
/// meanwhile: the time of all that were waited for is how the time of this one is known.
///
/// # Errors
/// The time was over, the user pressed Ctrl-C, or the kernel refused; the process is gone in every case.
pub(crate) fn wait(child: &Child, limit: Duration) -> Result<Ended, WaitError> {
    let pid = pid_of(child)?;
    // Without a descriptor (Linux before 5.3) the wait has no limit.
    let stop = open(pid).and_then(|descriptor| watch(&descriptor, limit));
    if stop.is_some() {
        // Nobody has waited for it, so the number is still its own.
        let _ = killpg(pid, Signal::SIGKILL);
    }
    let ended = reap(pid);
    stop.map_or(ended, Err)
}

fn open(pid: Pid) -> Option<OwnedFd> {
    pidfd_open(rustix::process::Pid::from_raw(pid.as_raw())?, PidfdFlags::empty()).ok()
}

/// Waits until the process has ended; otherwise says why it did not.
fn watch(descriptor: &OwnedFd, limit: Duration) -> Option<WaitError> {
    let deadline = Instant::now() + limit;
    loop {
        let mut watched = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
        if poll(&mut watched, LOOK_MS) == Ok(1) {
            return None;
        }
        if interrupted() {
            return Some(WaitError::Interrupted);
        }
        if Instant::now() > deadline {
            return Some(WaitError::TimeOut);
        }
    }
}

fn reap(pid: Pid) -> Result<Ended, WaitError> {
    let before = children_seconds()?;
    loop {
        let status = match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, code)) => code,
            Ok(WaitStatus::Signaled(_, signal, _)) => -(signal as i32),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        return Ok(Ended { status, cpu_seconds: children_seconds()? - before });
    }
}

/// User and system time of the descendants that were waited for.
fn children_seconds() -> Result<f64, Errno> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

#[allow(clippy::cast_precision_loss, reason = "CPU time in microseconds is far below 2^53")]
fn seconds(time: TimeVal) -> f64 {
    time.num_microseconds() as f64 / 1e6
}

fn pid_of(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id()).map(Pid::from_raw).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Asks a child to end. It has not been waited for: the number is its own.
pub(crate) fn terminate(child: &Child) {
    if let Ok(pid) = pid_of(child) {
        let _ = kill(pid, Signal::SIGTERM);
    }
}

/// Ends what is left of the group that a child led. The group's number is not given away while it has members.
pub(crate) fn kill_group(child: &Child) {
    if let Ok(pid) = pid_of(child) {
        let _ = killpg(pid, Signal::SIGKILL);
    }
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
}
