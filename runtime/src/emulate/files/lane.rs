//! What is known of a promoted file, shared by the process and its keeper.

use crate::emulate::watch::Number;
use crate::gate::lane::Lane;
use crate::sys::Fd;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// What is known of a promoted description. The keeper reads and writes its atomic fields.
#[repr(C)]
pub struct FileLane {
    /// What the gate's assembly uses.
    pub lane: Lane,
    /// Bytes that are mapped.
    pub map_len: u64,
    /// What tells of changes: a watch, or a lease without one.
    pub watch: Option<Number>,
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

impl FileLane {
    /// What is known of the file may be used.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let word = self.lane.watch.load(Ordering::Relaxed);
        // SAFETY: the lane's own state, or the tail of the ring, which exists as long as a lane is watched.
        !word.is_null() && unsafe { (*word).load(Ordering::Acquire) } == self.lane.epoch.load(Ordering::Relaxed)
    }

    /// Makes a real access if the lane was used since the last one: times move and watchers are told as a read or write
    /// does it. Returns whether it was used. Under a watch nothing is due: reads move no times, or are not answered.
    pub fn touch(&self, fd: i32) -> bool {
        if self.watch.is_some() {
            return false;
        }
        let (reads, writes) = (self.lane.reads.load(Ordering::Relaxed), self.lane.writes.load(Ordering::Relaxed));
        let was_read = self.seen_reads.swap(reads, Ordering::Relaxed) != reads;
        let was_written = self.seen_writes.swap(writes, Ordering::Relaxed) != writes;
        if was_read {
            let mut byte = [0u8];
            let _ = Fd(fd).read_at(&mut byte, 0);
        }
        if was_written {
            let times = [[0, i64::from(k::UTIME_OMIT)], [0, i64::from(k::UTIME_NOW)]];
            Fd(fd).set_times(times);
        }
        was_read || was_written
    }

    /// Moves the kernel's offset to ours.
    pub fn hand_back_offset(&self, fd: i32) {
        Fd(fd).seek_to(self.lane.offset.load(Ordering::Relaxed));
    }

    /// Takes the kernel's offset for ours.
    pub fn take_offset(&self, fd: i32) {
        if let Ok(offset) = Fd(fd).offset() {
            self.lane.offset.store(offset, Ordering::Relaxed);
        }
    }
}
