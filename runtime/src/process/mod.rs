//! Facts about this process image that outlive its start.

pub mod image;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

/// Descriptors that are ours: hidden from the guest.
pub static SELF_FD: AtomicI32 = AtomicI32::new(-1);
/// Where trace lines go, -1 without `--trace`.
pub static TRACE_FD: AtomicI32 = AtomicI32::new(-1);
/// The guest's program file, for `/proc/self/exe`.
pub static EXE_FD: AtomicI32 = AtomicI32::new(-1);

/// The device of engine `ring0`, -1 without it.
pub static RING0_FD: AtomicI32 = AtomicI32::new(-1);

/// The guest's end of the socket to the keeper, -1 without one.
pub static KEEPER_FD: AtomicI32 = AtomicI32::new(-1);

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
