//! Look-up of indirect branch targets.
//!
//! Two levels. The first (IBTC) is indexed by the low 16 bits of the guest pc and holds the address of a
//! prologue that verifies; unused entries lead to the look-up routine. The second is a hash table of (guest pc,
//! prologue) pairs that the routine in the gate's assembly probes. Both are shared by all threads: entries are
//! hints that are verified by what they lead to, and are written by single 8-byte stores.

use crate::gate::labels::{Label, address};
use crate::gate::lookup::{CHANGES, HASH, MASK, TABLE};
use crate::gate::low::{self, IBTC, IBTC_ENTRIES};
use crate::sys::{Errno, mem};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// Entries past the last slot of the second level, so that a probe needs no wrap; the last one is always empty.
const SLACK: u64 = 64;
const FIRST_BITS: u32 = 12;
const HASH_SHIFT: u32 = 20;

static USED: AtomicU64 = AtomicU64::new(0);
static IS_FILLED: AtomicBool = AtomicBool::new(false);

fn word(address: u64) -> &'static AtomicU64 {
    // SAFETY: called with addresses inside the two tables, which are never unmapped.
    unsafe { &*core::ptr::with_exposed_provenance::<AtomicU64>(usize::try_from(address).unwrap_or(0)) }
}

/// The second level before there is one: a slot in which every probe ends.
static EMPTY: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// Maps the first level beside `program`. `Err` says what is missing.
pub fn start(program: (u64, u64)) -> Result<(), &'static str> {
    TABLE.store(EMPTY.as_ptr() as u64, Ordering::Relaxed);
    low::map(program)
}

/// Fills the first level and maps the second before the first code that jumps through them: a process that never
/// translates does not pay for it.
pub fn prepare() {
    if IS_FILLED.load(Ordering::Relaxed) {
        return;
    }
    IS_FILLED.store(true, Ordering::Relaxed);
    if new_table(FIRST_BITS).is_err() {
        crate::report::fatal("out of memory for the look-up table: raise the limits (ulimit -v, ulimit -l)");
    }
    let (table, bytes) = (IBTC.load(Ordering::Relaxed), IBTC_ENTRIES * 8);
    // All pages at once, where the kernel can (madvise(2), Linux 5.14).
    mem::populate(table, bytes);
    let miss = address(Label::EnterLookup);
    for i in 0..IBTC_ENTRIES {
        word(table + i * 8).store(miss, Ordering::Relaxed);
    }
}

fn new_table(bits: u32) -> Result<(), Errno> {
    let bytes = ((1u64 << bits) + SLACK) * 16;
    let table = mem::mmap_own(bytes, k::PROT_READ | k::PROT_WRITE, k::MAP_NORESERVE)?;
    // A thread may be probing the old table with the old mask: the new table is larger, so publishing the table first
    // is safe; the old one stays mapped, its entries stay true until a flush clears them.
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
    // Only the keys: a thread that has just found its key reads a value that is still a prologue, which verifies, in
    // memory that is kept until the thread has been in the dispatcher.
    let (table, mask) = (TABLE.load(Ordering::Relaxed), MASK.load(Ordering::Relaxed));
    for i in 0..mask + SLACK {
        word(table + i * 16).store(0, Ordering::Relaxed);
    }
    USED.store(0, Ordering::Relaxed);
}
