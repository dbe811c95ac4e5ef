//! Model-based test of files and pipes: random sequences of operations by up to two processes with two threads each,
//! natively and under an engine at a level of emulation. The model is the kernel: every line of output must be the
//! same.
//!
//! `BT_SEQUENCES` asks for another number than 10,000, `BT_SEED` for others. `tests/model` is the program.

mod bench;
mod check;
mod generate;
mod operations;
mod plan;
mod program;
mod search;
mod seeded;
mod shrink;

use anyhow::Result;

use crate::environment::number;
use crate::extent::Extent;
use crate::spec::{Action, Kind, Test};

pub use check::check;
pub use program::build;
pub use seeded::check as seeded_bugs;

/// Sequences of all passes together.
const SEQUENCES: u64 = 10_000;

/// The tests.
pub fn tests(extent: Extent) -> Result<Vec<Test>> {
    let count = number("BT_SEQUENCES", extent.share_of(SEQUENCES))?;
    let sequences = Test::new("model/sequences_show_the_same", Kind::Guest, Action::Sequences { count });
    let mut tests = vec![sequences.at_levels(&["off"])];
    if extent == Extent::Whole {
        tests.push(Test::new("model/seeded_bugs_are_found", Kind::Guest, Action::SeededBugs).only_under("direct"));
    }
    // They use all processors.
    Ok(tests.into_iter().map(|test| test.needs(&["gcc", "libc6-dev"]).alone()).collect())
}
