//! The rows of a report in order: suites, their benchmarks, and what each way gave.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::host::Host;
use crate::base::stats::{self, Estimate};
use crate::rows::engine::Level;
use crate::rows::result::{ResultRow, State, Unit, Way};

use super::load::{Id, Rows, machine};

/// The suites that have tables of their own come first, the others in the order of their files.
const ORDER: [&str; 10] = [
    "singularity",
    "vmware",
    "switch",
    "interpose",
    "syscalls",
    "startup",
    "compute",
    "programs",
    "servers",
    "pipelines",
];

/// Everything a report shows.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// The suites, in the order in which they are shown.
    pub suites: Vec<Suite>,
    /// What was left out, and why.
    pub warnings: Vec<String>,
}

/// One suite.
#[derive(Debug)]
pub(crate) struct Suite {
    /// Its name.
    pub name: String,
    /// The ways that occur: native, engines, peers.
    pub ways: Vec<String>,
    /// The benchmarks, in order.
    pub benchmarks: Vec<Benchmark>,
}

/// One benchmark and what each way gave.
#[derive(Debug)]
pub(crate) struct Benchmark {
    /// Suite, name, parameters.
    pub id: Id,
    /// What a table calls it, parameters included.
    pub title: String,
    /// What its figures are counted in.
    pub unit: Unit,
    /// One for each way that was tried.
    pub results: Vec<Outcome>,
}

/// What one way gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What the way is called; with its run where several are shown.
    pub way: String,
    /// The row.
    pub row: ResultRow,
    /// This way / native.
    pub ratio: Option<Estimate>,
}

/// What a ratio says beyond its interval and floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Better than native.
    Better,
    /// Worse than native.
    Worse,
    /// No difference can be seen.
    Same,
    /// There is no ratio: native itself, or no figure.
    None,
}

impl Verdict {
    /// The sign in a table.
    #[must_use]
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Better => "▲",
            Self::Worse => "▼",
            Self::Same | Self::None => "",
        }
    }
}

impl Outcome {
    /// The median with its interval, in the benchmark's unit.
    #[must_use]
    pub(crate) fn estimate(&self) -> Option<Estimate> {
        if self.row.state != State::Measured {
            return None;
        }
        self.row.estimate.or_else(|| stats::estimate(&self.row.samples)).filter(|estimate| estimate.median.is_finite())
    }

    /// Nanoseconds per operation or run, where the unit is a time.
    #[must_use]
    pub(crate) fn nanoseconds(&self) -> Option<Estimate> {
        let factor = self.row.unit.in_nanoseconds()?;
        self.estimate().map(|estimate| estimate.scaled(factor))
    }

    /// Cycles of the time-stamp counter.
    #[must_use]
    pub(crate) fn cycles(&self) -> Option<Estimate> {
        self.row.cycles.filter(|_| self.row.state == State::Measured)
    }

    /// Whether native is beaten, or beats, by more than interval and floor explain.
    #[must_use]
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(ratio) = self.ratio else { return Verdict::None };
        let floor = self.row.floor.unwrap_or(0.0);
        let (above, below) = (ratio.low > 1.0 + floor, ratio.high < 1.0 - floor);
        match (above, below, self.row.unit.more_is_better()) {
            (true, _, false) | (_, true, true) => Verdict::Worse,
            (true, _, true) | (_, true, false) => Verdict::Better,
            (false, false, _) => Verdict::Same,
        }
    }

    /// How many times the time native takes: above 1 is worse, whatever the unit.
    #[must_use]
    pub(crate) fn slowdown(&self) -> Option<Estimate> {
        let ratio = self.ratio?;
        Some(if self.row.unit.more_is_better() { ratio.inverse() } else { ratio })
    }

    /// Why there is no figure.
    #[must_use]
    pub(crate) fn reason(&self) -> Option<(&'static str, &str)> {
        match &self.row.state {
            State::Failed { reason } => Some(("failed", reason)),
            State::Unavailable { reason } => Some(("unavailable", reason)),
            State::Measured if self.estimate().is_none() => Some(("failed", "no sample")),
            State::Measured => None,
        }
    }

    /// The row's key: `suite/name:params/way`.
    #[must_use]
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", Id::of(&self.row).key(), super::format::slug(&self.way))
    }
}

