//! The promoted files of the process.

use super::lane::FileLane;
use crate::gate::lane::{self, Kind};
use crate::mem::lock::Mutex;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

/// A lane in the list.
pub(super) struct Place(pub(super) *mut FileLane);
// SAFETY: the list owns the lanes; they are used under its lock, or through atomics.
unsafe impl Send for Place {}

/// See [`FILES`].
pub(super) struct Files {
    pub(super) lanes: Vec<Place>,
    pub(super) mapped_bytes: u64,
}

/// All of them.
pub(super) static FILES: Mutex<Files> = Mutex::new(Files { lanes: Vec::new(), mapped_bytes: 0 });
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
    // SAFETY: a lane in the table exists; this thread is the only one that dismantles lanes.
    if lane.is_null() || unsafe { (*lane).kind } != Kind::File {
        return None;
    }
    // SAFETY: a lane of this kind is the first field of a `FileLane`.
    Some(unsafe { &*lane.cast::<FileLane>() })
}
