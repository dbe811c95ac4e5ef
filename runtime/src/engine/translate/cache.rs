//! Cache memory: zones near the code they translate.
//!
//! A zone is one mapping within ±2 GiB of its code, so that RIP-relative operands and branches within the zone stay
//! short. Hot code grows from its start, stubs and constants from its middle. Memory is readable, writable and
//! executable, private and anonymous: after fork each side patches its own copy.

use crate::gate::facts::{Fact, holds};
use crate::mem::concerns::CONCERNS;
use crate::sys::{Errno, mem, process};
use alloc::vec::Vec;
use bt_translator::addr::{CachePc, GuestPc};
use linux_raw_sys::general as k;

/// Bytes of one zone; where memory is limited it is made smaller ([`largest_zone`]).
const ZONE_SIZES: [u64; 4] = [MAX_ZONE_BYTES, 8 << 20, 1 << 20, MIN_ZONE_BYTES];
/// Bytes of the smallest zone.
pub const MIN_ZONE_BYTES: u64 = 256 << 10;
/// Zones a limit is divided into.
const ZONES_IN_LIMIT: u64 = 4;
/// Part of a limit of address space that the cache may take. What is noted of fragments takes three times as much; the
/// rest is the guest's.
const CACHE_SHARE: u64 = 16;
/// Bytes of a zone where the kernel locks what is mapped, and so makes all pages of it at once.
const LOCKED_ZONE_BYTES: u64 = 1 << 20;
/// Bytes of the largest zone.
pub const MAX_ZONE_BYTES: u64 = 64 << 20;
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
    /// Bytes.
    pub len: u64,
    /// Next free hot byte.
    pub hot: u64,
    /// Next free cold byte.
    pub cold: u64,
    /// Fragments by offset of their hot code, ascending.
    pub hot_index: Vec<(u32, u32)>,
    /// Fragments by offset of their cold code, ascending.
    pub cold_index: Vec<(u32, u32)>,
}

/// Bytes of a zone for hot code; the rest is for stubs.
fn hot_bytes(len: u64) -> u64 {
    len / 8 * 5
}

impl Zone {
    fn end(&self) -> u64 {
        self.base + self.len
    }

    fn reaches(&self, pc: GuestPc) -> bool {
        let (low, high) = (self.base.min(pc.0), self.end().max(pc.0));
        high - low < REACH
    }

    fn has_room(&self, bytes: u64) -> bool {
        self.hot + bytes <= self.base + hot_bytes(self.len) && self.cold + bytes <= self.end()
    }

    /// The fragment whose code covers `pc`, and whether in its hot part.
    #[must_use]
    pub fn find(&self, pc: u64) -> Option<(u32, bool)> {
        let offset = u32::try_from(pc.checked_sub(self.base)?).ok()?;
        let hot = u64::from(offset) < hot_bytes(self.len);
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
    /// Bytes of zones that may exist at once; reaching it flushes. 0 = no limit.
    pub max_bytes: u64,
    /// The limit of address space when it was last asked for (RLIMIT_AS); none before.
    space: Option<u64>,
}

impl Cache {
    /// The zone in which code at `pc` is to be placed, with room for `bytes` in both parts.
    /// `None` when there is no memory for another zone or the limit is reached.
    pub fn zone_for(&mut self, pc: GuestPc, bytes: u64) -> Option<usize> {
        self.zone_up_to(MAX_ZONE_BYTES, pc, bytes)
    }