impl Benchmark {
    /// What a way gave.
    #[must_use]
    pub(crate) fn way(&self, way: &str) -> Option<&Outcome> {
        self.results.iter().find(|outcome| outcome.way == way)
    }

    /// One of the compute programs that stand beside others in suite `vmware`.
    #[must_use]
    pub(crate) fn is_compute(&self) -> bool {
        let whole_program = self.id.suite == "vmware" && self.unit == Unit::Seconds;
        whole_program && !["compile", "forkwait"].contains(&self.id.name.as_str())
    }

    /// A parameter.
    #[must_use]
    pub(crate) fn param(&self, name: &str) -> Option<f64> {
        self.results.first()?.row.params.get(name).copied()
    }
}

impl Suite {
    /// Whether native is what its ways are compared with; otherwise its ratios belong into no table or plot of ratios
    /// to native.
    #[must_use]
    pub(crate) fn is_beside_native(&self) -> bool {
        self.benchmarks.iter().flat_map(|benchmark| &benchmark.results).all(|outcome| outcome.row.base.is_none())
    }

    /// A benchmark by name, and by one parameter where it has it.
    #[must_use]
    pub(crate) fn find(&self, name: &str, param: Option<(&str, f64)>) -> Option<&Benchmark> {
        self.benchmarks.iter().find(|benchmark| {
            benchmark.id.name == name
                && param.is_none_or(|(key, value)| benchmark.param(key).is_none_or(|found| found == value))
        })
    }
}

/// A machine, and what was measured on it.
pub(crate) struct Machine<'data> {
    /// As its newest row describes it.
    pub host: &'data Host,
    /// Dates of its first and last row.
    pub date: String,
    /// Its runs.
    pub runs: Vec<&'data str>,
    /// The revisions that were measured, in the order of the runs, as short as people write them.
    pub revisions: Vec<&'data str>,
}

fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}

impl Data {
    /// Sorts rows into suites, benchmarks and ways.
    #[must_use]
    pub(crate) fn of(rows: Rows) -> Self {
        let runs: BTreeSet<(Id, String)> = rows.rows.iter().map(|row| (Id::of(row), row.way.name())).collect();
        let several = runs.len() < rows.rows.len();
        let mut suites: Vec<Suite> = Vec::new();
        for row in rows.rows {
            let position = suites.iter().position(|suite| suite.name == row.suite);
            let index = position.unwrap_or(suites.len());
            if position.is_none() {
                suites.push(Suite { name: row.suite.clone(), ways: Vec::new(), benchmarks: Vec::new() });
            }
            suites[index].add(row, several);
        }
        suites.sort_by_key(|suite| ORDER.iter().position(|name| *name == suite.name).unwrap_or(ORDER.len()));
        for suite in &mut suites {
            suite.finish();
        }
        Self { suites, warnings: rows.warnings }
    }

    /// A suite by name.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn suite(&self, name: &str) -> Option<&Suite> {
        self.suites.iter().find(|suite| suite.name == name)
    }

    /// All rows.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.suites.iter().flat_map(|suite| &suite.benchmarks).flat_map(|benchmark| &benchmark.results)
    }

    /// The machines, each once.
    #[must_use]
    pub(crate) fn machines(&self) -> Vec<Machine<'_>> {
        let names: BTreeSet<String> = self.outcomes().map(|outcome| machine(&outcome.row.host)).collect();
        let mut machines = Vec::new();
        for name in names {
            let rows = || self.outcomes().map(|outcome| &outcome.row).filter(|row| machine(&row.host) == name);
            let runs: BTreeSet<&str> = rows().map(|row| row.run.as_str()).collect();
            let revisions: BTreeMap<&str, &str> =
                rows().map(|row| (row.run.as_str(), row.host.revision.as_str())).collect();
            let mut revisions: Vec<&str> = revisions.into_values().map(short).collect();
            revisions.dedup();
            let (Some(first), Some(last)) = (rows().map(|row| &row.date).min(), rows().map(|row| &row.date).max())
            else {
                continue;
            };
            let date = if first == last { first.clone() } else { format!("{first} to {last}") };
            if let Some(newest) = rows().max_by_key(|row| row.date.clone()) {
                let runs = runs.into_iter().collect();
                machines.push(Machine { host: &newest.host, date, runs, revisions });
            }
        }
        machines
    }
}

