//! Memory below 2 GiB, which emitted code reaches by a 32-bit displacement without a base register.
//!
//! First comes the first level of the look-up of indirect branches (IBTC), one pointer for the low 16 bits of a guest
//! pc; then two tables of bytes by call number: which calls a stub may make by itself, and which it may answer.

use crate::sys::{Errno, mem};
use core::sync::atomic::{AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// Entries of the first level.
pub const IBTC_ENTRIES: u64 = 1 << 16;
/// Offset from the first level of the bytes for calls that stubs make (`Layout::stub_calls`), of which only two pages
/// are ever touched.
#[expect(clippy::cast_possible_truncation, reason = "half a MiB")]
pub const STUB_CALLS_OFFSET: u32 = IBTC_ENTRIES as u32 * 8;
const STUB_CALLS_BYTES: u64 = 1 << 16;
/// Bytes of the second table, for calls that stubs answer.
const STUB_ANSWERS_BYTES: u64 = 4096;
/// Bytes of all of it.
pub const BYTES: u64 = STUB_CALLS_OFFSET as u64 + STUB_CALLS_BYTES + STUB_ANSWERS_BYTES;

/// Address of the first level, 0 before [`map`].
pub static IBTC: AtomicU64 = AtomicU64::new(0);

/// Bytes after a program that are left to its brk(2): where it begins at random, and some that it may grow.
const BRK_BYTES: u64 = 64 << 20;

/// Where the memory may lie, the best first. Just below the lowest address that a sanitizer's shadow begins at
/// (0x7fff7000), far above where brk starts; else below where the linker puts programs.
fn places() -> impl Iterator<Item = u64> {
    let above = (0x10..=0x7f).rev().map(|n: u64| (n << 24) + 0xf0_0000);
    let below = (2..=0x30).rev().map(|n: u64| n << 16);
    above.chain(below)
}

/// Maps it, beside a `program` that is to be mapped where it says. `Err` says what is missing.
pub fn map(program: (u64, u64)) -> Result<(), &'static str> {
    let (start, end) = (program.0, program.1.saturating_add(BRK_BYTES));
    let is_beside = |at: &u64| program.0 == program.1 || at + BYTES <= start || end <= at - mem::GUARD_BYTES;
    let flags = k::MAP_FIXED_NOREPLACE | k::MAP_NORESERVE;
    let found = places()
        .filter(is_beside)
        .map(|at| mem::map_own_at(at, BYTES, k::PROT_READ | k::PROT_WRITE, flags))
        .find(|made| !matches!(made, Err(Errno::EEXIST | Errno::EPERM)));
    match found {
        Some(Ok(at)) => IBTC.store(at, Ordering::Relaxed),
        Some(Err(_)) => return Err("out of memory at the start: raise the limits (ulimit -v)"),
        None => return Err("no 512 KiB of free address space below 2 GiB for the indirect-branch table"),
    }
    Ok(())
}

/// Address of the first level, for code that is emitted.
#[must_use]
pub fn ibtc() -> u32 {
    // `map` looks below 2 GiB only.
    u32::try_from(IBTC.load(Ordering::Relaxed)).unwrap_or(0)
}

/// Lets stubs make the call `nr` themselves, or answer it, or neither. Before [`map`] it does nothing.
pub fn set_stub_call(nr: usize, makes: bool, answers: bool) {
    let table = IBTC.load(Ordering::Relaxed);
    if table == 0 || nr as u64 >= STUB_ANSWERS_BYTES {
        return;
    }
    let first = table + u64::from(STUB_CALLS_OFFSET) + nr as u64;
    for (at, allowed) in [(first, makes), (first + STUB_CALLS_BYTES, answers)] {
        let byte: *mut u8 = core::ptr::with_exposed_provenance_mut(usize::try_from(at).unwrap_or(0));
        // SAFETY: inside the mapping made by `map`; stubs read single bytes.
        unsafe { byte.write_volatile(u8::from(allowed)) };
    }
}
