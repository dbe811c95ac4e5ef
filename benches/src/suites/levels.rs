//! What the suites of emulation share: one row for each engine and level, all measured in turns.

use std::path::PathBuf;

use anyhow::Result;

use super::turns::take_turns;
use super::{Plan, Session, Stop, calls, compute, small_pieces};
use crate::engine::Engine;
use crate::launch::{Failure, Launcher, Side};
use crate::measure::Turns;
use crate::os;
use crate::promises;
use crate::rows::{Row, Status, Unit};
use crate::variant::{Level, Variant};

/// The names of the groups, in the order of the report.
pub const GROUPS: [&str; 3] = [calls::GROUP, small_pieces::GROUP, compute::GROUP];

/// The rows of a group.
#[must_use]
pub fn names(group: &str) -> Vec<&'static str> {
    match group {
        calls::GROUP => calls::names(),
        small_pieces::GROUP => small_pieces::names(),
        // Each program stands beside itself: there is no mean.
        compute::GROUP => compute::workloads().collect(),
        _ => Vec::new(),
    }
}

/// Somebody who runs commands: a launcher, or natively what it would run.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Whose bt-run.
    pub launcher: Launcher,
    /// Whether it is used.
    pub side: Side,
}

/// Who is measured, and what all of them are compared with.
#[derive(Clone, Debug)]
pub struct Contest {
    /// Native, or `--emulate off`.
    pub base: Runner,
    /// One row each.
    pub ways: Vec<Runner>,
}

/// A session in which bt-run has several variants.
pub struct Levels {
    /// The plan, the rows, and the launcher of native runs.
    pub session: Session,
    /// What is measured.
    pub engines: Vec<Engine>,
    /// In rising order.
    pub levels: Vec<Level>,
    /// Where the files of loops and programs stand.
    pub folder: PathBuf,
}

impl Levels {
    /// Runs all groups that are wanted.
    ///
    /// # Errors
    /// See [`Stop`]; the rows so far are kept.
    pub fn run(&mut self) -> Result<(), Stop> {
        let contest = self.against_native()?;
        calls::run(self, &contest)?;
        small_pieces::run(self, &contest)?;
        for engine in self.engines.clone() {
            let contest = self.against_off(engine)?;
            compute::run_levels(self, &contest)?;
        }
        Ok(())
    }

    /// How thorough.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.session.plan
    }

    /// Images may differ from level to level: each variant has a cache of its own, empty at first.
    fn runner(&self, engine: Engine, level: Level) -> Result<Runner> {
        let variant = Variant { engine, emulate: Some(level) };
        let cache = format!("images-{}-{}", engine.name(), level.name());
        let launcher = Launcher { variant, ..self.session.launcher.with_cache(&cache) };
        launcher.empty_cache()?;
        Ok(Runner { launcher, side: Side::BtRun })
    }

    fn against_native(&self) -> Result<Contest> {
        let base = Runner { launcher: self.session.launcher.clone(), side: Side::Native };
        let all = self.engines.iter().flat_map(|&engine| self.levels.iter().map(move |&level| (engine, level)));
        let ways = all.map(|(engine, level)| self.runner(engine, level)).collect::<Result<_>>()?;
        Ok(Contest { base, ways })
    }

    /// What emulation costs a program that has little to gain is told by the same engine without it.
    fn against_off(&self, engine: Engine) -> Result<Contest> {
        let levels = self.levels.iter().filter(|&&level| level != Level::Off);
        let ways = levels.map(|&level| self.runner(engine, level)).collect::<Result<_>>()?;
        Ok(Contest { base: self.runner(engine, Level::Off)?, ways })
    }

    /// A row without figures for each way.
    #[must_use]
    pub fn rows(contest: &Contest, group: &'static str, name: &str, unit: Unit) -> Vec<Row> {
        let row = |way: &Runner| {
            let variant = way.launcher.variant;
            let mut row = Row::new(variant, group, name, unit);
            row.target = variant.emulate.and_then(|level| promises::emulation(level, group, name));
            row
        };
        contest.ways.iter().map(row).collect()
    }

    /// Measures pairs of each way into its row. Before that `check` has a look at each runner, the base first; a way
    /// that does not pass is left out and its row has failed.
    ///
    /// # Errors
    /// The user stopped it; the rows have what was measured.
    pub fn measure(
        &self,
        contest: &Contest,
        rows: &mut [Row],
        pairs: usize,
        mut check: impl FnMut(&Runner) -> Result<(), Failure>,
        mut figure: impl FnMut(&Runner) -> Result<f64, Failure>,
    ) -> Result<(), Stop> {
        let mut turns = Turns::of(contest.ways.len());
        match check(&contest.base) {
            Ok(()) => {}
            Err(Failure::Interrupted) => return Err(Stop::Interrupted),
            Err(Failure::Failed(reason)) => {
                rows.iter_mut().for_each(|row| row.fail(reason.clone()));
                return Ok(());
            }
        }
        for (number, way) in contest.ways.iter().enumerate() {
            match check(way) {
                Ok(()) => {}
                Err(Failure::Interrupted) => return Err(Stop::Interrupted),
                Err(Failure::Failed(reason)) => turns.rule_out(number, reason),
            }
        }
        let run = |way: Option<usize>| figure(way.map_or(&contest.base, |number| &contest.ways[number]));
        take_turns(self.plan(), &mut turns, rows, pairs, run)
    }

    /// Keeps rows, but for those that an interruption left empty.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn push(&mut self, mut rows: Vec<Row>) -> Result<(), Stop> {
        if os::interrupted() {
            rows.retain(|row| !row.bt_run.is_empty());
        }
        self.session.push_all(rows)
    }

    /// Keeps rows whose program is missing.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn push_not_installed(&mut self, mut rows: Vec<Row>, program: &str) -> Result<(), Stop> {
        rows.iter_mut().for_each(|row| row.status = Status::NotInstalled { program: program.to_owned() });
        self.push(rows)
    }
}
