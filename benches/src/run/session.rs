//! One run: prepares benchmarks, places them on CPUs, measures and keeps their rows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;

pub(crate) use super::contest::Stop;
use super::contest::{Contest, Length};
use super::launch::Launcher;
use super::progress::Progress;
use super::row;
use super::sampler::{Prepared, Samples};
use super::ways::{Contender, How};
use crate::base::cpus::CpuSet;
use crate::base::{process, programs};
use crate::rows::engine::{Engine, Level};
use crate::rows::judge;
use crate::rows::result::{ResultRow, State, Way, Writer};
use crate::suites::benchmark::{Base, Benchmark, Images, Others, Place, Scaled, Setting, Suite};
use crate::suites::drivers;

/// How many rounds a run takes of each benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thoroughness {
    /// What the benchmark says.
    Usual,
    /// What the benchmark says, and more where a median is close to its target.
    Settled,
    /// So many.
    Exactly(usize),
}

impl Thoroughness {
    fn of(self, usual: Scaled<usize>, quick: bool) -> Length {
        let usual = usual.of(quick);
        match self {
            Self::Usual => Length { rounds: usual, settles: false },
            Self::Settled => Length { rounds: usual, settles: !quick },
            Self::Exactly(rounds) => Length { rounds, settles: false },
        }
    }
}

