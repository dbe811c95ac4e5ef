//! Regular files that are read and written in small pieces, answered from a shared mapping (runtime/COHERENCE.md).

pub mod calls;
pub mod promote;

use super::descriptors;
use super::keeper;
use super::seeded::{Bug, is_planted};
use crate::gate::facts::Fact;
use crate::gate::lane;
use crate::gate::lane::{Kind, Lane, REVOKED};
use crate::gate::routes::learn;
use crate::mem::lock::Mutex;
use crate::sys::raw;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// What is known of a promoted description. The keeper reads and writes its atomic fields.
#[repr(C)]
pub struct FileLane {
    /// What the gate's assembly uses.
    pub lane: Lane,
    /// Bytes that are mapped.
    map_len: u64,
    /// F_RDLCK or F_WRLCK.
    pub wanted_lease: u32,
    /// The lease that is held; F_UNLCK when it was given up.
    pub lease: AtomicU32,
    /// The keeper's descriptor.
    pub keeper_fd: AtomicI32,
    /// The keeper looks after the lane at every tick.
    pub ticking: AtomicU32,
    /// Ticks since the last access.
    pub idle: AtomicU32,
    /// `reads` of the lane at the last real access.
    pub seen_reads: AtomicU64,
    /// `writes`, likewise.
    pub seen_writes: AtomicU64,
}

struct Place(*mut FileLane);
// SAFETY: the list owns the lanes; they are used under its lock, or by the keeper through atomics.
unsafe impl Send for Place {}

struct Files {
    lanes: Vec<Place>,
    mapped_bytes: u64,
}

static FILES: Mutex<Files> = Mutex::new(Files { lanes: Vec::new(), mapped_bytes: 0 });
/// Lanes that exist.
static COUNT: AtomicU32 = AtomicU32::new(0);

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

impl FileLane {
    /// Makes a real access if the lane was used since the last one: times move and watchers are told as a read or write does it.
    /// Returns whether it was used.
    pub fn touch(&self, fd: i32) -> bool {
        let (reads, writes) = (self.lane.reads.load(Ordering::Relaxed), self.lane.writes.load(Ordering::Relaxed));
        let fd = u64::from(fd.cast_unsigned());
        let was_read = self.seen_reads.swap(reads, Ordering::Relaxed) != reads;
        let was_written = self.seen_writes.swap(writes, Ordering::Relaxed) != writes;
        if was_read {
            let mut byte = 0u8;
            // SAFETY: one byte of the stack.
            let _ = unsafe { raw::syscall(k::__NR_pread64, [fd, &raw mut byte as u64, 1, 0]) };
        }
        if was_written {
            let times = [[0, i64::from(k::UTIME_OMIT)], [0, i64::from(k::UTIME_NOW)]];
            // SAFETY: the structures live during the call; without a path the descriptor's file is meant (futimens(3)).
            let _ = unsafe { raw::syscall(k::__NR_utimensat, [fd, 0, times.as_ptr() as u64, 0]) };
        }
        was_read || was_written
    }

    /// Moves the kernel's offset to ours.
    pub fn hand_back_offset(&self, fd: i32) {
        let offset = self.lane.offset.load(Ordering::Relaxed);
        // SAFETY: integers. SEEK_SET = 0.
        let _ = unsafe { raw::syscall(k::__NR_lseek, [u64::from(fd.cast_unsigned()), offset, 0]) };
    }

    /// Takes the kernel's offset for ours.
    pub fn take_offset(&self, fd: i32) {
        // SAFETY: integers. SEEK_CUR = 1.
        if let Ok(offset) = unsafe { raw::syscall(k::__NR_lseek, [u64::from(fd.cast_unsigned()), 0, 1]) } {
            self.lane.offset.store(offset, Ordering::Relaxed);
        }
    }
}

/// Gives a description back to the kernel. `fd` is one of its descriptors.
pub fn dismantle(fd: i32) {
    let Some(file) = get(fd) else { return };
    let this = core::ptr::from_ref(file).cast_mut();
    descriptors::clear_lane(&raw const file.lane);
    file.lane.state.fetch_or(REVOKED, Ordering::SeqCst);
    file.touch(fd);
    if !is_planted(Bug::DropOffsetHandBack) {
        file.hand_back_offset(fd);
    }
    let number = u64::from(fd.cast_unsigned());
    file.lease.store(k::F_UNLCK, Ordering::Relaxed);
    // SAFETY: integers; the mapping is ours, and nobody uses it: the process has one thread.
    unsafe {
        let _ = raw::syscall(k::__NR_fcntl, [number, u64::from(k::F_SETLEASE), u64::from(k::F_UNLCK)]);
        let _ = raw::syscall(k::__NR_fcntl, [number, u64::from(k::F_SETOWN), 0]);
        raw::munmap(file.lane.base.load(Ordering::Relaxed), file.map_len);
    }
    keeper::drop_lane(this);
    let answered = file.lane.reads.load(Ordering::Relaxed) + file.lane.writes.load(Ordering::Relaxed);
    promote::learn_from(answered);
    let mut files = FILES.lock();
    files.mapped_bytes -= file.map_len;
    files.lanes.retain(|place| place.0 != this);
    COUNT.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: made by `Box::into_raw`; the keeper has dropped it and no descriptor leads to it.
    drop(unsafe { Box::from_raw(this) });
}

/// Gives all of them back.
pub fn dismantle_all() {
    while any() {
        let Some(fd) = descriptors::find_lane(|lane| lane.kind == Kind::File) else { return };
        dismantle(fd);
    }
}

/// Makes the real accesses that are still to be made for writes: somebody looks at times.
pub fn touch_all() {
    for place in &FILES.lock().lanes {
        // SAFETY: lanes in the list exist.
        let file = unsafe { &*place.0 };
        if file.seen_writes.load(Ordering::Relaxed) != file.lane.writes.load(Ordering::Relaxed)
            && let Some(fd) = descriptors::find_lane(|lane| core::ptr::eq(lane, &raw const file.lane))
        {
            file.touch(fd);
        }
    }
}

/// A second thread is about to be made.
pub fn begin_threads() {
    dismantle_all();
    learn(Fact::Threaded, true);
}

/// Address ranges of the mappings.
pub fn for_each_mapping(mut f: impl FnMut(u64, u64)) {
    for place in &FILES.lock().lanes {
        // SAFETY: lanes in the list exist.
        let file = unsafe { &*place.0 };
        let base = file.lane.base.load(Ordering::Relaxed);
        f(base, base + file.map_len);
    }
}
