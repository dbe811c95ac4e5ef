//! What other threads read or write of a thread: words, each of which is loaded and stored as a whole.

use super::held::Held;
use super::shared_maps::SharedMaps;
use crate::calls::SAMPLED_COUNT;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// System call numbers below this one have a counter.
pub const COUNTED_CALLS: usize = bt_translator::layout::ENTRIES as usize;
/// Different numbers outside the table that are counted.
pub const UNKNOWN_CALLS: usize = 8;

/// One word for each call, by number.
pub type PerCall = [AtomicU64; COUNTED_CALLS];

/// The part of a thread's block that other threads may look at. The gate's assembly reaches it from `gs`, as it does
/// the state before it.
#[repr(C)]
pub struct Shared {
    /// 1 while a thread uses this block.
    pub in_use: AtomicU32,
    /// Not 0 for the child of vfork or a CLONE_VM process: other pid, other descriptors.
    pub foreign: AtomicU32,
    /// Thread id, 0 before the thread runs.
    pub tid: AtomicU32,
    /// The call about a descriptor that the thread is making ([`use_of`]); 0 without one. Only the thread itself writes it.
    pub lane_use: AtomicU32,
    /// Signals of [`never_blocked`](super::held::never_blocked) that are blocked as far as the guest knows. Only the
    /// thread itself writes it.
    pub kept_mask: AtomicU64,
    /// Signals that are pending for the thread.
    pub held: Held,
    /// Not 0 while the thread makes a call beside those of others (`engine::alone`).
    pub beside: AtomicU32,
    /// Shared mappings that it made so.
    pub shared_maps: SharedMaps,
    /// Flush of the code cache that this thread has seen.
    pub epoch: AtomicU64,
    /// Signals delivered.
    pub signals: AtomicU64,
    /// Dispatcher entries.
    pub dispatches: AtomicU64,
    /// Look-ups answered by the second-level table.
    pub lookup_hits: AtomicU64,
    /// Numbers outside the table (all of rax), with their counts.
    pub unknown_calls: [(AtomicU64, AtomicU64); UNKNOWN_CALLS],
    /// What was taken off `counts` of the sampled calls.
    pub granted: [AtomicU64; SAMPLED_COUNT],
    /// Calls answered in the process.
    pub answered: PerCall,
    /// Where the gate goes on for a call.
    pub call_entries: PerCall,
    /// System calls of this thread that passed. Those of `calls::SAMPLED` count up to zero: then the runtime looks at
    /// one.
    pub counts: PerCall,
    /// `call_entries` without regard to ring 0. From here on nothing is touched unless engine `ring0` is chosen.
    pub plain_entries: PerCall,
    /// Calls made in ring 0. The module writes it.
    pub ring0_calls: PerCall,
}

/// [`Shared::lane_use`] of a call that neither uses nor moves the offset.
pub const POSITIONAL: u32 = 1 << 30;
/// [`Shared::lane_use`] of a call that may move the offset of any descriptor.
pub const ANY: u32 = u32::MAX;

/// [`Shared::lane_use`] of a call about `fd`.
#[must_use]
pub const fn use_of(fd: i32, is_positional: bool) -> u32 {
    fd.cast_unsigned().wrapping_add(1) | if is_positional { POSITIONAL } else { 0 }
}

impl Shared {
    /// The thread says what it is about to do by a descriptor ([`use_of`]), before it looks for its lane.
    pub fn says(&self, lane_use: u32) {
        self.lane_use.store(lane_use, Ordering::SeqCst);
    }

    /// The thread belongs to another process than the one that owns this memory.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.foreign.load(Ordering::Relaxed) != 0
    }

    /// Signals of [`never_blocked`](super::held::never_blocked) that the thread's guest blocks.
    #[must_use]
    pub fn kept_mask(&self) -> u64 {
        self.kept_mask.load(Ordering::Relaxed)
    }

    /// The state of a thread that has not begun.
    pub fn begin(&self) {
        self.tid.store(0, Ordering::Relaxed);
        self.epoch.store(0, Ordering::Relaxed);
        self.foreign.store(0, Ordering::Relaxed);
        self.kept_mask.store(0, Ordering::Relaxed);
        self.lane_use.store(0, Ordering::Relaxed);
        self.held.discard(u64::MAX);
    }

    /// Every figure begins at zero. Those of ring 0 only where it is chosen: their pages are not touched otherwise.
    pub fn reset_figures(&self, with_ring0: bool) {
        let unknown = self.unknown_calls.iter().flat_map(|(nr, count)| [nr, count]);
        let figures = [&self.signals, &self.dispatches, &self.lookup_hits];
        for word in figures.into_iter().chain(unknown).chain(&self.granted).chain(&self.answered).chain(&self.counts) {
            word.store(0, Ordering::Relaxed);
        }
        if with_ring0 {
            for word in &self.ring0_calls {
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Counts a call whose number is outside the table.
    pub fn count_unknown(&self, nr: u64) {
        let is_free = |(n, count): &&(AtomicU64, AtomicU64)| {
            count.load(Ordering::Relaxed) == 0 || n.load(Ordering::Relaxed) == nr
        };
        if let Some((n, count)) = self.unknown_calls.iter().find(is_free) {
            n.store(nr, Ordering::Relaxed);
            add(count, 1);
        }
    }
}

/// Adds to a word that only the calling thread writes: others may look at it, so it is stored as a whole.
pub fn add(word: &AtomicU64, n: u64) {
    word.store(word.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

/// Takes all of such a word.
#[must_use]
pub fn take(word: &AtomicU64) -> u64 {
    let n = word.load(Ordering::Relaxed);
    word.store(0, Ordering::Relaxed);
    n
}
