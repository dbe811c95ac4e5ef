//! May a file be executed? The kernel says: file modes are only one of those who decide. Landlock, listeners of
//! fanotify, integrity measurement and other security modules, noexec mounts and open writers have their say as well.
//!
//! Linux 6.14 and later answer for an open file what an execve of it would get (AT_EXECVE_CHECK), down to the listeners
//! who are asked. Before, faccessat2(2) answers for the file's mode and its mount, and for security modules that look
//! at those; once the process has restricted itself to a Landlock domain, the kernel executes what it allows itself.

use crate::emulate::call::{Call, Outcome};
use crate::gate::facts::{Fact, holds};
use crate::sys::{Errno, Fd, fs, process};
use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};
use linux_raw_sys::general as k;

/// Why the next image does not run under bt-run. But for the last the kernel gets the call as it is.
pub enum Native {
    /// The kernel will refuse it, or the file is nothing for us: no note.
    Quietly,
    /// It runs, but not under bt-run.
    Because(&'static str),
    /// The kernel was asked about the file, and this is its answer.
    Refused(Errno),
}

/// The process has restricted itself to a Landlock domain, in this image or one before.
pub static RESTRICTED: AtomicBool = AtomicBool::new(false);

/// landlock_restrict_self(2).
pub fn restrict(call: &mut Call<'_>) -> Outcome {
    let outcome = call.pass();
    if let Outcome::Done(Ok(_)) = outcome {
        RESTRICTED.store(true, Ordering::Relaxed);
    }
    outcome
}

/// Opens a file that the kernel would execute, for reading.
pub fn open_executable(dir: Fd, path: &CStr) -> Result<Fd, Native> {
    let stat = fs::stat_at(dir, path, 0).map_err(|_| Native::Quietly)?;
    // The kernel refuses the rest without opening it (fs/namei.c, may_open): to open a FIFO waits, a device may act.
    if !stat.is_regular() {
        return Err(Native::Quietly);
    }
    let flags = k::O_RDONLY | k::O_NONBLOCK | k::O_NOCTTY;
    let fd = fs::open_at(dir, path, flags, 0).map_err(|errno| unopened(dir, path, errno))?;
    match check(dir, path, fd) {
        Ok(()) => Ok(fd),
        Err(reason) => {
            fd.close();
            Err(reason)
        }
    }
}

/// Why a file could not be opened.
fn unopened(dir: Fd, path: &CStr, errno: Errno) -> Native {
    match errno {
        // x without r.
        Errno::EACCES if fs::may_execute(dir, path).is_ok() => Native::Because("not readable"),
        // A listener of fanotify(7) denies the open, as it would the kernel's own.
        Errno::EPERM if !may_be_filtered() => Native::Refused(errno),
        _ => Native::Quietly,
    }
}

fn check(dir: Fd, path: &CStr, fd: Fd) -> Result<(), Native> {
    match process::check_execution(fd) {
        Ok(()) => Ok(()),
        // The kernel does not know the question.
        Err(Errno::EINVAL | Errno::ENOSYS) => match fs::may_execute(dir, path) {
            Ok(()) | Err(Errno::ENOSYS) if RESTRICTED.load(Ordering::Relaxed) => {
                Err(Native::Because("Landlock domain"))
            }
            Ok(()) | Err(Errno::ENOSYS) => Ok(()),
            Err(_) => Err(Native::Quietly),
        },
        // The filter forbids the question, or the kernel the execution: the guest's own call will tell.
        Err(_) if may_be_filtered() => {
            Err(if fs::may_execute(dir, path).is_ok() { Native::Because("filtered") } else { Native::Quietly })
        }
        Err(errno) => Err(Native::Refused(errno)),
    }
}

/// The error may be that of a seccomp filter, which the guest's own call would not meet.
fn may_be_filtered() -> bool {
    holds(Fact::Filtered) || process::is_filtered()
}

/// The kernel does not execute bt-run's own file here, open at `fd`, given what it said when it was to: a Landlock
/// domain need not include it.
#[must_use]
pub fn refuses_runtime(fd: Fd, said: Errno) -> bool {
    match process::check_execution(fd) {
        Ok(()) => false,
        Err(Errno::EINVAL | Errno::ENOSYS) => matches!(said, Errno::EACCES | Errno::EPERM | Errno::ENOSYS),
        Err(_) => true,
    }
}
