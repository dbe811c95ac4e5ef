//! Files and strings from anybody: mutated programs, `#!` scripts and environments are executed natively and under an
//! engine, and end the same way with the same output; what the runtime hands from image to image may be anything.
//!
//! Only what describes a program is mutated, not its code. `BT_MUTANTS` asks for another number, `BT_SEED` for others.
//! `tests/mutants` holds the program that is mutated, and the one that executes the mutants.

mod build;
mod check;
mod elf;
mod generate;

use anyhow::Result;

use crate::environment::number;
use crate::extent::Extent;
use crate::spec::{Action, Kind, Test};

pub use build::build;
pub use check::check;

/// Mutants of each pass.
const MUTANTS: u64 = 10_000;

/// The test.
pub fn tests(extent: Extent) -> Result<Vec<Test>> {
    let count = number("BT_MUTANTS", extent.share_of(MUTANTS))?;
    let test = Test::new("mutants/end_as_natively", Kind::Guest, Action::Mutants { count });
    Ok(vec![test.needs(&["gcc", "libc6-dev", "perl", "strace"]).alone()])
}
