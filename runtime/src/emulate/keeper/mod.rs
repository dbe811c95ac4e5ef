//! The keeper: a process that gives leases up (runtime/COHERENCE.md). This is the guest's side of it; [`body`] is its
//! own.

pub mod body;
mod protocol;

use crate::gate::routes::note_own_descriptors;
use crate::process::KEEPER_FD;
use crate::process::descriptors::keep_high;
use crate::sys::signal::set_mask;
use crate::sys::{Errno, Fd, mem, process, raw, socket};
use core::sync::atomic::{AtomicI32, Ordering};
use linux_raw_sys::general as k;

use super::files::lane::FileLane;
use protocol::{Request, Verb};

/// Process id of the keeper, 0 without one.
static PID: AtomicI32 = AtomicI32::new(0);

/// There is a keeper.
#[must_use]
pub fn exists() -> bool {
    PID.load(Ordering::Relaxed) != 0
}

/// Bytes of the keeper's stack.
const STACK_BYTES: u64 = 32 * 1024;

/// Makes the keeper, if there is none yet.
pub fn start() -> Result<(), Errno> {
    if exists() {
        return Ok(());
    }
    body::register_barrier()?;
    let [own, theirs] = socket::pair()?;
    let stack = match mem::mmap_own(STACK_BYTES, k::PROT_READ | k::PROT_WRITE, k::MAP_NORESERVE) {
        Ok(stack) => stack,
        Err(e) => {
            own.close();
            theirs.close();
            return Err(e);
        }
    };
    let mask = set_mask(!0);
    // SAFETY: a stack of its own; signals are blocked.
    let pid = raw::check(unsafe { body::spawn(stack + STACK_BYTES, u64::from(theirs.0.cast_unsigned())) });
    set_mask(mask);
    theirs.close();
    let pid = match pid.map(i32::try_from) {
        Ok(Ok(pid)) => pid,
        other => {
            own.close();
            // SAFETY: nobody runs on it.
            unsafe { mem::munmap_own(stack, STACK_BYTES) };
            return Err(other.err().unwrap_or(Errno::ENOMEM));
        }
    };
    PID.store(pid, Ordering::Relaxed);
    KEEPER_FD.store(keep_high(own), Ordering::Relaxed);
    note_own_descriptors();
    STACK.store(stack, Ordering::Relaxed);
    // It is ready when it has closed its copies of our descriptors.
    match answer() {
        Some(0) => Ok(()),
        _ => {
            dismiss();
            Err(Errno::ENOSYS)
        }
    }
}

static STACK: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);

/// Sends a request; with `fd`, a duplicate of it.
fn send(verb: Verb, lane: *mut FileLane, fd: Option<i32>) -> Result<(), Errno> {
    socket::send(own_end(), &Request { verb: verb as u64, lane }, fd.map(Fd))
}

/// The process's end of the socket.
fn own_end() -> Fd {
    Fd(KEEPER_FD.load(Ordering::Relaxed))
}

/// The keeper's answer; `None` if it is gone.
fn answer() -> Option<u64> {
    let mut word = [0u8; 8];
    loop {
        match own_end().read(&mut word) {
            Ok(8) => return Some(u64::from_ne_bytes(word)),
            Err(Errno::EINTR) => {}
            _ => return None,
        }
    }
}

/// Hands a description over and has a lease taken on it.
pub fn keep(lane: *mut FileLane, fd: i32) -> Result<(), Errno> {
    send(Verb::Keep, lane, Some(fd))?;
    match answer() {
        Some(0) => Ok(()),
        Some(errno) => Err(Errno::of(u16::try_from(errno).unwrap_or(22))),
        None => Err(Errno::EPIPE),
    }
}

/// Has the keeper close its duplicate.
pub fn drop_lane(lane: *mut FileLane) {
    if send(Verb::Drop, lane, None).is_ok() {
        let _ = answer();
    }
}

/// Ticks are wanted again.
pub fn stir(lane: *mut FileLane) {
    let _ = send(Verb::Stir, lane, None);
}

/// Ends the keeper and waits for its end. It must keep no lane any more.
pub fn dismiss() {
    let pid = PID.swap(0, Ordering::Relaxed);
    if pid == 0 {
        return;
    }
    Fd(KEEPER_FD.swap(-1, Ordering::Relaxed)).close();
    // It is our child and has not been waited for yet, so the number is its own.
    process::end_child(pid);
    // SAFETY: nobody runs on it any more.
    unsafe { mem::munmap_own(STACK.swap(0, Ordering::Relaxed), STACK_BYTES) };
}

/// In the child of a fork: the keeper is the parent's.
pub fn forget() {
    if PID.swap(0, Ordering::Relaxed) != 0 {
        Fd(KEEPER_FD.swap(-1, Ordering::Relaxed)).close();
        // SAFETY: the keeper's stack is the parent's; nobody uses this copy.
        unsafe { mem::munmap_own(STACK.swap(0, Ordering::Relaxed), STACK_BYTES) };
    }
}
