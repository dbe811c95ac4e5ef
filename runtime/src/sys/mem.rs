//! Memory mappings of the runtime's own, and those it makes for the guest.

use super::errno::Errno;
use super::fd::Fd;
use super::raw::syscall;
use core::sync::atomic::{AtomicU64, Ordering};
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

/// mmap(2) of anonymous private memory for the runtime.
pub fn mmap_own(len: u64, prot: u32, flags: u32) -> Result<u64, Errno> {
    mmap_anon(own_address(len), len, prot, flags)
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
    // SAFETY: contents stay.
    let _ = unsafe { syscall(k::__NR_madvise, [addr, len, u64::from(k::MADV_POPULATE_WRITE)]) };
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