impl Suite {
    fn add(&mut self, row: ResultRow, several_runs: bool) {
        let id = Id::of(&row);
        let mut way = row.way.name();
        if several_runs {
            way = format!("{way} ({})", row.run);
        }
        let position = self.benchmarks.iter().position(|benchmark| benchmark.id == id);
        let index = position.unwrap_or(self.benchmarks.len());
        if position.is_none() {
            let params: Vec<String> = id.params.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let name = if row.title.is_empty() { row.name.clone() } else { row.title.clone() };
            // A title that names the parameters itself is left as it is.
            let told = params.iter().all(|param| name.contains(param.as_str()));
            let title = if told { name } else { format!("{name}, {}", params.join(", ")) };
            self.benchmarks.push(Benchmark { id, title, unit: row.unit, results: Vec::new() });
        }
        self.benchmarks[index].results.push(Outcome { way, ratio: row.ratio, row });
    }

    /// Orders ways and benchmarks and fills in the ratios that a row lacks.
    fn finish(&mut self) {
        let mut ways: Vec<((usize, usize, String), String)> = Vec::new();
        for outcome in self.benchmarks.iter().flat_map(|benchmark| &benchmark.results) {
            if !ways.iter().any(|(_, way)| *way == outcome.way) {
                ways.push((rank(&outcome.row.way), outcome.way.clone()));
            }
        }
        ways.sort();
        self.ways = ways.into_iter().map(|(_, way)| way).collect();
        let names: Vec<String> = self.benchmarks.iter().map(|benchmark| benchmark.id.name.clone()).collect();
        self.benchmarks.sort_by(|left, right| {
            let place = |benchmark: &Benchmark| names.iter().position(|name| *name == benchmark.id.name);
            let numbers = |benchmark: &Benchmark| -> Vec<f64> {
                benchmark
                    .results
                    .first()
                    .map_or_else(Vec::new, |outcome| outcome.row.params.values().copied().collect())
            };
            let order = numbers(left).partial_cmp(&numbers(right));
            place(left).cmp(&place(right)).then(order.unwrap_or(std::cmp::Ordering::Equal))
        });
        for benchmark in &mut self.benchmarks {
            benchmark.results.sort_by_key(|outcome| self.ways.iter().position(|way| *way == outcome.way));
            fill_ratios(benchmark);
        }
    }
}

/// A row without a ratio is compared with native of the same run, by medians.
fn fill_ratios(benchmark: &mut Benchmark) {
    let native: Vec<(String, f64)> = benchmark
        .results
        .iter()
        .filter(|outcome| outcome.row.way == Way::Native)
        .filter_map(|outcome| Some((outcome.row.run.clone(), outcome.estimate()?.median)))
        .collect();
    for outcome in &mut benchmark.results {
        if outcome.row.state != State::Measured || outcome.row.way == Way::Native {
            outcome.ratio = None;
        } else if outcome.ratio.is_none() {
            let base = native.iter().find(|(run, _)| *run == outcome.row.run).map(|(_, median)| *median);
            outcome.ratio = base
                .filter(|base| *base > 0.0)
                .and_then(|base| outcome.estimate().map(|estimate| estimate.scaled(1.0 / base)));
        }
    }
}

/// Native, engines (direct, translate, ring0, others) by level, peers; within them by name.
fn rank(way: &Way) -> (usize, usize, String) {
    let level = match way {
        Way::Engine { emulate: Some(level), .. } => Level::named(level).map_or(9, |level| 1 + level as usize),
        _ => 0,
    };
    let order = match way {
        Way::Native => 0,
        Way::Engine { engine, .. } => {
            1 + ["direct", "translate", "ring0"].iter().position(|name| name == engine).unwrap_or(3)
        }
        Way::Peer { .. } => 9,
    };
    (order, level, way.name())
}

#[cfg(test)]
mod tests;
