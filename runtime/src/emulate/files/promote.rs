//! Which files are promoted.

use super::lane::{FileLane, READS};
use super::list::{self, COUNT, FILES, Place, Work};
use super::{rights, threads};
use crate::calls::SAMPLED_COUNT;
use crate::calls::route::Operation;
use crate::emulate::candidate::{Found, index};
use crate::emulate::descriptors::{self, Access};
use crate::emulate::explain::{Reason, refused};
use crate::emulate::fdinfo;
use crate::emulate::watch::{self, Number};
use crate::gate::facts::{Fact, holds};
use crate::gate::lane::Kind;
use crate::gate::lanes::{Code, lane_with};
use crate::gate::routes::{are_answered, learn};
use crate::options::{self, EmulateLevel};
use crate::sys::stat::{Stat, is_local};
use crate::sys::{Fd, mem, process};
use alloc::boxed::Box;
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};
use linux_raw_sys::general as k;

/// Longer reads and writes gain nothing.
const SMALL: u64 = 16 * 1024;
const TMPFS: u64 = 0x0102_1994;
/// The descriptor that was seen by the last look at each sampled call.
static LAST: [AtomicI32; SAMPLED_COUNT] = [const { AtomicI32::new(-1) }; SAMPLED_COUNT];

/// Promotes the file of a descriptor of which a small access was seen, if it was the one before, too.
pub fn consider(nr: u32, fd: i32, stat: &Stat, length: u64, made: u64) -> Found {
    if options::get().emulate < EmulateLevel::Coherent || !stat.is_regular() || length > SMALL {
        return Found::Nothing;
    }
    let last = index(nr as usize).and_then(|n| LAST.get(n));
    if last.is_none_or(|last| last.swap(fd, Ordering::Relaxed) != fd) {
        return Found::Candidate;
    }
    match promote(fd, made) {
        Ok(()) => Found::Lane,
        Err(reason) => {
            refused(nr, fd, reason);
            // These may be different next time.
            if matches!(reason, Reason::InUse | Reason::Watch) { Found::Candidate } else { Found::Nothing }
        }
    }
}

/// All calls that a lane answers may be answered: none of them is to be passed on.
fn are_all_answered() -> bool {
    are_answered(&Operation::ALL)
}

fn promote(fd: i32, made: u64) -> Result<(), Reason> {
    if !are_all_answered() {
        return Err(Reason::Option);
    }
    let flags = descriptors::flags(fd).ok_or(Reason::Flags)?;
    let access = descriptors::access(fd).ok_or(Reason::Flags)?;
    if flags & (k::O_DIRECT | k::O_APPEND | k::O_SYNC | k::O_DSYNC) != 0 {
        return Err(Reason::Flags);
    }
    if access == Access::WriteOnly {
        return Err(Reason::WriteOnly);
    }
    if threads::any() && (!threads::can_be_stopped() || !descriptors::is_only(fd)) {
        return Err(Reason::Threads);
    }
    if !is_local(descriptors::file_system(fd)) {
        return Err(Reason::FileSystem);
    }
    if fdinfo::is_shown(fd) {
        return Err(Reason::Shown);
    }
    if made < u64::from(options::get().emulate_after) && !watch::exists() {
        return Err(Reason::Early);
    }
    let work = list::try_work().ok_or(Reason::InUse)?;
    under_watch(&work, fd, access, flags & k::O_NOATIME != 0)
}

