//! Memory mappings of the runtime's own, and those it makes for the guest.

use super::errno::Errno;
use super::fd::Fd;
use super::raw::syscall;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// mmap(2) of anonymous private memory. `addr` is a hint unless `flags` say otherwise.
pub fn mmap_anon(addr: u64, len: u64, prot: u32, flags: u32) -> Result<u64, Errno> {
    // SAFETY: a new anonymous mapping; MAP_FIXED is only used by the loader on ranges it reserved.
    unsafe {
        syscall(
            k::__NR_mmap,
            [addr, len, u64::from(prot), u64::from(flags | k::MAP_ANONYMOUS | k::MAP_PRIVATE), u64::MAX, 0],
        )
    }
}

/// Where the runtime's own memory begins: 400 GiB below where the kernel puts the lowest of a program's mappings, and
/// where all sanitizers accept mappings (LLVM, compiler-rt/lib/{asan,msan,tsan}).
const OWN_BASE: u64 = 0x7e90_0000_0000;
static OWN_NEXT: AtomicU64 = AtomicU64::new(OWN_BASE);

/// An address for a mapping of the runtime's own. The holes that the guest leaves between its mappings stay holes: an
/// access there faults, and the kernel finds them for the guest's next mapping.
#[must_use]
pub fn own_address(len: u64) -> u64 {
    const GAP: u64 = 1 << 16;
    OWN_NEXT.fetch_add(len.next_multiple_of(4096) + GAP, Ordering::Relaxed)
}

/// Memory in `start..end` may be the runtime's own: what [`mmap_own`] gave lies in there.
#[must_use]
pub fn is_own(start: u64, end: u64) -> bool {
    start < OWN_NEXT.load(Ordering::Relaxed) && OWN_BASE < end
}

/// The kernel has put memory of the runtime's own somewhere else: something was there.
static IS_ASTRAY: AtomicBool = AtomicBool::new(false);

fn look_where(at: u64, wanted: u64) {
    if at != wanted {
        IS_ASTRAY.store(true, Ordering::Relaxed);
    }
}

/// As [`is_own`], for who cannot look where else there is some.
#[must_use]
pub fn may_be_own(start: u64, end: u64) -> bool {
    is_own(start, end) || IS_ASTRAY.load(Ordering::Relaxed)
}

/// Bytes below each mapping of the runtime's own that nobody can access.
pub const GUARD_BYTES: u64 = 4096;

/// The guest has asked that whatever is mapped from now on be locked (mlockall(2), MCL_FUTURE).
static LOCKS_NEW: AtomicBool = AtomicBool::new(false);

/// Whether the kernel locks whatever is mapped from now on.
pub fn set_locks_new(locks: bool) {
    if LOCKS_NEW.load(Ordering::Relaxed) != locks {
        LOCKS_NEW.store(locks, Ordering::Relaxed);
    }
}

/// The kernel locks whatever is mapped.
#[must_use]
pub fn locks_new() -> bool {
    LOCKS_NEW.load(Ordering::Relaxed)
}

/// What [`forbid`] takes away: MAP_GROWSDOWN, MADV_POPULATE_WRITE.
pub const GROWS: u32 = 1;
/// See [`GROWS`].
pub const POPULATES: u32 = 2;
static FORBIDDEN: AtomicU32 = AtomicU32::new(0);

/// A filter of the guest's lets memory calls of these kinds through no more. A filter that traps them would end the
/// process where signals are blocked.
pub fn forbid(kinds: u32) {
    if kinds & !FORBIDDEN.load(Ordering::Relaxed) != 0 {
        FORBIDDEN.fetch_or(kinds, Ordering::Relaxed);
    }
}

fn is_forbidden(kind: u32) -> bool {
    FORBIDDEN.load(Ordering::Relaxed) & kind != 0
}

/// What makes a mapping not count as data ([`map_own_at`]), where that may be had.
fn grows() -> u32 {
    if is_forbidden(GROWS) { 0 } else { k::MAP_GROWSDOWN }
}

