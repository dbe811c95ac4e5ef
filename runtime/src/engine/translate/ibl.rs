//! Look-up of indirect branch targets.
//!
//! Two levels. The first (IBTC) is indexed by the low 16 bits of the guest pc and holds the address of a
//! prologue that verifies; unused entries lead to the look-up routine. The second is a hash table of (guest pc,
//! prologue) pairs that the routine in the gate's assembly probes. Both are shared by all threads: entries are
//! hints that are verified by what they lead to, and are written by single 8-byte stores.

use crate::gate::region::{Label, address};
use crate::sys::raw;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// Multiplier of the second level's hash (the gate's assembly uses it, sign-extended).
pub const HASH: i32 = 0x1e37_79b1;
const HASH_SHIFT: u32 = 20;
/// Entries of the first level.
const IBTC_ENTRIES: u64 = 1 << 16;
/// Entries behind the last slot of the second level, so that a probe needs no wrap; the last one is always empty.
const SLACK: u64 = 64;
const FIRST_BITS: u32 = 12;

/// Behind the first level lie bytes by call number (`Layout::stub_calls`), of which only two pages are ever touched.
#[expect(clippy::cast_possible_truncation, reason = "half a MiB")]
pub const STUB_CALLS_OFFSET: u32 = IBTC_ENTRIES as u32 * 8;
const STUB_CALLS_BYTES: u64 = 1 << 16;
/// Bytes of the second table, for calls that stubs answer.
const STUB_ANSWERS_BYTES: u64 = 4096;
/// Bytes of the first level and what lies behind it.
pub const LOW_BYTES: u64 = STUB_CALLS_OFFSET as u64 + STUB_CALLS_BYTES + STUB_ANSWERS_BYTES;

/// Lets stubs make the call `nr` themselves, or answer it, or neither. Before [`start`] it does nothing.
pub fn set_stub_call(nr: usize, makes: bool, answers: bool) {
    let table = IBTC.load(Ordering::Relaxed);
    if table == 0 || nr as u64 >= STUB_ANSWERS_BYTES {
        return;
    }
    let first = table + u64::from(STUB_CALLS_OFFSET) + nr as u64;
    for (at, allowed) in [(first, makes), (first + STUB_CALLS_BYTES, answers)] {
        let byte: *mut u8 = core::ptr::with_exposed_provenance_mut(usize::try_from(at).unwrap_or(0));
        // SAFETY: inside the mapping made by `start`; stubs read single bytes.
        unsafe { byte.write_volatile(u8::from(allowed)) };
    }
}

/// Address of the first level.
pub static IBTC: AtomicU64 = AtomicU64::new(0);
/// Address of the second level.
pub static TABLE: AtomicU64 = AtomicU64::new(0);
/// Slots of the second level minus one.
pub static MASK: AtomicU64 = AtomicU64::new(0);
/// Moves before anything is taken out of the tables. The look-up routine, which writes the first level without the
/// engine's lock, takes its entry back when it has moved meanwhile.
pub static CHANGES: AtomicU64 = AtomicU64::new(0);
static USED: AtomicU64 = AtomicU64::new(0);
static IS_FILLED: AtomicBool = AtomicBool::new(false);

fn word(address: u64) -> &'static AtomicU64 {
    // SAFETY: called with addresses inside the two tables, which are never unmapped.
    unsafe { &*core::ptr::with_exposed_provenance::<AtomicU64>(usize::try_from(address).unwrap_or(0)) }
}

/// Maps both levels; returns the address of the first, which lies below 2 GiB because emitted code reaches it with a
/// 32-bit displacement and no base register.
pub fn start() -> Result<u32, &'static str> {
    let bytes = LOW_BYTES;
    // Just below the lowest address a sanitizer's shadow begins at (0x7fff7000), far above where brk starts.
    let mut at = 0x7ff0_0000u64;
    let found = loop {
        let flags = k::MAP_FIXED_NOREPLACE | k::MAP_NORESERVE;
        match raw::mmap_anon(at, bytes, k::PROT_READ | k::PROT_WRITE, flags) {
            Ok(a) if a == at => break a,
            Ok(a) => {
                // A kernel without MAP_FIXED_NOREPLACE took it as a hint.
                // SAFETY: just mapped.
                unsafe { raw::munmap(a, bytes) };
            }
            Err(_) => {}
        }
        at -= 0x0100_0000;
        if at < 0x1000_0000 {
            return Err("no 512 KiB of free address space below 2 GiB for the indirect-branch table");
        }
    };
    IBTC.store(found, Ordering::Relaxed);
    new_table(FIRST_BITS)?;
    u32::try_from(found).map_err(|_| "the indirect-branch table lies too high")
}

/// Fills the first level before the first code that jumps through it: a process that never translates does not pay for it.
pub fn prepare() {
    if IS_FILLED.load(Ordering::Relaxed) {
        return;
    }
    IS_FILLED.store(true, Ordering::Relaxed);
    let (table, bytes) = (IBTC.load(Ordering::Relaxed), IBTC_ENTRIES * 8);
    // All pages at once, where the kernel can (madvise(2), Linux 5.14).
    // SAFETY: our own mapping.
    let _ = unsafe { raw::syscall(k::__NR_madvise, [table, bytes, u64::from(k::MADV_POPULATE_WRITE)]) };
    let miss = address(Label::EnterLookup);
    for i in 0..IBTC_ENTRIES {
        word(table + i * 8).store(miss, Ordering::Relaxed);
    }
}