/// Promotes a description; reads of it may be such that move no times (open(2), O_NOATIME).
fn under_watch(work: &Work, fd: i32, access: Access, is_untimed: bool) -> Result<(), Reason> {
    let file_system = Fd(fd).file_system().map_err(|_| Reason::FileSystem)?;
    let number = watch::add(Fd(fd)).map_err(|_| Reason::Watch)?;
    let epoch = super::renew_in(work, Some(number), None);
    let mut file = Box::new(FileLane::new(lane_with(Kind::File, [Code::Rust; 5]), number, file_system));
    file.is_untimed = is_untimed;
    // Who shares the description moves its offset, and finds it in the kernel.
    file.has_offset = descriptors::is_own(fd);
    // What is looked at from here on is true while the tail stays.
    let established = epoch.ok_or(Reason::Watch).and_then(|epoch| {
        let stat = Fd(fd).stat().map_err(|_| Reason::Flags)?;
        // Who shares the description may also give it O_APPEND (fcntl(2), F_SETFL).
        file.may_write = file.has_offset && access == Access::ReadWrite && rights::may_store(fd, &stat);
        file.reads_are_free.store(file.are_reads_free(&stat), Ordering::Relaxed);
        if !file.may_write && !file.are_reads_free(&stat) {
            return Err(Reason::Times);
        }
        if file_system.kind == TMPFS && stat.allocated < stat.size {
            return Err(Reason::Sparse);
        }
        map(fd, file.may_write, stat.size).map(|mapped| (epoch, mapped))
    });
    let (epoch, mapped) = match established {
        Ok(established) => established,
        Err(reason) => {
            if !is_watched(number) {
                watch::remove(number);
            }
            return Err(reason);
        }
    };
    file.lane.watch = AtomicPtr::new(watch::tail().cast_mut());
    file.lane.epoch = AtomicU32::new(epoch);
    file.set_code();
    let file = Box::into_raw(file);
    if install(fd, file, mapped) {
        return Ok(());
    }
    // SAFETY: it is on the list.
    super::dismantle_lane(work, unsafe { &*file }, fd);
    Err(Reason::InUse)
}

/// Another lane depends on the watch.
pub fn is_watched(number: Number) -> bool {
    // SAFETY: lanes in the list exist.
    FILES.lock().lanes.iter().any(|place| unsafe { (*place.0).watch() } == number)
}

/// The lane answers from here on; `mapped` is address, length and size of the mapping. Not so if another thread was doing something by
/// the descriptor: then the lane has no offset, and is to be given back.
fn install(fd: i32, lane: *mut FileLane, (base, len, size): (u64, u64, u64)) -> bool {
    let number = descriptors::number(fd);
    {
        // SAFETY: ours alone so far.
        let file = unsafe { &mut *lane };
        file.map_len = len;
        file.lane.base.store(base, Ordering::Relaxed);
        file.lane.size.store(size, Ordering::Relaxed);
        file.lane.budget.store(READS, Ordering::Relaxed);
    }
    // SAFETY: from here on shared; it ends after it was taken off the list.
    let file = unsafe { &*lane };
    {
        let mut files = FILES.lock();
        files.mapped_bytes += len;
        files.lanes.push(Place(lane));
    }
    COUNT.fetch_add(1, Ordering::Relaxed);
    learn(Fact::FilesPromoted, true);
    let _offset = file.lock_offset();
    descriptors::set_lane(fd, (&raw const file.lane).cast_mut());
    if file.is_threaded {
        // Who found no lane has said what it is doing.
        threads::barrier();
        let is_changed = descriptors::number(fd) != number
            || file.has_offset
                && (!descriptors::is_own(fd) || threads::is_forking() || !threads::stop_moving_offset_of(fd))
            || !descriptors::are_known()
            || holds(Fact::Filtered);
        if is_changed {
            // The offset has always been the kernel's: nobody finds the lane, and who has found it nothing true, before it is unlocked.
            descriptors::clear_lane(&raw const file.lane);
            file.end_facts();
            file.offset_was_never_ours();
            return false;
        }
    }
    if file.has_offset {
        file.take_offset(fd);
    }
    true
}

/// Maps a file of this size; returns address, length and size.
fn map(fd: i32, is_written: bool, size: u64) -> Result<(u64, u64, u64), Reason> {
    let len = size.next_multiple_of(4096);
    let limit = u64::from(options::get().emulate_mib) << 20;
    if size == 0 || len == 0 {
        return Err(Reason::Empty);
    }
    // Memory of ours would count against the guest's address space (setrlimit(2), RLIMIT_AS).
    if FILES.lock().mapped_bytes + len > limit || process::soft_limit(k::RLIMIT_AS) != u64::MAX {
        return Err(Reason::Memory);
    }
    let prot = k::PROT_READ | if is_written { k::PROT_WRITE } else { 0 };
    let at = mem::mmap_own_file(mem::own_address(len), len, prot, k::MAP_SHARED, Fd(fd), 0);
    at.map(|at| (at, len, size)).map_err(|_| Reason::Memory)
}
