//! How much of the random tests is run.

/// Which part of the suite a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Whole,
    /// What fits between two changes: a tenth of the random sequences and blocks, and not the search for seeded bugs,
    /// which builds a launcher of its own.
    Quick,
}

impl Extent {
    /// The share of `whole` that is run.
    #[must_use]
    pub fn share_of(self, whole: u64) -> u64 {
        match self {
            Self::Whole => whole,
            Self::Quick => whole.div_ceil(10),
        }
    }
}
