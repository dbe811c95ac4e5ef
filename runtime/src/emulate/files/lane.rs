//! What is known of a promoted file.

use crate::emulate::watch::Number;
use crate::gate::lane::Lane;
use crate::gate::lanes::{Code, set_code};
use crate::sys::stat::{FileSystem, Stat};
use crate::sys::{Errno, Fd};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// What is known of a promoted description.
#[repr(C)]
pub struct FileLane {
    /// What the gate's assembly uses.
    pub lane: Lane,
    /// Bytes that are mapped.
    pub map_len: u64,
    /// A [`Number`]: what tells of changes.
    watch: AtomicI32,
    /// Its file system, as it was mounted.
    pub file_system: FileSystem,
    /// Reads move no times, however the file system is mounted (open(2), O_NOATIME).
    pub is_untimed: bool,
    /// The mapping can be written, and so may be the file.
    pub may_write: bool,
    /// A read moves no time of the file now.
    pub reads_are_free: AtomicBool,
    /// A burst is under way (`files::burst`), by this descriptor.
    pub bursts: AtomicBool,
    /// See `bursts`.
    burst_fd: AtomicI32,
    /// `writes` of the lane when it began.
    begun_at: AtomicU64,
    /// `reads` of the lane at the last real access.
    seen_reads: AtomicU64,
    /// `writes`, likewise.
    seen_writes: AtomicU64,
    /// The process has itself made a change that ends the watch.
    pub changed_by_us: AtomicBool,
}

impl FileLane {
    /// A lane for a file of this file system, that `watch` tells of.
    #[must_use]
    pub fn new(lane: Lane, watch: Number, file_system: FileSystem) -> Self {
        Self {
            lane,
            map_len: 0,
            watch: AtomicI32::new(watch.0),
            file_system,
            is_untimed: false,
            may_write: false,
            reads_are_free: AtomicBool::new(false),
            bursts: AtomicBool::new(false),
            burst_fd: AtomicI32::new(-1),
            begun_at: AtomicU64::new(0),
            seen_reads: AtomicU64::new(0),
            seen_writes: AtomicU64::new(0),
            changed_by_us: AtomicBool::new(false),
        }
    }

    /// What tells of changes.
    #[must_use]
    pub fn watch(&self) -> Number {
        Number(self.watch.load(Ordering::Relaxed))
    }

    /// Something else tells of changes now.
    pub fn set_watch(&self, watch: Number) {
        self.watch.store(watch.0, Ordering::Relaxed);
    }

    /// What is known of the file may be used.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let word = self.lane.watch.load(Ordering::Relaxed);
        // SAFETY: the tail of the ring, which exists as long as a lane is watched.
        !word.is_null() && unsafe { (*word).load(Ordering::Acquire) } == self.lane.epoch.load(Ordering::Relaxed)
    }

    /// A read moves no time of a file that is as `stat` says.
    #[must_use]
    pub fn are_reads_free(&self, stat: &Stat) -> bool {
        self.is_untimed || self.file_system.moves_no_access_time(stat)
    }

    /// Has the assembly answer what it may: in a burst everything, else reads that move no time.
    pub fn set_code(&self) {
        let bursts = self.bursts.load(Ordering::Relaxed);
        let reads = bursts || self.reads_are_free.load(Ordering::Relaxed);
        let [read, pread] = if reads { [Code::FileRead, Code::FilePread] } else { [Code::Rust; 2] };
        let [write, pwrite] = if bursts { [Code::FileWrite, Code::FilePwrite] } else { [Code::Rust; 2] };
        set_code(&self.lane, [read, write, pread, pwrite, Code::FileLseek]);
    }

    /// Leaves everything but seeks to Rust.
    pub fn leave_to_rust(&self) {
        set_code(&self.lane, [Code::Rust, Code::Rust, Code::Rust, Code::Rust, Code::FileLseek]);
    }

    /// A burst begins; nothing of it is to be reported yet.
    pub fn begin_burst(&self, fd: i32) {
        let (reads, writes) = (self.lane.reads.load(Ordering::Relaxed), self.lane.writes.load(Ordering::Relaxed));
        if !self.bursts.swap(true, Ordering::Relaxed) {
            self.begun_at.store(writes, Ordering::Relaxed);
            self.seen_reads.store(reads, Ordering::Relaxed);
        }
        self.burst_fd.store(fd, Ordering::Relaxed);
    }

    /// It is over, and reported. The file was changed, so reads move its access time. Returns how many writes it had.
    pub fn end_burst(&self) -> u64 {
        self.bursts.store(false, Ordering::Relaxed);
        self.reads_are_free.store(false, Ordering::Relaxed);
        self.set_code();
        self.lane.writes.load(Ordering::Relaxed) - self.begun_at.load(Ordering::Relaxed)
    }

    /// The descriptor by which it reports.
    pub fn burst_fd(&self) -> i32 {
        self.burst_fd.load(Ordering::Relaxed)
    }

    /// Makes real accesses if the lane answered any since the last one: times move and watchers are told as by write(2) and
    /// read(2). Returns whether something had been written. A signal handler may do it at any time.
    pub fn report(&self, fd: i32) -> bool {
        let (reads, writes) = (self.lane.reads.load(Ordering::Relaxed), self.lane.writes.load(Ordering::Relaxed));
        let was_read = self.seen_reads.swap(reads, Ordering::Relaxed) != reads;
        let was_written = self.seen_writes.swap(writes, Ordering::Relaxed) != writes;
        if was_written {
            let _ = self.touch(fd);
        }
        // Reads that move no time and that nobody waits for are told one in so many.
        if was_read && self.bursts.load(Ordering::Relaxed) {
            let mut byte = [0u8];
            let _ = Fd(fd).read_at(&mut byte, 0);
        }
        was_written
    }

    /// Moves the times of the file as a write does, and tells of it (IN_MODIFY; fs/attr.c, notify_change).
    ///
    /// # Errors
    /// The kernel's: who has a description for writing need not have the right to do this any more.
    pub fn touch(&self, fd: i32) -> Result<(), Errno> {
        self.changed_by_us.store(true, Ordering::Relaxed);
        Fd(fd).set_times([[0, i64::from(k::UTIME_OMIT)], [0, i64::from(k::UTIME_NOW)]])
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
