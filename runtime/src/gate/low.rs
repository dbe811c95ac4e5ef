//! Memory below 2 GiB, which emitted code reaches by a 32-bit displacement without a base register.
//!
//! First comes the first level of the look-up of indirect branches (IBTC), one pointer for the low 16 bits of a guest
//! pc; then two tables of bytes by call number: which calls a stub may make by itself, and which it may answer.

use crate::sys::mem;
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

/// Maps it. `Err` says what is missing.
pub fn map() -> Result<(), &'static str> {
    // Just below the lowest address a sanitizer's shadow begins at (0x7fff7000), far above where brk starts.
    let mut at = 0x7ff0_0000u64;
    let found = loop {
        let flags = k::MAP_FIXED_NOREPLACE | k::MAP_NORESERVE;
        match mem::mmap_anon(at, BYTES, k::PROT_READ | k::PROT_WRITE, flags) {
            Ok(a) if a == at => break a,
            Ok(a) => {
                // A kernel without MAP_FIXED_NOREPLACE took it as a hint.
                // SAFETY: just mapped.
                unsafe { mem::munmap(a, BYTES) };
            }
            Err(_) => {}
        }
        at -= 0x0100_0000;
        if at < 0x1000_0000 {
            return Err("no 512 KiB of free address space below 2 GiB for the indirect-branch table");
        }
    };
    IBTC.store(found, Ordering::Relaxed);
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
