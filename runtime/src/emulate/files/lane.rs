//! What is known of a promoted file.

use super::threads;
use crate::emulate::seeded::{Bug, is_planted};
use crate::emulate::watch::{self, Number};
use crate::gate::lane::Lane;
use crate::gate::lanes::{Code, set_code};
use crate::mem::lock::{Guard, Mutex};
use crate::sys::stat::{FileSystem, Stat};
use crate::sys::{Errno, Fd, process, time};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// What is known of a promoted description.
#[repr(C)]
pub struct FileLane {
    /// What the gate's assembly uses.
    pub lane: Lane,
    /// Bytes that are mapped.
    pub map_len: u64,
    /// The process has threads: what the assembly does is fit for them.
    pub is_threaded: bool,
    /// The offset is the process's own, and kept here. Without it only reads and writes at a place of their own are answered.
    pub has_offset: bool,
    /// It turned out that it is not.
    is_without: AtomicBool,
    /// One thread at a time makes a call that moves the offset, or waits for another to do so.
    serial: Mutex<()>,
    /// Reads that were made because it was time for one.
    pub real_reads: AtomicU64,
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
    /// The thread that began it.
    burst_thread: AtomicU32,
    /// `writes` of the lane when it began.
    begun_at: AtomicU64,
    /// Times that what is known was established once more.
    renewals: AtomicU64,
    /// Bursts in a row that did not pay.
    losses: AtomicU32,
    /// Writes that the kernel makes before the next one begins.
    wait: AtomicU32,
    /// `reads` of the lane at the last real access.
    seen_reads: AtomicU64,
    /// `writes`, likewise.
    seen_writes: AtomicU64,
    /// The process has itself made a change that ends the watch.
    pub changed_by_us: AtomicBool,
    /// Somebody reports.
    reports: AtomicBool,
}

/// Reads that a lane answers before one is made.
pub(super) const READS: u32 = 4096;
/// Writes after which a burst has paid for its beginning and end.
const WORTH: u64 = 64;
/// Writes that the kernel makes after the first burst that did not pay; four times as many after each further one.
const WAIT: u32 = 16;
/// Renewals before anybody asks what they gain.
const PATIENCE: u64 = 64;
/// Bursts in a row that may fail to pay.
const MAX_LOSSES: u32 = 5;

/// No epoch has this value: the kernel counts from 0.
static NEVER: AtomicU32 = AtomicU32::new(u32::MAX);

/// See [`FileLane::lock_offset`].
pub struct OffsetGuard<'a> {
    lane: &'a Lane,
    _serial: Guard<'a, ()>,
}

impl Drop for OffsetGuard<'_> {
    fn drop(&mut self) {
        self.lane.lock.store(0, Ordering::Release);
    }
}

