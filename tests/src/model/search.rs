//! Runs batches of sequences natively and under the launcher, and compares them sequence by sequence.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use proptest::strategy::{Strategy as _, ValueTree as _};

use super::bench::Bench;
use super::generate;
use super::plan::{Manner, Plan};
use super::shrink::{self, Tree};
use crate::runner::launch::Launch;

/// A batch takes about a second.
const BATCH_LIMIT: Duration = Duration::from_secs(30);

/// Runs all batches; the first difference ends the search.
pub fn search(plan: &Plan) -> Result<Option<String>> {
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let found: Mutex<Vec<Result<String>>> = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, stop, found) = (&next, &stop, &found);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let batch = next.fetch_add(1, Ordering::Relaxed);
                    if batch >= plan.batches {
                        return;
                    }
                    let result = run_batch(plan, batch, worker).with_context(|| format!("batch {batch}"));
                    if let Some(difference) = result.transpose() {
                        stop.store(true, Ordering::Relaxed);
                        found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(difference);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_iter().next().transpose()
}

/// Runs one batch: natively twice, then under the launcher.
fn run_batch(plan: &Plan, batch: u64, worker: usize) -> Result<Option<String>> {
    let manner = Manner::of(batch);
    let mut runner = generate::source(plan.seed, plan.number, batch);
    let strategy = generate::sequences(manner.same_process);
    let mut trees: Vec<Tree> = (0..plan.batch)
        .map(|_| strategy.new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}")))
        .collect::<Result<_>>()?;
    let texts: Vec<String> = trees.iter().enumerate().map(|(number, tree)| tree.current().text(number)).collect();
    let directory = plan.home.join(format!("worker{worker}"));
    fs::create_dir_all(&directory)?;
    let mut bench = Bench { plan, directory, manner, limit: BATCH_LIMIT };
    let native = bench.run(&Launch::Native, &texts, "native")?;
    let again = bench.run(&Launch::Native, &texts, "again")?;
    if let Some(trouble) = &native.trouble {
        bail!("natively the program {trouble}");
    }
    if let Some(index) = native.first_difference(&again, texts.len()) {
        bail!(
            "two native runs differ: the sequence does not belong here\n{}\n{}",
            texts.get(index).map_or("", String::as_str),
            shrink::side_by_side(native.sequences.get(index), again.sequences.get(index), "again")
        );
    }
    let ours = bench.run(&bench.ours(), &texts, "ours")?;
    let Some(index) = native.first_difference(&ours, texts.len()) else {
        return Ok(None);
    };
    bench.limit = shrink::RUN_LIMIT;
    let tree = trees.get_mut(index).context("the batch is shorter")?;
    let mut report = format!("seed {}, batch {batch}, sequence {index}, {manner:?}\n", plan.seed);
    if let Some(trouble) = &ours.trouble {
        report.push_str(&format!("ours {trouble}\n"));
    }
    let simplest = if plan.makes_simpler { shrink::shrink(&bench, tree)? } else { None };
    let Some(simplest) = simplest else {
        let kept = bench.directory.join("ours.sequences");
        report.push_str(&format!("it does not differ alone; with what came before it is in {}\n", kept.display()));
        report.push_str(&shrink::side_by_side(native.sequences.get(index), ours.sequences.get(index), &plan.pass));
        return Ok(Some(report));
    };
    report.push_str(&simplest);
    Ok(Some(report))
}
