//! The check of one pass: its share of the sequences.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use super::plan::{BATCH, Plan, SEED};
use super::search::search;
use crate::environment::number;
use crate::runner::launch;

/// Percent of all sequences by engine and level: the ways worth most doubt get most.
const SHARES: &[(&str, Option<&str>, u64)] =
    &[("direct", None, 70), ("direct", Some("off"), 5), ("translate", None, 20), ("translate", Some("off"), 5)];

/// Runs the pass's share of `count` sequences.
pub fn check(pass: &str, count: u64, home: &Path) -> Result<()> {
    let (engine, level) = (launch::engine_of(pass), launch::level_of(pass));
    let index = SHARES.iter().position(|&(name, at, _)| name == engine && at == level);
    let share = index.and_then(|index| SHARES.get(index)).map_or(5, |&(_, _, share)| share);
    let total = count * share / 100;
    let plan = Plan {
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
    let found = search(&plan)?;
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
