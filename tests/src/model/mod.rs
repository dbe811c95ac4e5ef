//! Model-based test of files and pipes: random sequences of operations by up to two processes with two threads each, natively and
//! under an engine at a level of emulation. The model is the kernel: every line of output must be the same.
//!
//! `BT_SEQUENCES` asks for another number than 10,000, `BT_SEED` for others. `tests/model` is the program.

mod generate;
mod operations;
mod run;
mod seeded;
mod shrink;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::differential::number;
use crate::paths;
use crate::runner::launch;
use crate::spec::{Action, Kind, Test};

pub use seeded::check as seeded_bugs;

const SEQUENCES: u64 = 10_000;
/// Sequences for each start of the program.
const BATCH: u64 = 250;
const SEED: u64 = 1;

/// Percent of all sequences by engine and level: the ways worth most doubt get most.
const SHARES: &[(&str, Option<&str>, u64)] = &[
    ("direct", None, 40),
    ("direct", Some("relaxed"), 30),
    ("direct", Some("off"), 5),
    ("translate", None, 10),
    ("translate", Some("relaxed"), 10),
    ("translate", Some("off"), 5),
];

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

fn program() -> PathBuf {
    paths::target().join("guests/model")
}

/// Builds the program.
pub fn build() -> Result<()> {
    let folder = paths::sources().join("model");
    let mut sources: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "c"))
        .collect();
    sources.sort();
    let output = program();
    if let Some(parent) = output.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let done = Command::new("gcc")
        .args(["-O1", "-g", "-Wall", "-Wextra", "-pthread", "-o"])
        .arg(&output)
        .args(&sources)
        .output()
        .context("cannot start gcc")?;
    if !done.status.success() {
        bail!("gcc failed\n{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

/// Runs the pass's share of the sequences.
pub fn check(pass: &str, home: &Path) -> Result<()> {
    let (engine, level) = (launch::engine_of(pass), launch::level_of(pass));
    let index = SHARES.iter().position(|&(name, at, _)| name == engine && at == level);
    let share = index.and_then(|index| SHARES.get(index)).map_or(5, |&(_, _, share)| share);
    let total = number("BT_SEQUENCES", SEQUENCES)? * share / 100;
    let plan = run::Plan {
        pass: pass.to_owned(),
        number: index.map_or(99, |index| index as u64),
        seed: number("BT_SEED", SEED)?,
        batches: total.div_ceil(BATCH).max(1),
        batch: BATCH.min(total.max(1)),
        launcher: None,
        options: Vec::new(),
        makes_simpler: true,
        home: home.join(pass),
    };
    let started = Instant::now();
    let found = plan.search()?;
    println!(
        "  {} sequences under {pass}, seed {}, {:.1} s",
        plan.batches * plan.batch,
        plan.seed,
        started.elapsed().as_secs_f64()
    );
    match found {
        None => Ok(()),
        Some(difference) => bail!("{difference}"),
    }
}
