//! A lane: what the gate's assembly knows of an open file description, and by which descriptors it is found.

use crate::process::image;
use crate::sys::{mem, process};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// Descriptors below this number can have a lane.
pub const DESCRIPTORS: usize = 1 << 16;

/// The lane of each descriptor, or null.
pub static LANES: [AtomicPtr<Lane>; DESCRIPTORS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; DESCRIPTORS];

/// Which description a descriptor that this process made leads to, in the form of `emulate::descriptors`; 0 is unknown.
pub static DESCRIPTIONS: [AtomicU32; DESCRIPTORS] = [const { AtomicU32::new(0) }; DESCRIPTORS];
/// Data that bt-run has before [`leave_data`], the tables and some: a limit below it (RLIMIT_DATA) ends it at the exec.
pub const START_DATA_BYTES: u64 =
    (DESCRIPTORS * (size_of::<AtomicPtr<Lane>>() + size_of::<AtomicU32>())) as u64 + (128 << 10);

/// Has the tables, nearly all of the runtime's image, and what lies after them not count as data, which is the guest's
/// to use up (RLIMIT_DATA).
///
/// # Safety
/// Before the first variable is written that begins as zero.
pub unsafe fn leave_data() {
    if process::soft_limit(k::RLIMIT_DATA) == u64::MAX {
        return;
    }
    let start = (LANES.as_ptr() as u64).min(DESCRIPTIONS.as_ptr() as u64).next_multiple_of(4096);
    let (_, end) = image::range();
    // SAFETY: whole pages of zeros: the linker puts what begins as zero last.
    unsafe { mem::map_anew(start, end - start) };
}

/// The next description's number.
pub static NEXT_DESCRIPTION: AtomicU32 = AtomicU32::new(1);

/// How a description's calls are answered.
#[repr(C, align(64))]
pub struct Lane {
    /// Code for read, write, pread64, pwrite64, lseek.
    code: [AtomicU64; 5],
    /// Calls that the lane of a device, and reads that that of a file, answers before one is made.
    pub budget: AtomicU32,
    /// Where the file is mapped.
    pub base: AtomicU64,
    /// The file's size, in bytes.
    pub size: AtomicU64,
    /// The description's offset, kept here instead of in the kernel.
    pub offset: AtomicU64,
    /// Operations answered, by direction.
    pub reads: AtomicU64,
    /// See `reads`.
    pub writes: AtomicU64,
    /// What is known of a file is true while this word, the tail of a ring, has the value `epoch` (`emulate::watch`).
    pub watch: AtomicPtr<AtomicU32>,
    /// See `watch`.
    pub epoch: AtomicU32,
    /// What it is the lane of.
    pub kind: Kind,
}

/// What a lane answers for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// /dev/null or /dev/zero.
    Device,
    /// A regular file: the lane is the first field of a `FileLane` (`emulate::files`).
    File,
    /// An end of a pipe: `base` is its `Ring` (`emulate::pipes::pipe`).
    Pipe,
    /// An eventfd.
    Event,
}

/// Byte offsets that the assembly uses.
pub mod offset {
    #![allow(missing_docs, reason = "named after the fields")]
    use super::Lane;
    use core::mem::offset_of;
    pub const READ: usize = offset_of!(Lane, code);
    pub const WRITE: usize = READ + 8;
    pub const PREAD: usize = READ + 16;
    pub const PWRITE: usize = READ + 24;
    pub const LSEEK: usize = READ + 32;
    pub const WATCH: usize = offset_of!(Lane, watch);
    pub const EPOCH: usize = offset_of!(Lane, epoch);
    pub const BUDGET: usize = offset_of!(Lane, budget);
    pub const BASE: usize = offset_of!(Lane, base);
    pub const SIZE: usize = offset_of!(Lane, size);
    pub const OFFSET: usize = offset_of!(Lane, offset);
    pub const READS: usize = offset_of!(Lane, reads);
    pub const WRITES: usize = offset_of!(Lane, writes);
}

impl Lane {
    /// A lane with code at these addresses for read, write, pread64, pwrite64 and lseek.
    #[must_use]
    pub(super) fn new(kind: Kind, code: [u64; 5]) -> Self {
        Self {
            code: code.map(AtomicU64::new),
            budget: AtomicU32::new(0),
            base: AtomicU64::new(0),
            size: AtomicU64::new(0),
            offset: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            watch: AtomicPtr::new(core::ptr::null_mut()),
            epoch: AtomicU32::new(0),
            kind,
        }
    }

    /// Other code for these calls from now on.
    pub(super) fn set_code(&self, code: [u64; 5]) {
        for (slot, code) in self.code.iter().zip(code) {
            slot.store(code, Ordering::Relaxed);
        }
    }
}

fn slot(fd: i32) -> Option<&'static AtomicPtr<Lane>> {
    usize::try_from(fd).ok().and_then(|fd| LANES.get(fd))
}

/// The lane of a descriptor.
#[must_use]
pub fn get(fd: i32) -> *mut Lane {
    slot(fd).map_or(core::ptr::null_mut(), |slot| slot.load(Ordering::Relaxed))
}

/// Sets the lane of a descriptor. Returns whether it can have one.
pub fn set(fd: i32, lane: *mut Lane) -> bool {
    let Some(slot) = slot(fd) else { return false };
    slot.store(lane, Ordering::Relaxed);
    true
}

/// What the assembly knows of a pipe's contents: while one slot is used at most, this describes all of them. The first
/// field of a ring (`emulate::pipes::pipe`).
#[repr(C)]
#[derive(Debug)]
pub struct RingHead {
    /// Slots in use.
    pub used: u64,
    /// Page of the first slot.
    pub base: u64,
    /// Where the unread bytes of the first slot begin.
    pub start: u64,
    /// Unread bytes of the first slot.
    pub len: u64,
    /// Reads and writes answered.
    pub operations: u64,
}

/// Byte offsets in a [`RingHead`] that the assembly uses.
pub mod ring {
    #![allow(missing_docs, reason = "named after the fields")]
    use super::RingHead;
    use core::mem::offset_of;
    pub const USED: usize = offset_of!(RingHead, used);
    pub const BASE: usize = offset_of!(RingHead, base);
    pub const START: usize = offset_of!(RingHead, start);
    pub const LEN: usize = offset_of!(RingHead, len);
    pub const OPERATIONS: usize = offset_of!(RingHead, operations);
}
