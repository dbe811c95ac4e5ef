//! Model-based test of files and pipes: random sequences of operations by up to two processes with two threads each, natively and
//! under an engine at a level of emulation. The model is the kernel: every line of output must be the same.
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

use crate::spec::{Action, Kind, Test};

pub use check::check;
pub use program::build;
pub use seeded::check as seeded_bugs;

/// The tests.
pub fn tests() -> Vec<Test> {
    let sequences = Test::new("model/sequences_show_the_same", Kind::Guest, Action::Sequences);
    let seeded = Test::new("model/seeded_bugs_are_found", Kind::Guest, Action::SeededBugs).only_under("direct");
    // Both use all processors.
    vec![sequences.at_levels(&["off", "relaxed"]), seeded]
        .into_iter()
        .map(|test| test.needs(&["gcc", "libc6-dev"]).alone())
        .collect()
}