    /// The same; a new zone is not larger than `largest`.
    pub fn zone_up_to(&mut self, largest: u64, pc: GuestPc, bytes: u64) -> Option<usize> {
        if let Some(i) = self.zones.iter().position(|z| z.reaches(pc) && z.has_room(bytes)) {
            return Some(i);
        }
        let max_bytes = self.limit();
        let largest = largest_zone(max_bytes).min(largest);
        let mut sizes = ZONE_SIZES.into_iter().filter(|&len| len <= largest.max(MIN_ZONE_BYTES));
        let held: u64 = self.zones.iter().map(|z| z.len).sum();
        let made = sizes.find_map(|len| {
            if held + len > max_bytes {
                return None;
            }
            map_near(pc, len).map(|base| (base, len))
        });
        let Some((base, len)) = made else {
            // At the limit, rather a zone out of reach than a flush: operands are rewritten, branches go through slots.
            return self.zones.iter().position(|z| z.has_room(bytes));
        };
        advise(base, len);
        let cold = base + hot_bytes(len);
        CONCERNS.add(base, base + len);
        self.zones.push(Zone { base, len, hot: base, cold, hot_index: Vec::new(), cold_index: Vec::new() });
        Some(self.zones.len() - 1)
    }

    /// Bytes that all zones may have.
    fn limit(&mut self) -> u64 {
        let own = if self.max_bytes == 0 { u64::MAX } else { self.max_bytes };
        let least = ZONES_IN_LIMIT * MIN_ZONE_BYTES;
        // A seccomp filter of the guest's need not let anybody ask.
        if !holds(Fact::Filtered) {
            self.space = Some(process::soft_limit(k::RLIMIT_AS));
        }
        own.min((self.space.unwrap_or(u64::MAX) / CACHE_SHARE).max(least))
    }

    /// An empty one, with the same limits.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { zones: Vec::new(), ..*self }
    }

    /// The zone that holds the cache address `pc`.
    #[must_use]
    pub fn zone_of(&self, pc: u64) -> Option<&Zone> {
        self.zones.iter().find(|z| (z.base..z.end()).contains(&pc))
    }

    /// Ranges of address space the cache occupies.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.zones.iter().map(|z| (z.base, z.end()))
    }
}

/// Bytes of a new zone at most, where all of them may have `max_bytes`.
fn largest_zone(max_bytes: u64) -> u64 {
    let largest = if mem::locks_new() { LOCKED_ZONE_BYTES } else { MAX_ZONE_BYTES };
    // A limit is spread over several zones: code lies in two places at least, program and libraries.
    largest.min(max_bytes / ZONES_IN_LIMIT)
}

/// Maps a zone near `pc`: below it where there is room (brk grows above a program), else anywhere within reach.
fn map_near(pc: GuestPc, len: u64) -> Option<u64> {
    let prot = k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC;
    let low = pc.0.saturating_sub(REACH - len).max(0x2_0000);
    // Programs linked low: from just below the indirect-branch table downwards, far from their brk.
    let first = if pc.0 < 1 << 31 { 0x7fe0_0000 - len } else { (pc.0 & !0xffff).saturating_sub(len + (16 << 20)) };
    let mut at = first;
    while at >= low {
        match mem::map_own_at(at, len, prot, k::MAP_FIXED_NOREPLACE | k::MAP_NORESERVE) {
            Ok(got) => return Some(got),
            Err(Errno::EEXIST) => {}
            // Below what a program may map (vm.mmap_min_addr).
            Err(Errno::EPERM) => break,
            // Limits of address space or locked memory, or a policy: another place will not help.
            Err(_) => return None,
        }
        let Some(next) = at.checked_sub(len / 2) else { break };
        at = next;
    }
    // Nothing within reach: operands out of reach are rewritten, branches between zones go through slots.
    mem::mmap_own(len, prot, k::MAP_NORESERVE).ok()
}

/// Large guests run from large pages: after the first megabytes, which small programs never leave, the kernel is asked
/// for them. Code in small pages misses the instruction TLB more often than the guest's own, which is denser.
fn advise(base: u64, len: u64) {
    let middle = base + hot_bytes(len);
    for (start, end) in [(base, middle), (middle, base + len)] {
        let from = (start + SMALL_PAGES_BYTES).next_multiple_of(HUGE_PAGE);
        let len = (end & !(HUGE_PAGE - 1)).saturating_sub(from);
        if len == 0 {
            continue;
        }
        mem::prefer_huge_pages(from, len);
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