impl FileLane {
    /// A lane for a file of this file system, that `watch` tells of.
    #[must_use]
    pub fn new(lane: Lane, watch: Number, file_system: FileSystem) -> Self {
        Self {
            lane,
            map_len: 0,
            is_threaded: threads::any(),
            has_offset: true,
            is_without: AtomicBool::new(false),
            serial: Mutex::new(()),
            real_reads: AtomicU64::new(0),
            watch: AtomicI32::new(watch.0),
            file_system,
            is_untimed: false,
            may_write: false,
            reads_are_free: AtomicBool::new(false),
            bursts: AtomicBool::new(false),
            burst_fd: AtomicI32::new(-1),
            burst_thread: AtomicU32::new(0),
            begun_at: AtomicU64::new(0),
            renewals: AtomicU64::new(0),
            losses: AtomicU32::new(0),
            wait: AtomicU32::new(0),
            seen_reads: AtomicU64::new(0),
            seen_writes: AtomicU64::new(0),
            changed_by_us: AtomicBool::new(false),
            reports: AtomicBool::new(false),
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
        let is_watched = !core::ptr::eq(self.lane.watch.load(Ordering::Relaxed), &raw const NEVER);
        is_watched && watch::is_now(self.lane.epoch.load(Ordering::Relaxed))
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
        self.use_code(reads, bursts);
    }

    /// Leaves everything but seeks to Rust.
    pub fn leave_to_rust(&self) {
        self.use_code(false, false);
    }

    fn use_code(&self, reads: bool, writes: bool) {
        let or_rust = |is_answered, code| if is_answered { code } else { Code::Rust };
        let code = if !self.is_threaded && self.has_offset {
            let [read, pread] = [Code::FileRead, Code::FilePread].map(|code| or_rust(reads, code));
            let [write, pwrite] = [Code::FileWrite, Code::FilePwrite].map(|code| or_rust(writes, code));
            [read, write, pread, pwrite, Code::FileLseek]
        } else {
            let [read, pread] = [Code::SharedRead, Code::SharedPread].map(|code| or_rust(reads, code));
            let [write, pwrite] = [Code::SharedWrite, Code::SharedPwrite].map(|code| or_rust(writes, code));
            if self.has_offset {
                [read, write, pread, pwrite, Code::SharedLseek]
            } else {
                // A write by the kernel has to be followed.
                [Code::SharedPass, Code::Rust, pread, pwrite, Code::SharedPass]
            }
        };
        self.lane.is_written.store(u32::from(writes), Ordering::SeqCst);
        set_code(&self.lane, code);
    }

    /// The offset stays where it is until the guard is gone. Who has it in the lane's code moves on at once, unless the kernel has
    /// taken its CPU away.
    pub fn lock_offset(&self) -> OffsetGuard<'_> {
        let serial = self.serial.lock();
        let mut tries = 0_u32;
        while self.is_threaded
            && !is_planted(Bug::OffsetWithoutLock)
            && self.lane.lock.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            tries += 1;
            match tries {
                0..100 => core::hint::spin_loop(),
                100..200 => process::sched_yield(),
                // Also where this thread may run always, and that one only without it (sched(7), SCHED_FIFO).
                _ => time::sleep(50_000),
            }
        }
        OffsetGuard { lane: &self.lane, _serial: serial }
    }

    /// Nobody finds what is known of the file true any more.
    pub fn end_facts(&self) {
        self.lane.watch.store((&raw const NEVER).cast_mut(), Ordering::SeqCst);
    }

    /// Reads and writes that were answered, as far as they are counted.
    #[must_use]
    pub fn answered(&self) -> u64 {
        let counted = self.lane.reads.load(Ordering::Relaxed) + self.lane.writes.load(Ordering::Relaxed);
        counted + self.real_reads.load(Ordering::Relaxed) * u64::from(READS)
    }

    /// A burst begins; nothing of it is to be reported yet.
    pub fn begin_burst(&self, fd: i32, thread: u32) {
        self.burst_thread.store(thread, Ordering::Relaxed);
        let (reads, writes) = (self.lane.reads.load(Ordering::Relaxed), self.lane.writes.load(Ordering::Relaxed));
        if !self.bursts.swap(true, Ordering::Relaxed) {
            self.begun_at.store(writes, Ordering::Relaxed);
            self.seen_reads.store(reads, Ordering::Relaxed);
        }
        self.burst_fd.store(fd, Ordering::Relaxed);
    }

    /// It is over, and reported. The file was changed, so reads move its access time. Returns whether another one is worth it.
    pub fn end_burst(&self) -> bool {
        self.bursts.store(false, Ordering::Relaxed);
        self.reads_are_free.store(false, Ordering::Relaxed);
        self.set_code();
        if self.lane.writes.load(Ordering::Relaxed) - self.begun_at.load(Ordering::Relaxed) >= WORTH {
            self.losses.store(0, Ordering::Relaxed);
            return true;
        }
        let losses = self.losses.fetch_add(1, Ordering::Relaxed);
        self.wait.store(WAIT << (2 * losses.min(MAX_LOSSES)), Ordering::Relaxed);
        losses < MAX_LOSSES
    }

    /// The kernel makes the next writes.
    pub fn wait_a_little(&self) {
        self.wait.store(WAIT, Ordering::Relaxed);
        self.set_code();
    }

    /// The kernel makes the file's writes, until there were enough for another burst.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.wait.load(Ordering::Relaxed) != 0 && !self.bursts.load(Ordering::Relaxed)
    }

    /// What is known is established once more. Returns whether that has been worth it so far.
    pub fn renewed(&self) -> bool {
        let times = self.renewals.fetch_add(1, Ordering::Relaxed);
        times < PATIENCE || self.answered() >= times * WORTH
    }

    /// The kernel has made one of the writes before the next burst. Returns whether there are more.
    pub fn waits(&self) -> bool {
        let left = self.wait.load(Ordering::Relaxed);
        self.wait.store(left.saturating_sub(1), Ordering::Relaxed);
        left != 0
    }

    /// The thread has begun the burst.
    pub fn is_written_by(&self, thread: u32) -> bool {
        self.burst_thread.load(Ordering::Relaxed) == thread
    }

    /// The descriptor by which it reports.
    pub fn burst_fd(&self) -> i32 {
        self.burst_fd.load(Ordering::Relaxed)
    }

    /// Makes real accesses if the lane answered any since the last one: times move and watchers are told as by write(2) and
    /// read(2). When it returns, what was written before has been told.
    pub fn report(&self, fd: i32) {
        while self.reports.swap(true, Ordering::Acquire) {
            // The signal handler of another thread, which is about to be done.
            process::sched_yield();
        }
        self.report_now(fd);
        self.reports.store(false, Ordering::Release);
    }

    /// The same in a signal handler, at any time. Returns whether something had been written, or somebody is about to tell of it.
    pub fn report_in_handler(&self, fd: i32) -> bool {
        if self.reports.swap(true, Ordering::Acquire) {
            return true;
        }
        let was_written = self.report_now(fd);
        self.reports.store(false, Ordering::Release);
        was_written
    }

    fn report_now(&self, fd: i32) -> bool {
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

    /// There is nothing to hand back: the kernel's offset was not taken.
    pub fn offset_was_never_ours(&self) {
        self.is_without.store(true, Ordering::Relaxed);
    }

    /// Moves the kernel's offset to ours.
    pub fn hand_back_offset(&self, fd: i32) {
        if !self.has_offset || self.is_without.load(Ordering::Relaxed) {
            return;
        }
        Fd(fd).seek_to(self.lane.offset.load(Ordering::Relaxed));
    }

    /// Takes the kernel's offset for ours.
    pub fn take_offset(&self, fd: i32) {
        if let Ok(offset) = Fd(fd).offset() {
            self.lane.offset.store(offset, Ordering::Relaxed);
        }
    }
}