/// What a run knows.
pub(crate) struct Session {
    /// What all rows say alike.
    pub common: row::Common,
    /// Who takes part in every benchmark, native first.
    pub ways: Vec<Contender>,
    /// Engines with `--emulate off`, for the benchmarks in which they take the place of native.
    pub off: Vec<Contender>,
    /// Who takes part where a benchmark asks for others.
    pub interposers: Vec<Contender>,
    /// Where loops and programs read and write files.
    pub files: PathBuf,
    /// Runs commands natively.
    pub launcher: Launcher,
    /// The CPUs that this process had at its start.
    pub all_cpus: CpuSet,
    /// The CPU of what is pinned to one.
    pub cpu: usize,
    /// How many rounds.
    pub rounds: Thoroughness,
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
    /// The user stopped it, or rows cannot be written; the rows so far are kept.
    pub(crate) fn run(&mut self, chosen: &[(&'static Suite, Benchmark)]) -> Result<(), Stop> {
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

    fn length(&self, benchmark: &Benchmark) -> Length {
        self.rounds.of(benchmark.rounds, self.common.quick)
    }

    /// How many samples there are if nobody fails.
    fn steps(&self, benchmark: &Benchmark) -> u64 {
        let there = |contender: &&Contender| !matches!(contender.how, How::Missing(_));
        let of_contest = |contenders: Vec<Contender>| {
            let ways = contenders.iter().filter(there).count();
            ways * (1 + self.length(benchmark).rounds) + 1
        };
        self.contests(benchmark).into_iter().map(of_contest).sum::<usize>() as u64
    }

    /// Who is compared in a benchmark, the base first: once beside native, or each engine beside itself without
    /// emulation.
    fn contests(&self, benchmark: &Benchmark) -> Vec<Vec<Contender>> {
        match benchmark.base {
            Base::Native => vec![self.beside_native(benchmark)],
            Base::Off => {
                let engines = Engine::value_variants().iter();
                engines.filter_map(|&engine| self.beside_off(engine)).collect()
            }
        }
    }

    fn beside_native(&self, benchmark: &Benchmark) -> Vec<Contender> {
        let has_images = |way: &Way| match way {
            Way::Engine { engine, .. } => engine == Engine::Direct.name(),
            Way::Native | Way::Peer { .. } => true,
        };
        let takes_part = |contender: &&Contender| benchmark.images == Images::Warm || has_images(&contender.way);
        let mut all: Vec<Contender> = self.ways.iter().filter(takes_part).cloned().collect();
        let others = self.interposers.iter().filter(|contender| match benchmark.others {
            Others::No => false,
            Others::Programs => !matches!(contender.how, How::InDriver(_)),
            Others::Interposers => true,
        });
        for other in others {
            if all.iter().all(|known| known.way != other.way) {
                all.push(other.clone());
            }
        }
        all
    }

    fn beside_off(&self, engine: Engine) -> Option<Vec<Contender>> {
        let off = self.off.iter().find(|contender| contender.is(engine, Level::Off))?;
        let above = |contender: &&Contender| {
            Level::value_variants().iter().any(|&level| level != Level::Off && contender.is(engine, level))
        };
        let levels: Vec<Contender> = self.ways.iter().filter(above).cloned().collect();
        (!levels.is_empty()).then(|| [off.clone()].into_iter().chain(levels).collect())
    }

    fn run_one(&mut self, suite: &Suite, benchmark: &Benchmark, progress: &Progress) -> Result<(), Stop> {
        for contenders in self.contests(benchmark) {
            self.run_contest(suite, benchmark, &contenders, progress)?;
        }
        Ok(())
    }

    fn run_contest(
        &mut self,
        suite: &Suite,
        benchmark: &Benchmark,
        contenders: &[Contender],
        progress: &Progress,
    ) -> Result<(), Stop> {
        progress.begin(&format!("{}/{}", suite.name, benchmark.title()));
        let cpus = self.cpus(benchmark.place);
        let pinned: &[usize] = if benchmark.place == Place::All { &[] } else { cpus.as_deref().unwrap_or(&[]) };
        let base = contenders.first().map(|contender| &contender.way);
        let row = |contender: &Contender| {
            row::empty(&self.common, suite.name, benchmark, contender.way.clone(), base, pinned)
        };
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
                for (row, contender) in rows.iter_mut().zip(contenders) {
                    // Where the rows are read there is another directory.
                    let scratch = self.launcher.scratch.display().to_string();
                    row.command = prepared.line(contender).replace(&scratch, "target/bench");
                }
                if let Some(done) = self.measured_before(&rows) {
                    rows = done;
                    Ok(())
                } else {
                    let mut samples = Samples { prepared, launcher: &self.launcher, quick: self.common.quick };
                    let contest = Contest { contenders, rows: &mut rows, sampler: &mut samples, progress };
                    contest.measure(self.length(benchmark))
                }
            }
        };
        self.keep(rows, result)
    }

    /// Writes the rows of a contest, but for those that an interruption left empty.
    fn keep(&mut self, mut rows: Vec<ResultRow>, result: Result<(), Stop>) -> Result<(), Stop> {
        if process::interrupted() {
            rows.retain(|row| !row.samples.is_empty());
        }
        for row in rows {
            self.writer.write(&row)?;
            self.rows.push(row);
        }
        if process::interrupted() { Err(Stop::Interrupted) } else { result }
    }

    /// Two suites may name the same command: it is measured once, and each suite has the rows.
    fn measured_before(&self, rows: &[ResultRow]) -> Option<Vec<ResultRow>> {
        let found = rows.iter().map(|row| {
            let is_same = |done: &&ResultRow| {
                (&done.command, &done.way, done.unit) == (&row.command, &row.way, row.unit)
                    && done.pinned_cpus == row.pinned_cpus
                    && done.base == row.base
                    && done.suite != row.suite
            };
            let done = self.rows.iter().find(is_same)?.clone();
            let mut notes = done.notes.clone();
            notes.push(format!("measured once, with suite {}", done.suite));
            let mut again = ResultRow {
                suite: row.suite.clone(),
                name: row.name.clone(),
                title: row.title.clone(),
                params: row.params.clone(),
                target: row.target,
                notes,
                ..done
            };
            judge::judge(&mut again);
            Some(again)
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
            let built = self.drivers.entry(name).or_insert_with(|| match drivers::build(scratch, name) {
                Ok(Some(path)) => Ok(path),
                Ok(None) => Err(format!("gcc is not installed: {}", programs::apt_line(&["gcc"]))),
                Err(error) => Err(format!("{error:#}")),
            });
            if let Err(reason) = built {
                return Err(reason.clone());
            }
        }
        let built = self.drivers.iter().filter_map(|(name, path)| Some((*name, path.as_ref().ok()?.clone())));
        let setting = Setting {
            scratch: self.launcher.scratch.clone(),
            files: self.files.clone(),
            quick: self.common.quick,
            drivers: built.collect(),
        };
        Prepared::of(benchmark, &setting, cpus).map_err(|error| format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites::benchmark::scaled;

    #[test]
    fn chosen_rounds_go_before_the_usual_ones_and_only_full_runs_settle() {
        let length = |rounds: Thoroughness, quick| {
            let length = rounds.of(scaled(7, 3), quick);
            (length.rounds, length.settles)
        };
        assert_eq!(length(Thoroughness::Usual, false), (7, false));
        assert_eq!(length(Thoroughness::Settled, false), (7, true));
        assert_eq!(length(Thoroughness::Settled, true), (3, false));
        assert_eq!(length(Thoroughness::Exactly(2), false), (2, false));
    }
}
