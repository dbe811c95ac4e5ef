//! What a look at a sampled call finds.

use crate::calls::SAMPLED;
use crate::thread::shared::Shared;
use core::sync::atomic::{AtomicU64, Ordering};

/// The place of a sampled call in [`SAMPLED`].
#[must_use]
pub fn index(nr: usize) -> Option<usize> {
    SAMPLED.iter().position(|&sampled| sampled as usize == nr)
}

/// Calls `nr` of a thread that passed.
#[must_use]
pub fn passed(shared: &Shared, nr: usize) -> u64 {
    let value = |word: Option<&AtomicU64>| word.map_or(0, |word| word.load(Ordering::Relaxed));
    value(shared.counts.get(nr)).wrapping_add(value(index(nr).and_then(|i| shared.granted.get(i))))
}

/// What a look has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// The descriptor has a lane now.
    Lane,
    /// It may get one if the next look sees it again.
    Candidate,
    /// It gets none.
    Nothing,
}
