//! One run: prepares benchmarks, places them on CPUs, measures and keeps their rows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::benchmark::{Benchmark, Others, Place, Setting, Suite};
use super::contest;
use super::progress::Progress;
use super::row;
use super::sampler::{Prepared, Samples};
use super::ways::{Contender, How};
use crate::launch::Launcher;
use crate::os::{self, CpuSet};
use crate::programs;
use crate::result::{ResultRow, State, Writer};
use crate::suites::{Stop, drivers};

/// What a run knows.
pub struct Session {
    /// What all rows say alike.
    pub common: row::Common,
    /// Native, and the engines.
    pub engines: Vec<Contender>,
    /// Who takes part where a benchmark asks for others.
    pub interposers: Vec<Contender>,
    /// Runs commands natively.
    pub launcher: Launcher,
    /// The CPUs that this process had at its start.
    pub all_cpus: CpuSet,
    /// The CPU of what is pinned to one.
    pub cpu: usize,
    /// Exactly so many rounds.
    pub rounds: Option<usize>,
    /// Where rows go.
    pub writer: Writer,
    /// The rows so far.
    pub rows: Vec<ResultRow>,
    /// The drivers that were built, or why they were not.
    pub drivers: BTreeMap<&'static str, Result<PathBuf, String>>,
}

impl Session {
    /// Measures the benchmarks in their order.
    ///
    /// # Errors
    /// See [`Stop`]; the rows so far are kept.
    pub fn run(&mut self, chosen: &[(&'static Suite, Benchmark)]) -> Result<(), Stop> {
        let total = chosen.iter().map(|(_, benchmark)| self.steps(benchmark) * self.step_ms(benchmark)).sum();
        let progress = Progress::of(total);
        let mut result = Ok(());
        for (suite, benchmark) in chosen {
            progress.plan(self.step_ms(benchmark), self.steps(benchmark));
            result = self.run_one(suite, benchmark, &progress);
            progress.done();
            if result.is_err() {
                break;
            }
        }
        progress.end();
        self.all_cpus.confine().context("affinity")?;
        result
    }

    fn step_ms(&self, benchmark: &Benchmark) -> u64 {
        u64::from(benchmark.expected_ms.of(self.common.quick))
    }

    fn rounds(&self, benchmark: &Benchmark) -> usize {
        self.rounds.unwrap_or_else(|| benchmark.rounds.of(self.common.quick))
    }

    /// How many samples there are if nobody fails.
    fn steps(&self, benchmark: &Benchmark) -> u64 {
        let runs = |contender: &&Contender| !matches!(contender.how, How::Missing(_));
        let ways = self.contenders(benchmark).iter().filter(runs).count();
        (ways * (1 + self.rounds(benchmark)) + 1) as u64
    }

    fn contenders(&self, benchmark: &Benchmark) -> Vec<Contender> {
        let others = match benchmark.others {
            Others::No => &[][..],
            Others::Interposers => &self.interposers,
        };
        self.engines.iter().chain(others).cloned().collect()
    }

    fn run_one(&mut self, suite: &Suite, benchmark: &Benchmark, progress: &Progress) -> Result<(), Stop> {
        let contenders = self.contenders(benchmark);
        let cpus = self.cpus(benchmark.place);
        let pinned: &[usize] = if benchmark.place == Place::All { &[] } else { cpus.as_deref().unwrap_or(&[]) };
        let row =
            |contender: &Contender| row::empty(&self.common, suite.name, benchmark, contender.way.clone(), pinned);
        let mut rows: Vec<ResultRow> = contenders.iter().map(row).collect();
        let prepared = match &cpus {
            None => Err("needs two CPUs, and there is one".to_owned()),
            Some(cpus) => self.prepare(benchmark, cpus),
        };
        let result = match prepared {
            Err(reason) => {
                rows.iter_mut().for_each(|row| row.state = State::Unavailable { reason: reason.clone() });
                Ok(())
            }
            Ok(prepared) => {
                for (row, contender) in rows.iter_mut().zip(&contenders) {
                    // Where the rows are read there is another folder.
                    let scratch = self.launcher.scratch.display().to_string();
                    row.command = prepared.line(contender).replace(&scratch, "target/bench");
                }
                if let Some(done) = self.measured_before(&rows) {
                    rows = done;
                    Ok(())
                } else {
                    let rounds = self.rounds(benchmark);
                    let mut samples = Samples { prepared, launcher: &self.launcher, quick: self.common.quick };
                    contest::measure(&contenders, &mut rows, benchmark, rounds, &mut samples, progress)
                }
            }
        };
        if os::interrupted() {
            rows.retain(|row| !row.samples.is_empty());
        }
        for row in rows {
            self.writer.write(&row)?;
            self.rows.push(row);
        }
        if os::interrupted() { Err(Stop::Interrupted) } else { result }
    }

    /// Two suites may name the same command: it is measured once, and each suite has the rows.
    fn measured_before(&self, rows: &[ResultRow]) -> Option<Vec<ResultRow>> {
        let found = rows.iter().map(|row| {
            let is_same = |done: &&ResultRow| {
                (&done.command, &done.way, done.unit) == (&row.command, &row.way, row.unit)
                    && done.pinned_cpus == row.pinned_cpus
                    && done.suite != row.suite
            };
            let done = self.rows.iter().find(is_same)?.clone();
            let mut notes = done.notes.clone();
            notes.push(format!("measured once, with suite {}", done.suite));
            Some(ResultRow {
                suite: row.suite.clone(),
                name: row.name.clone(),
                title: row.title.clone(),
                params: row.params.clone(),
                notes,
                ..done
            })
        });
        found.collect()
    }

    /// The CPUs of a place; `None` where there are too few.
    fn cpus(&self, place: Place) -> Option<Vec<usize>> {
        let all = self.all_cpus.cpus();
        match place {
            Place::One => Some(vec![self.cpu]),
            Place::All => Some(all),
            Place::Two => {
                let other = all.into_iter().rfind(|&cpu| cpu != self.cpu)?;
                Some(vec![self.cpu, other])
            }
        }
    }

    fn prepare(&mut self, benchmark: &Benchmark, cpus: &[usize]) -> Result<Prepared, String> {
        let missing: Vec<&str> =
            benchmark.programs().into_iter().filter(|program| programs::find(program).is_none()).collect();
        if !missing.is_empty() {
            return Err(format!("{} not installed: {}", missing.join(", "), programs::apt_line(&missing)));
        }
        CpuSet::of(cpus)
            .context("no such CPU")
            .and_then(|set| Ok(set.confine()?))
            .map_err(|error| format!("CPUs {cpus:?}: {error:#}"))?;
        for name in benchmark.drivers() {
            let scratch = &self.launcher.scratch;
            let built = self.drivers.entry(name).or_insert_with(|| match drivers::named(scratch, name) {
                Ok(Some(path)) => Ok(path),
                Ok(None) => Err(format!("gcc is not installed: {}", programs::apt_line(&["gcc"]))),
                Err(error) => Err(format!("{error:#}")),
            });
            if let Err(reason) = built {
                return Err(reason.clone());
            }
        }
        let built = self.drivers.iter().filter_map(|(name, path)| Some((*name, path.as_ref().ok()?.clone())));
        let setting =
            Setting { scratch: self.launcher.scratch.clone(), quick: self.common.quick, drivers: built.collect() };
        Prepared::of(benchmark, &setting, cpus).map_err(|error| format!("{error:#}"))
    }
}
