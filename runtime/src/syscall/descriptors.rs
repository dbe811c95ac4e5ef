//! Descriptors of the runtime, which the guest must neither see nor lose us.

use super::{Call, Outcome};
use crate::process::{EXE_FD, SELF_FD};
use crate::sys::raw;
use core::sync::atomic::Ordering;
use linux_raw_sys::general as k;

const EBADF: i64 = -9;

/// The hidden descriptors, ascending.
#[must_use]
pub fn hidden() -> [i32; 2] {
    let (a, b) = (SELF_FD.load(Ordering::Relaxed), EXE_FD.load(Ordering::Relaxed));
    [a.min(b), a.max(b)]
}

/// `fd` is ours.
#[must_use]
pub fn is_hidden(fd: i32) -> bool {
    fd >= 0 && hidden().contains(&fd)
}

/// close(2).
pub fn close(call: &mut Call<'_>) -> Outcome {
    if is_hidden(call.int(0)) {
        return Outcome::Done(EBADF);
    }
    call.pass()
}

/// close_range(2): around ours.
pub fn close_range(call: &mut Call<'_>) -> Outcome {
    let (first, last) = (call.int(0).cast_unsigned(), call.int(1).cast_unsigned());
    if first > last {
        return call.pass();
    }
    let mut from = u64::from(first);
    for fd in hidden() {
        let Ok(fd) = u32::try_from(fd) else { continue };
        let fd = u64::from(fd);
        if from <= fd && fd <= u64::from(last) {
            if from < fd {
                let outcome = call.pass_with(&[from, fd - 1, call.arg(2), 0, 0, 0]);
                if !matches!(outcome, Outcome::Done(0)) {
                    return outcome;
                }
            }
            from = fd + 1;
        }
    }
    if from > u64::from(last) {
        return Outcome::Done(0);
    }
    call.pass_with(&[from, u64::from(last), call.arg(2), 0, 0, 0])
}

/// dup2(2), dup3(2): where the guest wants one of our numbers, ours moves.
pub fn dup2(call: &mut Call<'_>) -> Outcome {
    if is_hidden(call.int(0)) {
        return Outcome::Done(EBADF);
    }
    let target = call.int(1);
    if is_hidden(target) {
        for place in [&SELF_FD, &EXE_FD] {
            if place.load(Ordering::Relaxed) == target
                && let Some(moved) = move_up(target)
            {
                place.store(moved, Ordering::Relaxed);
            }
        }
    }
    call.pass()
}

/// A duplicate of `fd` at a high number, kept over exec only when one is under way.
#[must_use]
pub fn move_up(fd: i32) -> Option<i32> {
    // High enough to be out of the way of ordinary programs, low enough for the default limit of 1024.
    for at_least in [1000u64, 500, 200, 20] {
        #[expect(clippy::cast_sign_loss, reason = "the kernel takes the low 32 bits")]
        // SAFETY: F_DUPFD_CLOEXEC makes a new descriptor.
        let moved = unsafe { raw::syscall(k::__NR_fcntl, [fd as u64, u64::from(k::F_DUPFD_CLOEXEC), at_least]) };
        if let Ok(moved) = moved {
            return i32::try_from(moved).ok();
        }
    }
    None
}
