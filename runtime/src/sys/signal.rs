//! Signals, as the runtime itself asks the kernel for them (signal(7)).

use super::errno::Errno;
use super::process::{getpid, gettid};
use super::raw;
use super::types::{AltStack, SigAction, SigInfo};
use linux_raw_sys::general as k;

/// Bytes of the kernel's signal set (sigprocmask(2), "C library/kernel differences").
pub const SIGSET_BYTES: u64 = 8;

/// Sets the mask of the calling thread and returns the one before (rt_sigprocmask(2)).
pub fn set_mask(mask: u64) -> u64 {
    change_mask(k::SIG_SETMASK, mask)
}

/// Blocks the signals in `mask` besides those that are blocked; returns the mask before.
pub fn block(mask: u64) -> u64 {
    change_mask(k::SIG_BLOCK, mask)
}

/// Takes the signals in `mask` out of the mask; returns the mask before.
pub fn unblock(mask: u64) -> u64 {
    change_mask(k::SIG_UNBLOCK, mask)
}

fn change_mask(how: u32, mask: u64) -> u64 {
    let mut old = 0u64;
    // SAFETY: both words live during the call.
    let _ = unsafe {
        raw::syscall(
            k::__NR_rt_sigprocmask,
            [u64::from(how), &raw const mask as u64, &raw mut old as u64, SIGSET_BYTES],
        )
    };
    old
}

/// Signals that are pending for the calling thread and blocked (rt_sigpending(2)).
#[must_use]
pub fn pending() -> u64 {
    let mut set = 0u64;
    // SAFETY: the word lives during the call.
    let _ = unsafe { raw::syscall(k::__NR_rt_sigpending, [&raw mut set as u64, SIGSET_BYTES]) };
    set
}

/// Asks for the action of a signal, and sets another if there is one (rt_sigaction(2)).
///
/// # Errors
/// EINVAL: there is no such signal, or its action cannot be changed.
pub fn action(signal: i32, new: Option<&SigAction>) -> Result<SigAction, Errno> {
    let mut old = SigAction::default();
    let new = new.map_or(0, |action| core::ptr::from_ref(action) as u64);
    let number = u64::from(signal.cast_unsigned());
    // SAFETY: both structures live during the call; the handlers are the runtime's, and the guest's own.
    unsafe { raw::syscall(k::__NR_rt_sigaction, [number, new, &raw mut old as u64, SIGSET_BYTES]) }.map(|_| old)
}

/// Gives a signal that is about to end the process its default action.
pub fn set_default(signal: i32) {
    let _ = action(signal, Some(&SigAction::default()));
}

/// Puts a signal into the calling thread's queue, with this information (rt_tgsigqueueinfo(2)).
///
/// # Errors
/// EAGAIN: the user's queue is full (RLIMIT_SIGPENDING).
pub fn queue_to_self(signal: i32, info: &SigInfo) -> Result<(), Errno> {
    queue_to_thread(getpid(), gettid(), signal, info)
}

/// Puts a signal into the queue of a thread of this process, with this information (rt_tgsigqueueinfo(2)).
///
/// # Errors
/// EPERM: only the kernel, or the thread itself, may say this. ESRCH: the thread is gone.
pub fn queue_to_thread(pid: u32, tid: u32, signal: i32, info: &SigInfo) -> Result<(), Errno> {
    let number = u64::from(signal.cast_unsigned());
    let info = core::ptr::from_ref(info) as u64;
    // SAFETY: the kernel only reads `info`.
    unsafe { raw::syscall(k::__NR_rt_tgsigqueueinfo, [u64::from(pid), u64::from(tid), number, info]) }.map(|_| ())
}

/// Sends a signal to the calling thread (tgkill(2)).
pub fn raise(signal: i32) {
    // SAFETY: integers.
    let _ = unsafe {
        raw::syscall(k::__NR_tgkill, [u64::from(getpid()), u64::from(gettid()), u64::from(signal.cast_unsigned())])
    };
}

/// Gives the calling thread a stack for its host signal handlers (sigaltstack(2)).
///
/// # Safety
/// The stack must be the thread's alone for as long as it lives.
pub unsafe fn set_alt_stack(stack: &AltStack) {
    // SAFETY: the caller's promise; the kernel reads the structure.
    let _ = unsafe { raw::syscall(k::__NR_sigaltstack, [core::ptr::from_ref(stack) as u64, 0]) };
}
