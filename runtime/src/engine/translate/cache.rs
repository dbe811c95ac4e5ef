//! Cache memory: zones near the code they translate.
//!
//! A zone is one mapping within ±2 GiB of its code, so that RIP-relative operands and branches within the zone stay short.
//! Hot code grows from its start, stubs and constants from its middle. Memory is readable, writable and
//! executable, private and anonymous: after fork each side patches its own copy.

use crate::sys::raw;
use alloc::vec::Vec;
use bt_translator::addr::{CachePc, GuestPc};
use linux_raw_sys::general as k;

/// Bytes of one zone.
pub const ZONE_BYTES: u64 = 64 << 20;
/// Bytes of a zone for hot code; the rest is for stubs.
const HOT_BYTES: u64 = 40 << 20;
/// Distance that every byte of a zone must have from the code at most, with room for displacements.
const REACH: u64 = (1 << 31) - (16 << 20);

const HUGE_PAGE: u64 = 2 << 20;
/// Bytes of each part of a zone that stay in small pages.
const SMALL_PAGES_BYTES: u64 = 1 << 20;

/// One zone.
#[derive(Debug)]
pub struct Zone {
    /// Lowest address.
    pub base: u64,
    /// Next free hot byte.
    pub hot: u64,
    /// Next free cold byte.
    pub cold: u64,
    /// Fragments by offset of their hot code, ascending.
    pub hot_index: Vec<(u32, u32)>,
    /// Fragments by offset of their cold code, ascending.
    pub cold_index: Vec<(u32, u32)>,
}

impl Zone {
    fn reaches(&self, pc: GuestPc) -> bool {
        let (low, high) = (self.base.min(pc.0), (self.base + ZONE_BYTES).max(pc.0));
        high - low < REACH
    }

    fn has_room(&self, bytes: u64) -> bool {
        self.hot + bytes <= self.base + HOT_BYTES && self.cold + bytes <= self.base + ZONE_BYTES
    }

    /// The fragment whose code covers `pc`, and whether in its hot part.
    #[must_use]
    pub fn find(&self, pc: u64) -> Option<(u32, bool)> {
        let offset = u32::try_from(pc.checked_sub(self.base)?).ok()?;
        let hot = u64::from(offset) < HOT_BYTES;
        let index = if hot { &self.hot_index } else { &self.cold_index };
        let n = index.partition_point(|&(at, _)| at <= offset);
        index.get(n.checked_sub(1)?).map(|&(_, fragment)| (fragment, hot))
    }
}

/// All zones.
#[derive(Debug, Default)]
pub struct Cache {
    /// In the order they were made.
    pub zones: Vec<Zone>,
    /// Zones that may exist at once; reaching it flushes. 0 = no limit.
    pub max_zones: usize,
}

impl Cache {
    /// The zone in which code at `pc` is to be placed, with room for `bytes` in both parts.
    /// `None` when there is no memory for another zone or the limit is reached.
    pub fn zone_for(&mut self, pc: GuestPc, bytes: u64) -> Option<usize> {
        if let Some(i) = self.zones.iter().position(|z| z.reaches(pc) && z.has_room(bytes)) {
            return Some(i);
        }
        if self.max_zones != 0 && self.zones.len() >= self.max_zones {
            return None;
        }
        let base = map_near(pc)?;
        advise(base);
        self.zones.push(Zone {
            base,
            hot: base,
            cold: base + HOT_BYTES,
            hot_index: Vec::new(),
            cold_index: Vec::new(),
        });
        Some(self.zones.len() - 1)
    }

    /// The zone that holds the cache address `pc`.
    #[must_use]
    pub fn zone_of(&self, pc: u64) -> Option<&Zone> {
        self.zones.iter().find(|z| (z.base..z.base + ZONE_BYTES).contains(&pc))
    }

    /// Ranges of address space the cache occupies.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.zones.iter().map(|z| (z.base, z.base + ZONE_BYTES))
    }
}

/// Maps a zone near `pc`: below it where there is room (brk grows above a program), else anywhere within reach.
fn map_near(pc: GuestPc) -> Option<u64> {
    let prot = k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC;
    let step = ZONE_BYTES;
    let low = pc.0.saturating_sub(REACH - ZONE_BYTES).max(0x1_0000);
    // Programs linked low: from just below the indirect-branch table downwards, far from their brk.
    let first =
        if pc.0 < 1 << 31 { 0x7fe0_0000 - ZONE_BYTES } else { (pc.0 & !0xffff).saturating_sub(step + (16 << 20)) };
    let mut at = first;
    while at >= low {
        let flags = k::MAP_FIXED_NOREPLACE | k::MAP_NORESERVE;
        match raw::mmap_anon(at, ZONE_BYTES, prot, flags) {
            Ok(got) if got == at => return Some(got),
            // SAFETY: just mapped, elsewhere than asked (old kernels).
            Ok(got) => unsafe { raw::munmap(got, ZONE_BYTES) },
            Err(_) => {}
        }
        let Some(next) = at.checked_sub(step / 2) else { break };
        at = next;
    }
    // Nothing within reach: operands out of reach are rewritten, branches between zones go through slots.
    raw::mmap_anon(0, ZONE_BYTES, prot, k::MAP_NORESERVE).ok()
}

/// Large guests run from large pages: behind the first megabytes, which small programs never leave, the kernel is asked
/// for them. Code in small pages misses the instruction TLB more often than the guest's own, which is denser.
fn advise(base: u64) {
    for (start, end) in [(base, base + HOT_BYTES), (base + HOT_BYTES, base + ZONE_BYTES)] {
        let from = (start + SMALL_PAGES_BYTES).next_multiple_of(HUGE_PAGE);
        let len = (end & !(HUGE_PAGE - 1)).saturating_sub(from);
        // SAFETY: advice on our own mapping; where it is not taken nothing changes.
        let _ = unsafe { raw::syscall(k::__NR_madvise, [from, len, u64::from(k::MADV_HUGEPAGE)]) };
    }
}

/// Copies code to its place.
///
/// # Safety
/// `at..at + bytes.len()` must be free cache memory.
pub unsafe fn write(at: CachePc, bytes: &[u8]) {
    let to = core::ptr::with_exposed_provenance_mut::<u8>(usize::try_from(at.0).unwrap_or(0));
    // SAFETY: the caller owns the range; nobody executes it yet.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
}

/// Rewrites the displacement of a branch that other threads may be executing, by one store
/// (the field does not cross a 32-byte boundary: `Code::align_patch`).
///
/// # Safety
/// `at` must be the displacement of an exit.
pub unsafe fn patch(at: u64, target: u64) -> bool {
    let Ok(rel) = i32::try_from(target.wrapping_sub(at + 4).cast_signed()) else { return false };
    let field = core::ptr::with_exposed_provenance_mut::<i32>(usize::try_from(at).unwrap_or(0));
    // SAFETY: the field is in cache memory. Unaligned, but within one fetch block: the store is seen whole.
    unsafe {
        core::arch::asm!("mov dword ptr [{}], {:e}", in(reg) field, in(reg) rel, options(nostack, preserves_flags))
    };
    true
}
