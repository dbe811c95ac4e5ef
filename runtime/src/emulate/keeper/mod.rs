//! The keeper: a process that gives leases up (runtime/COHERENCE.md). This is the guest's side of it; [`body`] is its own.

pub mod body;
mod protocol;

use crate::gate::routes::note_own_descriptors;
use crate::process::KEEPER_FD;
use crate::process::descriptors::move_up;
use crate::sys::Errno;
use crate::sys::raw;
use crate::sys::signal::set_mask;
use core::sync::atomic::{AtomicI32, Ordering};
use linux_raw_sys::{general as k, net};

use super::files::lane::FileLane;
use protocol::{Control, Header, Request, Verb};

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
    let mut pair = [0i32; 2];
    let kind = u64::from(net::SOCK_SEQPACKET | k::O_CLOEXEC);
    // SAFETY: socketpair(2) writes two descriptors.
    unsafe { raw::syscall(k::__NR_socketpair, [u64::from(net::AF_UNIX), kind, 0, pair.as_mut_ptr() as u64])? };
    let [own, theirs] = pair;
    let stack = match raw::mmap_own(STACK_BYTES, k::PROT_READ | k::PROT_WRITE, k::MAP_NORESERVE) {
        Ok(stack) => stack,
        Err(e) => {
            raw::close(own);
            raw::close(theirs);
            return Err(e);
        }
    };
    let mask = set_mask(!0);
    // SAFETY: a stack of its own; signals are blocked.
    let pid = raw::check(unsafe { body::spawn(stack + STACK_BYTES, u64::from(theirs.cast_unsigned())) });
    set_mask(mask);
    raw::close(theirs);
    let pid = match pid.map(i32::try_from) {
        Ok(Ok(pid)) => pid,
        other => {
            raw::close(own);
            // SAFETY: nobody runs on it.
            unsafe { raw::munmap(stack, STACK_BYTES) };
            return Err(other.err().unwrap_or(Errno::ENOMEM));
        }
    };
    PID.store(pid, Ordering::Relaxed);
    let high = move_up(own).unwrap_or(own);
    if high != own {
        raw::close(own);
    }
    KEEPER_FD.store(high, Ordering::Relaxed);
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
    let request = Request { verb: verb as u64, lane };
    let iov = [&raw const request as u64, size_of::<Request>() as u64];
    let control = Control::new(fd.unwrap_or(-1));
    let header = Header {
        name: 0,
        name_len: 0,
        iov: iov.as_ptr() as u64,
        iov_len: 1,
        control: if fd.is_some() { &raw const control as u64 } else { 0 },
        control_len: if fd.is_some() { size_of::<Control>() as u64 } else { 0 },
        flags: 0,
    };
    let socket = u64::from(KEEPER_FD.load(Ordering::Relaxed).cast_unsigned());
    loop {
        // SAFETY: the structures live during the call.
        let sent =
            unsafe { raw::syscall(k::__NR_sendmsg, [socket, &raw const header as u64, u64::from(net::MSG_NOSIGNAL)]) };
        match sent {
            Err(Errno::EINTR) => {}
            other => return other.map(|_| ()),
        }
    }
}

/// The keeper's answer; `None` if it is gone.
fn answer() -> Option<u64> {
    let socket = u64::from(KEEPER_FD.load(Ordering::Relaxed).cast_unsigned());
    let mut word = 0u64;
    loop {
        // SAFETY: at most eight bytes are written.
        match unsafe { raw::syscall(k::__NR_read, [socket, &raw mut word as u64, 8]) } {
            Ok(8) => return Some(word),
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
        Some(errno) => Err(Errno(u16::try_from(errno).unwrap_or(22))),
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
    raw::close(KEEPER_FD.swap(-1, Ordering::Relaxed));
    let pid = u64::from(pid.cast_unsigned());
    // SAFETY: the process is our child and not waited for yet, so the number is its own.
    unsafe {
        let _ = raw::syscall(k::__NR_kill, [pid, 9]);
        while raw::syscall(k::__NR_wait4, [pid, 0, u64::from(k::__WALL), 0]) == Err(Errno::EINTR) {}
        raw::munmap(STACK.swap(0, Ordering::Relaxed), STACK_BYTES);
    }
}

/// In the child of a fork: the keeper is the parent's.
pub fn forget() {
    if PID.swap(0, Ordering::Relaxed) != 0 {
        raw::close(KEEPER_FD.swap(-1, Ordering::Relaxed));
        // SAFETY: the keeper's stack is the parent's; nobody uses this copy.
        unsafe { raw::munmap(STACK.swap(0, Ordering::Relaxed), STACK_BYTES) };
    }
}
