//! What each descriptor of the process is, as far as the emulation knows it.
//!
//! Only positive knowledge is kept: what is said of a descriptor holds until a call closes or replaces it, and all of these
//! calls come to Rust. About descriptors that appear by other ways (fcntl, recvmsg, …) nothing is said.

use super::lane;
use crate::policy;
use crate::sys::raw;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use linux_raw_sys::general as k;

/// Access mode of a description (open(2)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Access {
    /// O_RDONLY.
    ReadOnly = 0,
    /// O_WRONLY.
    WriteOnly = 1,
    /// O_RDWR.
    ReadWrite = 2,
}

/// F_GETFL (fcntl(2)).
#[must_use]
pub fn flags(fd: i32) -> Option<u32> {
    // SAFETY: reads the description's flags.
    let flags = unsafe { raw::syscall(k::__NR_fcntl, [u64::from(fd.cast_unsigned()), u64::from(k::F_GETFL)]) };
    flags.ok().and_then(|flags| u32::try_from(flags).ok())
}

/// The access mode of a descriptor that can be read or written at all.
#[must_use]
pub fn access(fd: i32) -> Option<Access> {
    let flags = flags(fd)?;
    match flags & k::O_ACCMODE {
        _ if flags & k::O_PATH != 0 => None,
        k::O_RDONLY => Some(Access::ReadOnly),
        k::O_WRONLY => Some(Access::WriteOnly),
        k::O_RDWR => Some(Access::ReadWrite),
        _ => None,
    }
}

/// Another process shares the descriptors: nothing is known of them any more.
static SHARED: AtomicBool = AtomicBool::new(false);
/// The gate asks lanes.
static ASKING: AtomicBool = AtomicBool::new(false);
/// The highest descriptor that has a lane.
static HIGHEST: AtomicI32 = AtomicI32::new(-1);

/// Descriptors may have lanes.
#[must_use]
pub fn are_known() -> bool {
    !SHARED.load(Ordering::Relaxed)
}

/// The gate is to ask lanes.
#[must_use]
pub fn are_asked() -> bool {
    ASKING.load(Ordering::Relaxed)
}

/// A descriptor has got a lane.
pub fn note_lane(fd: i32) {
    HIGHEST.fetch_max(fd, Ordering::Relaxed);
    if !ASKING.swap(true, Ordering::Relaxed) {
        policy::apply();
    }
}

/// Another process will share the table of descriptors (CLONE_FILES), or change it behind our back.
pub fn give_up() {
    if !SHARED.swap(true, Ordering::Relaxed) {
        forget(0, i32::MAX);
        ASKING.store(false, Ordering::Relaxed);
        policy::apply();
    }
}

/// Descriptors in this range are about to be closed.
pub fn forget(first: i32, last: i32) {
    for fd in first.max(0)..=last.min(HIGHEST.load(Ordering::Relaxed)) {
        lane::set(fd, core::ptr::null_mut());
    }
}

/// `new` is a duplicate of `old` now.
pub fn duplicated(old: i32, new: i32) {
    if old != new && are_known() {
        let lane = lane::get(old);
        if !lane.is_null() || !lane::get(new).is_null() {
            lane::set(new, lane);
            HIGHEST.fetch_max(new, Ordering::Relaxed);
        }
    }
}
