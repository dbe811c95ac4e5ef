//! Facts about this process image that outlive its start.

pub mod descriptors;
pub mod filter;
pub mod image;
pub mod policy;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicPtr, Ordering};

pub use descriptors::{EXE_FD, INOTIFY_FD, MOUNTS_ASKED_FD, MOUNTS_FD, RING0_FD, SELF_FD, TRACE_FD, WATCH_FD};

static EXE_PATH: AtomicPtr<Vec<u8>> = AtomicPtr::new(core::ptr::null_mut());

/// Path of the guest's program.
#[must_use]
pub fn exe_path() -> &'static [u8] {
    let path = EXE_PATH.load(Ordering::Acquire);
    // SAFETY: leaked by `set_exe_path`, never changed.
    if path.is_null() { b"" } else { unsafe { &*path } }
}

/// Sets the path, once, at start.
pub fn set_exe_path(path: &[u8]) {
    let leaked = alloc::boxed::Box::leak(alloc::boxed::Box::new(path.to_vec()));
    EXE_PATH.store(core::ptr::from_mut(leaked), Ordering::Release);
}
