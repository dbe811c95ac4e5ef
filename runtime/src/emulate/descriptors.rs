//! What each descriptor of the process is, as far as the emulation knows it.
//!
//! Only positive knowledge is kept: what is said of a descriptor holds until a call closes or replaces it, and all of
//! these calls come to Rust or are noted by the gate ([`crate::gate::filters`]). About descriptors that appear by other
//! ways (fcntl, recvmsg, …) nothing is said.

use crate::gate::facts::{Fact, holds};
use crate::gate::filters::FEW;
use crate::gate::lane::{self, DESCRIPTIONS, DESCRIPTORS, Lane, NEXT_DESCRIPTION};
use crate::gate::routes::learn;
use crate::sys::Fd;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};
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
    Fd(fd).fcntl(k::F_GETFL, 0).ok().and_then(|flags| u32::try_from(flags).ok())
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

/// The highest descriptor of which something is known; of those up to the first value the gate may note something by
/// itself.
static HIGHEST: AtomicI32 = AtomicI32::new(FEW - 1);
/// How a description came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Origin {
    /// open(2).
    File = 0,
    /// An end of pipe(2).
    Pipe = 1,
    /// eventfd(2).
    Event = 2,
    /// eventfd(2) with EFD_SEMAPHORE.
    Semaphore = 3,
}

/// Descriptions below this number are shared with other processes.
static FIRST_OWN: AtomicU32 = AtomicU32::new(1);

/// Descriptors may have lanes.
#[must_use]
pub fn are_known() -> bool {
    !holds(Fact::DescriptorsShared)
}

/// The gate is to ask lanes.
#[must_use]
pub fn are_asked() -> bool {
    holds(Fact::LanesAsked)
}

/// The descriptor's number is one that can have a lane.
#[must_use]
pub fn can_have_lane(fd: i32) -> bool {
    usize::try_from(fd).is_ok_and(|fd| fd < DESCRIPTORS)
}

/// The slot of a descriptor in [`DESCRIPTIONS`], if it has one.
pub(super) fn description(fd: i32) -> Option<&'static AtomicU32> {
    usize::try_from(fd).ok().and_then(|fd| DESCRIPTIONS.get(fd))
}

/// Bits of an [`Origin`]. [`DESCRIPTIONS`] holds a description's number shifted by them, and its origin.
const ORIGIN_BITS: u32 = 2;

/// Numbers that a known descriptor can have.
#[must_use]
pub fn known() -> core::ops::RangeInclusive<i32> {
    0..=HIGHEST.load(Ordering::Relaxed)
}

/// The highest descriptor of which something may be known.
pub(super) fn highest() -> i32 {
    HIGHEST.load(Ordering::Relaxed)
}

/// Something is known of `fd`.
pub(super) fn reaches(fd: i32) {
    HIGHEST.fetch_max(fd, Ordering::Relaxed);
}

/// The process has made `fd`.
pub fn opened(fd: u64, origin: Origin) {
    let Ok(fd) = i32::try_from(fd) else { return };
    let Some(slot) = description(fd) else {
        // Too high to be followed: it may lead to a pipe that others lead to as well (/dev/fd/N).
        return share_all();
    };
    let number = NEXT_DESCRIPTION.fetch_add(1, Ordering::Relaxed);
    slot.store(number << ORIGIN_BITS | origin as u32, Ordering::Relaxed);
    HIGHEST.fetch_max(fd, Ordering::Relaxed);
}

/// The description's number, 0 if it is unknown.
#[must_use]
pub fn number(fd: i32) -> u32 {
    description(fd).map_or(0, |slot| slot.load(Ordering::Relaxed) >> ORIGIN_BITS)
}

/// How the description came to be, if it is known.
#[must_use]
pub fn origin(fd: i32) -> Option<Origin> {
    let value = description(fd)?.load(Ordering::Relaxed);
    let kinds = [Origin::File, Origin::Pipe, Origin::Event, Origin::Semaphore];
    if value == 0 { None } else { kinds.into_iter().find(|&kind| kind as u32 == value & ((1 << ORIGIN_BITS) - 1)) }
}

/// Something besides descriptors of this process leads to the description (an epoll set, a descriptor that is not
/// followed): it is the kernel's for good.
pub fn disown(fd: i32) {
    let own = number(fd);
    let is_same = |&other: &i32| own != 0 && number(other) == own;
    for slot in known().filter(is_same).chain([fd]).filter_map(description) {
        slot.store(0, Ordering::Relaxed);
    }
}

/// Type of the file system (statfs(2), f_type); 0 if it does not say.
#[must_use]
pub fn file_system(fd: i32) -> u64 {
    Fd(fd).file_system().map_or(0, |file_system| file_system.kind)
}

/// The description is known, and by no other descriptor.
#[must_use]
pub fn is_only(fd: i32) -> bool {
    let own = number(fd);
    own != 0 && known().filter(|&other| number(other) == own).count() == 1
}

/// This process opened the description, and no other one has it.
#[must_use]
pub fn is_own(fd: i32) -> bool {
    number(fd) >= FIRST_OWN.load(Ordering::Relaxed)
}

/// Another process has, or may have, all descriptions of this one.
pub fn share_all() {
    FIRST_OWN.store(NEXT_DESCRIPTION.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// Gives a lane to every descriptor of the description.
pub fn set_lane(fd: i32, lane: *mut Lane) {
    let own = number(fd);
    let is_same = |&other: &i32| own != 0 && number(other) == own;
    for other in known().filter(is_same).chain([fd]) {
        lane::set(other, lane);
    }
    HIGHEST.fetch_max(fd, Ordering::Relaxed);
    learn(Fact::LanesAsked, true);
}

/// Takes a lane from all its descriptors.
pub fn clear_lane(lane: *const Lane) {
    for fd in known().filter(|&fd| core::ptr::eq(lane::get(fd), lane)) {
        lane::set(fd, core::ptr::null_mut());
    }
}

/// A descriptor with such a lane.
pub fn find_lane(is_wanted: impl Fn(&Lane) -> bool) -> Option<i32> {
    known().find(|&fd| {
        let lane = lane::get(fd);
        // SAFETY: a lane in the table exists.
        !lane.is_null() && is_wanted(unsafe { &*lane })
    })
}
