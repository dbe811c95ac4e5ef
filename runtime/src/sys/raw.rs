//! System calls that the runtime makes for itself.
//!
//! Calls made on behalf of the guest do not go through here: they pass the one `syscall`
//! instruction of the gate (`gate::asm`), whose neighbourhood a signal handler can classify.

use super::errno::Errno;
use core::arch::naked_asm;
use core::ffi::CStr;
use core::sync::atomic::{AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// Makes a system call with the six argument registers of the x86-64 ABI (syscall(2)).
///
/// # Safety
/// The call must not break memory that Rust code relies on.
#[unsafe(naked)]
pub unsafe extern "C" fn syscall6(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, nr: u64) -> i64 {
    naked_asm!("mov rax, [rsp + 8]", "mov r10, rcx", "syscall", "ret")
}

/// Converts a raw result into `Ok(value)` or the error number it encodes.
pub fn check(result: i64) -> Result<u64, Errno> {
    if (-4095..0).contains(&result) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked")]
        return Err(Errno((-result) as u16));
    }
    #[expect(clippy::cast_sign_loss, reason = "addresses above 2^63 do not exist in user space; counts are positive")]
    Ok(result as u64)
}

/// Arguments of a call, missing ones zero.
pub trait Args {
    /// The six registers.
    fn regs(self) -> [u64; 6];
}
impl<const N: usize> Args for [u64; N] {
    fn regs(self) -> [u64; 6] {
        let mut out = [0; 6];
        for (o, a) in out.iter_mut().zip(self) {
            *o = a;
        }
        out
    }
}

/// Makes the system call `nr`.
///
/// # Safety
/// As [`syscall6`].
pub unsafe fn syscall<const N: usize>(nr: u32, args: [u64; N]) -> Result<u64, Errno> {
    let [a, b, c, d, e, f] = args.regs();
    // SAFETY: passed on to the caller.
    check(unsafe { syscall6(a, b, c, d, e, f, u64::from(nr)) })
}

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

/// Where the runtime's own memory begins: 400 GiB below where the kernel puts the lowest of a program's mappings, and where all
/// sanitizers accept mappings (LLVM, compiler-rt/lib/{asan,msan,tsan}).
const OWN_BASE: u64 = 0x7e90_0000_0000;
static OWN_NEXT: AtomicU64 = AtomicU64::new(OWN_BASE);

/// An address for a mapping of the runtime's own. The holes that the guest leaves between its mappings stay holes: an access
/// there faults, and the kernel finds them for the guest's next mapping.
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

/// openat(2) relative to the current directory.
pub fn open(path: &CStr, flags: u32) -> Result<i32, Errno> {
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "AT_FDCWD is negative; descriptors fit i32"
    )]
    // SAFETY: the kernel only reads the path.
    unsafe { syscall(k::__NR_openat, [k::AT_FDCWD as u64, path.as_ptr() as u64, u64::from(flags), 0]) }
        .map(|fd| fd as i32)
}

/// close(2).
pub fn close(fd: i32) {
    #[expect(clippy::cast_sign_loss, reason = "the kernel takes the low 32 bits")]
    // SAFETY: no Rust object owns descriptors in the runtime.
    let _ = unsafe { syscall(k::__NR_close, [fd as u64]) };
}

/// pread64(2) into `buf`; returns the bytes read.
pub fn pread(fd: i32, buf: &mut [u8], offset: u64) -> Result<usize, Errno> {
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "the kernel takes the low 32 bits; at most buf.len()"
    )]
    // SAFETY: the kernel writes at most buf.len() bytes into buf.
    unsafe { syscall(k::__NR_pread64, [fd as u64, buf.as_mut_ptr() as u64, buf.len() as u64, offset]) }
        .map(|n| n as usize)
}

/// write(2), repeated until everything is written or an error comes.
pub fn write_all(fd: i32, mut buf: &[u8]) {
    while !buf.is_empty() {
        #[expect(clippy::cast_sign_loss, reason = "the kernel takes the low 32 bits")]
        // SAFETY: the kernel only reads buf.
        let n = match unsafe { syscall(k::__NR_write, [fd as u64, buf.as_ptr() as u64, buf.len() as u64]) } {
            Ok(0) => return,
            Ok(n) => n,
            Err(Errno::EINTR) => 0,
            Err(_) => return,
        };
        buf = buf.get(usize::try_from(n).unwrap_or(usize::MAX)..).unwrap_or(&[]);
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
#[must_use]
pub fn now_ns() -> u64 {
    let mut time = [0u64; 2];
    // SAFETY: the kernel writes a struct timespec.
    let _ = unsafe { syscall(k::__NR_clock_gettime, [u64::from(k::CLOCK_MONOTONIC), time.as_mut_ptr() as u64]) };
    let [seconds, nanoseconds] = time;
    seconds * 1_000_000_000 + nanoseconds
}
