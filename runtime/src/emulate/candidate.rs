//! What a look at a sampled call finds.

use crate::calls::SAMPLED;

/// The place of a sampled call in [`SAMPLED`].
#[must_use]
pub fn index(nr: usize) -> Option<usize> {
    SAMPLED.iter().position(|&sampled| sampled as usize == nr)
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