/// Private memory of the runtime's own at `at`, which is a hint unless `flags` say MAP_FIXED_NOREPLACE, after a page
/// that nobody can access.
///
/// Limits of data and of locked memory are the guest's. So it is mapped as memory that may grow downwards, which does
/// not count as data (`is_data_mapping`, mm/internal.h), and is not locked. It never grows: below it lies that page.
/// Where a filter of the guest's forbids that flag, it counts.
pub fn map_own_at(at: u64, len: u64, prot: u32, flags: u32) -> Result<u64, Errno> {
    let wanted = at.checked_sub(GUARD_BYTES).ok_or(Errno::EINVAL)?;
    let room = mmap_anon(wanted, len + GUARD_BYTES, k::PROT_NONE, flags | k::MAP_NORESERVE)?;
    let is_locked = locks_new();
    if is_locked {
        unlock(room, len + GUARD_BYTES);
    }
    let own = k::MAP_FIXED | grows() | flags & k::MAP_NORESERVE;
    let made = if flags & k::MAP_FIXED_NOREPLACE != 0 && room != wanted {
        // A kernel that does not know the flag took the address as a hint.
        Err(Errno::EEXIST)
    } else {
        mmap_anon(room + GUARD_BYTES, len, prot, own)
    };
    if made.is_err() {
        // SAFETY: just mapped.
        unsafe { munmap(room, len + GUARD_BYTES) };
    } else if is_locked {
        unlock(room, len + GUARD_BYTES);
    }
    made
}

/// Private memory for the runtime, anywhere ([`map_own_at`]).
pub fn mmap_own(len: u64, prot: u32, flags: u32) -> Result<u64, Errno> {
    let wanted = own_address(len + GUARD_BYTES) + GUARD_BYTES;
    let at = map_own_at(wanted, len, prot, flags)?;
    look_where(at, wanted);
    Ok(at)
}

/// Maps memory of the runtime's own that holds zeros anew, so that it does not count as data ([`map_own_at`]). What is
/// below it is mapped, so it cannot grow.
///
/// # Safety
/// Whole pages that hold zeros, and that nobody writes meanwhile.
pub unsafe fn map_anew(at: u64, len: u64) {
    if is_forbidden(GROWS) {
        return;
    }
    let flags = k::MAP_FIXED | k::MAP_GROWSDOWN | k::MAP_NORESERVE;
    // Where there is no memory the pages stay as they are.
    let _ = mmap_anon(at, len, k::PROT_READ | k::PROT_WRITE, flags);
}

/// Unmaps what [`mmap_own`] or [`map_own_at`] gave.
///
/// # Safety
/// Nothing may refer to the range any more.
pub unsafe fn munmap_own(at: u64, len: u64) {
    // SAFETY: the caller's promise; nobody uses the page before it.
    unsafe { munmap(at - GUARD_BYTES, len + GUARD_BYTES) };
}

/// munlock(2).
pub fn unlock(at: u64, len: u64) {
    // SAFETY: contents stay.
    let _ = unsafe { syscall(k::__NR_munlock, [at, len]) };
}

/// mlock2(2). What cannot be accessed stays so, and is locked all the same.
pub fn lock(at: u64, len: u64, flags: u32) {
    // SAFETY: contents stay.
    let _ = unsafe { syscall(k::__NR_mlock2, [at, len, u64::from(flags)]) };
}

/// mlockall(2).
///
/// # Errors
/// The kernel's.
pub fn lock_all(flags: u32) -> Result<(), Errno> {
    // SAFETY: contents stay.
    unsafe { syscall(k::__NR_mlockall, [u64::from(flags)]) }.map(|_| ())
}

/// munlockall(2).
pub fn unlock_all() {
    // SAFETY: contents stay.
    let _ = unsafe { syscall(k::__NR_munlockall, []) };
}