fn new_table(bits: u32) -> Result<(), &'static str> {
    let bytes = ((1u64 << bits) + SLACK) * 16;
    let table = raw::mmap_own(bytes, k::PROT_READ | k::PROT_WRITE, k::MAP_NORESERVE)
        .map_err(|_| "out of memory for the look-up table")?;
    // A thread may be probing the old table with the old mask: the new table is larger, so publishing the table first is
    // safe; the old one stays mapped, its entries stay true until a flush clears them.
    TABLE.store(table, Ordering::Release);
    MASK.store((1 << bits) - 1, Ordering::Release);
    USED.store(0, Ordering::Relaxed);
    Ok(())
}

fn slot(table: u64, mask: u64, pc: u64) -> u64 {
    let hash = pc.wrapping_mul(i64::from(HASH).cast_unsigned()) >> HASH_SHIFT & mask;
    table + hash * 16
}

/// Enters (guest pc, prologue) into both levels.
pub fn insert(pc: u64, prologue: u64) {
    word(IBTC.load(Ordering::Relaxed) + (pc & 0xffff) * 8).store(prologue, Ordering::Release);
    let mask = MASK.load(Ordering::Relaxed);
    if USED.load(Ordering::Relaxed) * 2 > mask {
        grow(mask);
    }
    let (table, mask) = (TABLE.load(Ordering::Relaxed), MASK.load(Ordering::Relaxed));
    put(table, mask, pc, prologue);
}

/// Makes an entry of the first level ready before the first branch takes it.
pub fn hint(pc: u64, prologue: u64) {
    let entry = word(IBTC.load(Ordering::Relaxed) + (pc & 0xffff) * 8);
    if entry.load(Ordering::Relaxed) == address(Label::EnterLookup) {
        entry.store(prologue, Ordering::Release);
    }
}

fn put(table: u64, mask: u64, pc: u64, prologue: u64) {
    let mut at = slot(table, mask, pc);
    let end = table + (mask + SLACK) * 16;
    while at < end {
        let key = word(at).load(Ordering::Relaxed);
        if key == 0 {
            USED.fetch_add(1, Ordering::Relaxed);
        }
        if key == 0 || key == pc {
            // The routine reads the value after the key.
            word(at + 8).store(prologue, Ordering::Release);
            word(at).store(pc, Ordering::Release);
            return;
        }
        at += 16;
    }
    // No room in the slack: the first level and the dispatcher still know it.
}

#[cold]
fn grow(mask: u64) {
    let old = TABLE.load(Ordering::Relaxed);
    let bits = (mask + 1).trailing_zeros() + 2;
    if new_table(bits).is_err() {
        return;
    }
    let (table, new_mask) = (TABLE.load(Ordering::Relaxed), MASK.load(Ordering::Relaxed));
    for i in 0..mask + SLACK {
        let key = word(old + i * 16).load(Ordering::Relaxed);
        if key != 0 {
            put(table, new_mask, key, word(old + i * 16 + 8).load(Ordering::Relaxed));
        }
    }
}

/// Makes look-ups of `pc` miss, if they lead to `prologue`.
pub fn remove(pc: u64, prologue: u64) {
    CHANGES.fetch_add(1, Ordering::SeqCst);
    let miss = address(Label::EnterLookup);
    let entry = word(IBTC.load(Ordering::Relaxed) + (pc & 0xffff) * 8);
    if entry.load(Ordering::Relaxed) == prologue {
        entry.store(miss, Ordering::Release);
    }
    let (table, mask) = (TABLE.load(Ordering::Relaxed), MASK.load(Ordering::Relaxed));
    let mut at = slot(table, mask, pc);
    let end = table + (mask + SLACK) * 16;
    while at < end {
        let key = word(at).load(Ordering::Relaxed);
        if key == pc {
            bury(at);
            return;
        }
        if key == 0 {
            return;
        }
        at += 16;
    }
}

/// Makes a slot lead nowhere. It stays in use, so that probes go on past it: its key becomes 1 and its value
/// the routine's way out, so that even a guest that jumps to address 1 misses.
fn bury(slot: u64) {
    word(slot + 8).store(address(Label::LookupMiss), Ordering::Release);
    word(slot).store(1, Ordering::Release);
}

/// Makes every look-up miss.
pub fn clear() {
    prepare();
    CHANGES.fetch_add(1, Ordering::SeqCst);
    let miss = address(Label::EnterLookup);
    let ibtc = IBTC.load(Ordering::Relaxed);
    for i in 0..IBTC_ENTRIES {
        word(ibtc + i * 8).store(miss, Ordering::Relaxed);
    }
    // Only the keys: a thread that has just found its key reads a value that is still a prologue, which verifies, in memory
    // that is kept until the thread has been in the dispatcher.
    let (table, mask) = (TABLE.load(Ordering::Relaxed), MASK.load(Ordering::Relaxed));
    for i in 0..mask + SLACK {
        word(table + i * 16).store(0, Ordering::Relaxed);
    }
    USED.store(0, Ordering::Relaxed);
}
