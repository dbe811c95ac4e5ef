//! The geometric mean of a way's slow-downs over several benchmarks.

use super::data::{Benchmark, Outcome, Suite};
use crate::base::stats::{self, Estimate};

/// A mean over several benchmarks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometric {
    /// The mean slow-down with its interval.
    pub estimate: Estimate,
    /// The largest floor among the benchmarks.
    pub floor: f64,
    /// Benchmarks with a figure.
    pub counted: usize,
    /// Benchmarks that this way was tried with.
    pub tried: usize,
}

/// The geometric mean of a way's slow-downs over the benchmarks that are `wanted`.
#[must_use]
pub(super) fn geometric_slowdown(suite: &Suite, way: &str, wanted: impl Fn(&Benchmark) -> bool) -> Option<Geometric> {
    let named = suite.benchmarks.iter().filter(|benchmark| wanted(benchmark));
    let outcomes: Vec<&Outcome> = named.filter_map(|benchmark| benchmark.way(way)).collect();
    let samples: Vec<Vec<f64>> = outcomes.iter().filter_map(|outcome| slowdowns(outcome)).collect();
    let floors = outcomes.iter().filter_map(|outcome| outcome.row.floor);
    Some(Geometric {
        estimate: stats::geometric_mean(&samples)?,
        floor: floors.fold(0.0, f64::max),
        counted: samples.len(),
        tried: outcomes.len(),
    })
}

/// Turn by turn where native's turns are there, else the one ratio.
fn slowdowns(outcome: &Outcome) -> Option<Vec<f64>> {
    let slowdown = outcome.slowdown()?;
    let (samples, native) = (&outcome.row.samples, &outcome.row.native);
    if samples.is_empty() || native.len() < samples.len() {
        return Some(vec![slowdown.median]);
    }
    let ratios = samples.iter().enumerate().map(|(turn, sample)| {
        let base = native.get(turn + 1).map_or(native[turn], |&after| f64::midpoint(native[turn], after));
        if outcome.row.unit.more_is_better() { base / sample } else { sample / base }
    });
    Some(ratios.collect())
}