/// The page at `at` is in memory (mincore(2)).
#[must_use]
pub fn is_resident(at: u64) -> bool {
    let mut state = 0u8;
    // SAFETY: the kernel writes one byte for one page.
    let asked = unsafe { syscall(k::__NR_mincore, [at & !4095, 1, &raw mut state as u64]) };
    asked.is_ok() && state & 1 != 0
}

/// All pages of `start..start + len` are mapped (msync(2), ENOMEM; MS_ASYNC does nothing else).
#[must_use]
pub fn is_mapped(start: u64, len: u64) -> bool {
    // SAFETY: contents stay.
    unsafe { syscall(k::__NR_msync, [start, len, u64::from(k::MS_ASYNC)]) }.is_ok()
}

/// munmap(2).
///
/// # Safety
/// Nothing may refer to the range any more.
pub unsafe fn munmap(addr: u64, len: u64) {
    // SAFETY: see above.
    let _ = unsafe { syscall(k::__NR_munmap, [addr, len]) };
}

/// mprotect(2).
///
/// # Safety
/// The caller must not take access away that Rust code needs.
pub unsafe fn mprotect(addr: u64, len: u64, prot: u32) -> Result<(), Errno> {
    // SAFETY: see above.
    unsafe { syscall(k::__NR_mprotect, [addr, len, u64::from(prot)]) }.map(|_| ())
}

/// Has pages of our own memory made, or copied after a fork, by one call instead of by a fault for each (madvise(2),
/// MADV_POPULATE_WRITE, Linux 5.14). Where the kernel does not know it, the faults come.
pub fn populate(addr: u64, len: u64) {
    if is_forbidden(POPULATES) {
        return;
    }
    // SAFETY: contents stay.
    let _ = unsafe { syscall(k::__NR_madvise, [addr, len, u64::from(k::MADV_POPULATE_WRITE)]) };
}

/// A file mapped for the runtime's own use, where nothing is: what [`mmap_file`] gives, and not locked.
///
/// # Errors
/// The kernel's.
pub fn mmap_own_file(addr: u64, len: u64, prot: u32, flags: u32, fd: Fd, offset: u64) -> Result<u64, Errno> {
    // SAFETY: without MAP_FIXED it replaces nothing.
    let at = unsafe { mmap_file(addr, len, prot, flags & !k::MAP_FIXED, fd, offset) }?;
    look_where(at, addr);
    if locks_new() {
        unlock(at, len);
    }
    Ok(at)
}

/// mmap(2) of a file. `addr` is a hint unless `flags` say otherwise.
///
/// # Errors
/// The kernel's.
///
/// # Safety
/// With MAP_FIXED nothing of the runtime's may lie there.
pub unsafe fn mmap_file(addr: u64, len: u64, prot: u32, flags: u32, fd: Fd, offset: u64) -> Result<u64, Errno> {
    // SAFETY: the caller's promise.
    unsafe { syscall(k::__NR_mmap, [addr, len, u64::from(prot), u64::from(flags), fd.arg(), offset]) }
}

/// The kernel may back the range by huge pages (madvise(2), MADV_HUGEPAGE).
pub fn prefer_huge_pages(addr: u64, len: u64) {
    // SAFETY: contents stay.
    let _ = unsafe { syscall(k::__NR_madvise, [addr, len, u64::from(k::MADV_HUGEPAGE)]) };
}

/// Bytes of a System V segment (shmctl(2), IPC_STAT).
///
/// # Errors
/// EINVAL: there is no such segment; EACCES: it may not be asked about.
pub fn segment_bytes(id: i32) -> Result<u64, Errno> {
    const IPC_STAT: u64 = 2;
    // struct shmid_ds is 112 bytes; shm_segsz lies at byte 48.
    let mut words = [0u64; 14];
    // SAFETY: the kernel writes the structure.
    unsafe { syscall(k::__NR_shmctl, [u64::from(id.cast_unsigned()), IPC_STAT, words.as_mut_ptr() as u64]) }?;
    let [_, _, _, _, _, _, bytes, ..] = words;
    Ok(bytes)
}
