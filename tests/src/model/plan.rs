//! What a pass has to do, and how its batches are run.

use std::path::PathBuf;

/// Sequences for each start of the program.
pub const BATCH: u64 = 250;
/// The seed, where the environment has no other.
pub const SEED: u64 = 1;

/// What one pass has to do.
#[derive(Debug)]
pub struct Plan {
    /// Engine and level.
    pub pass: String,
    /// A number of the pass's own, so that it gets other sequences than the other passes.
    pub number: u64,
    /// Chosen by the user.
    pub seed: u64,
    /// How many batches.
    pub batches: u64,
    /// Sequences of each.
    pub batch: u64,
    /// Another launcher than the one under test.
    pub launcher: Option<PathBuf>,
    /// Further options of the launcher.
    pub options: Vec<String>,
    /// What differs is made as simple as it gets.
    pub makes_simpler: bool,
    /// Inputs and outputs.
    pub home: PathBuf,
}

/// How the sequences of a batch are run.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// All in one process, instead of a new one for each.
    pub same_process: bool,
    /// Process B and executed programs are native.
    pub native_partner: bool,
}

impl Manner {
    /// Half in one process, most with a native partner: another process of the family can be asked to let go, a native
    /// one sees what any process sees.
    pub fn of(batch: u64) -> Self {
        Self { same_process: batch.is_multiple_of(2), native_partner: batch % 4 != 3 }
    }

    /// The program's word for it.
    pub fn word(self) -> &'static str {
        if self.same_process { "same" } else { "fresh" }
    }
}
