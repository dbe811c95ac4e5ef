//! The promoted files of the process.

use super::lane::FileLane;
use crate::gate::lane::{self, Kind};
use crate::mem::lock::{Guard, Mutex};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

/// A lane in the list.
pub(super) struct Place(pub(super) *mut FileLane);
// SAFETY: the list owns the lanes; they are used under its lock, or through atomics.
unsafe impl Send for Place {}

/// A lane that no descriptor leads to any more, in a process with threads: one of them may still be in its code.
pub(super) struct Retired {
    pub(super) place: Place,
    /// By which it was found.
    pub(super) fd: i32,
}

/// See [`FILES`].
pub(super) struct Files {
    pub(super) lanes: Vec<Place>,
    pub(super) mapped_bytes: u64,
    pub(super) retired: Vec<Retired>,
}

/// All of them.
pub(super) static FILES: Mutex<Files> = Mutex::new(Files { lanes: Vec::new(), mapped_bytes: 0, retired: Vec::new() });
/// Who makes, renews or dismantles lanes, or begins or ends bursts: one thread at a time. Before `FILES`, and before the lock
/// of an offset.
static WORK: Mutex<()> = Mutex::new(());

/// This thread is the one.
pub struct Work(#[expect(dead_code, reason = "held")] Guard<'static, ()>);

/// Waits until no other thread is at work.
#[must_use]
pub fn work() -> Work {
    Work(WORK.lock())
}

/// The same, if none is.
#[must_use]
pub fn try_work() -> Option<Work> {
    WORK.try_lock().map(Work)
}

/// Lanes that exist.
pub(super) static COUNT: AtomicU32 = AtomicU32::new(0);

/// Some lane exists.
#[must_use]
pub fn any() -> bool {
    COUNT.load(Ordering::Relaxed) != 0
}

/// The file's lane of a descriptor.
#[must_use]
pub fn get(fd: i32) -> Option<&'static FileLane> {
    let lane = lane::get(fd);
    // SAFETY: a lane in the table exists; this thread says that it uses it, or is the only one.
    if lane.is_null() || unsafe { (*lane).kind } != Kind::File {
        return None;
    }
    // SAFETY: a lane of this kind is the first field of a `FileLane`.
    Some(unsafe { &*lane.cast::<FileLane>() })
}
