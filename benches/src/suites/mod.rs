//! What is measured, one module for each group of rows, or for each suite of `bt-bench run`.

pub mod calls;
pub mod compute;
pub mod drivers;
pub mod interpose;

pub mod levels;
pub mod mechanisms;
pub mod memory;
pub mod pipelines;
pub mod servers;

pub mod singularity;
pub mod small_pieces;
pub mod startup;
pub mod switch;

pub mod syscall;
mod turns;
pub mod vmware;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::engine::Engine;
use crate::launch::{Failure, Invocation, Launcher, Output, Run, Side, describe_status};
use crate::measure::{Rounds, Turns};
use crate::mechanisms::Figures;
use crate::os::{self, CpuSet};
use crate::peers::{Peer, Published};
use crate::promises;
use crate::rows::{Row, Rows, Status, Unit};
use crate::run::benchmark::Suite;
use crate::target::Target;

/// What `bt-bench run` runs.
pub const SUITES: &[&Suite] = &[
    &singularity::SUITE,
    &vmware::SUITE,
    &switch::SUITE,
    &interpose::SUITE,
    &startup::SUITE,
    &compute::SUITE,
    &syscall::SUITE,
    &pipelines::SUITE,
    &servers::SUITE,
];

/// The names of the groups, in the order of the table.
pub const GROUPS: [&str; 4] = ["compute", "startup", "syscall", "memory"];

/// How thorough a run is.
#[derive(Clone, Debug)]
pub struct Plan {
    /// About a fifth of the work.
    pub quick: bool,
    /// Exactly so many pairs for every row.
    pub pairs: Option<usize>,
    /// Groups, rows or rows as group/name; all when empty.
    pub only: Vec<String>,
    /// The CPU for the groups that are pinned.
    pub cpu: usize,
}

impl Plan {
    /// Whether a row is wanted.
    #[must_use]
    pub fn wants(&self, group: &str, name: &str) -> bool {
        let is_it = |wanted: &String| match wanted.split_once('/') {
            Some((its_group, its_name)) => its_group == group && its_name == name,
            None => wanted == group || wanted == name,
        };
        self.only.is_empty() || self.only.iter().any(is_it)
    }

    fn pairs(&self, full: usize, quick: usize) -> usize {
        self.pairs.unwrap_or(if self.quick { quick } else { full })
    }
}

/// Why a run ends early.
#[derive(Debug)]
pub enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// Rows cannot be written or the machine refuses.
    Broken(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}

/// What the suites share.
pub struct Session {
    /// How thorough.
    pub plan: Plan,
    /// Runs commands.
    pub launcher: Launcher,
    /// DynamoRIO's figures, where rows stand beside them.
    pub peer: Option<Peer>,
    /// Where rows go.
    pub rows: Rows,
    /// The CPUs that this process had at its start.
    pub all_cpus: CpuSet,
    /// Figures of other mechanisms.
    pub mechanisms: Vec<Figures>,
    /// Those that are not installed.
    pub missing_mechanisms: Vec<&'static str>,
}

impl Session {
    /// Runs all groups that are wanted.
    ///
    /// # Errors
    /// See [`Stop`]; the rows so far are kept.
    pub fn run(&mut self) -> Result<(), Stop> {
        compute::run(self)?;
        startup::run(self)?;
        syscall::run(self)?;
        memory::run(self)?;
        mechanisms::run(self)
    }

    /// The engine that is measured.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.launcher.variant.engine
    }

    /// What the engine promises of a row; `translated_bytes` is the guest code that was translated for it.
    fn target(&self, group: &str, name: &str, translated_bytes: u64) -> Option<Target> {
        let promise = promises::promise(self.engine(), group, name)?;
        promise.target(self.published(group, name), translated_bytes)
    }

    fn published(&self, group: &str, name: &str) -> Option<Published> {
        self.peer.as_ref()?.figure(group, name)
    }

    /// A row without figures.
    fn row(&self, group: &'static str, name: &str, unit: Unit) -> Row {
        Row::new(self.launcher.variant, group, name, unit)
    }

    /// Confines this process and its children to one CPU, or lets them go.
    fn pin(&self, pinned: bool) -> Result<()> {
        let one = CpuSet::only(self.plan.cpu).filter(|_| pinned);
        one.unwrap_or(self.all_cpus).confine()?;
        Ok(())
    }

    /// Finishes a row.
    fn push(&mut self, row: Row) -> Result<(), Stop> {
        self.push_all(vec![row])
    }

    /// Finishes rows that were measured together: an interruption loses none of them.
    fn push_all(&mut self, rows: Vec<Row>) -> Result<(), Stop> {
        for mut row in rows {
            row.published = self.published(row.group, &row.name);
            row.quick = self.plan.quick;
            self.rows.push(row)?;
        }
        if os::interrupted() {
            return Err(Stop::Interrupted);
        }
        Ok(())
    }

    fn push_not_installed(&mut self, mut row: Row, program: &str) -> Result<(), Stop> {
        row.status = Status::NotInstalled { program: program.to_owned() };
        self.push(row)
    }

    /// Measures pairs into `row` and keeps it, also when it fails or is interrupted.
    fn measure(
        &mut self,
        row: Row,
        pairs: usize,
        mut figure: impl FnMut(&Launcher, Side) -> Result<f64, Failure>,
    ) -> Result<Rounds, Stop> {
        let launcher = &self.launcher;
        let sides = if launcher.drrun.is_some() { &[Side::BtRun, Side::DynamoRio][..] } else { &[Side::BtRun] };
        let mut all = Turns::of(sides.len());
        let mut rows = [row];
        let run = |way: Option<usize>| figure(launcher, way.map_or(Side::Native, |number| sides[number]));
        let end = turns::take_turns(&self.plan, &mut all, &mut rows, pairs, run);
        let [mut row] = rows;
        if let [_, peer] = all.ways() {
            row.fill_peer(peer);
        }
        let failed = row.status != Status::Measured;
        let rounds = all.ways()[0].clone();
        if rounds.is_empty() {
            end?;
        }
        self.push(row)?;
        Ok(if failed { Rounds::default() } else { rounds })
    }
}

/// An untimed run of each side, which must exit 0 and write the same. Says how long a timed run
/// may take.
fn check(launcher: &Launcher, invocation: &Invocation) -> Result<Duration, Failure> {
    let limit = check_native(launcher, invocation)?;
    check_ours(launcher, invocation, limit)?;
    Ok(limit)
}

/// The native half of [`check`].
pub(crate) fn check_native(launcher: &Launcher, invocation: &Invocation) -> Result<Duration, Failure> {
    let hour = Duration::from_secs(3600);
    let native = launcher.run(Side::Native, invocation, Output::File, &[], hour)?;
    succeeded(launcher, Side::Native, native)?;
    Ok(Duration::from_secs_f64(30.0 + 30.0 * native.wall_seconds))
}

/// The other half; the native one comes first.
pub(crate) fn check_ours(launcher: &Launcher, invocation: &Invocation, limit: Duration) -> Result<(), Failure> {
    let ours = launcher.run(Side::BtRun, invocation, Output::File, &[], limit)?;
    succeeded(launcher, Side::BtRun, ours)?;
    if launcher.outputs_are_equal(Side::Native, Side::BtRun)? {
        Ok(())
    } else {
        Err(Failure::Failed("bt-run: output differs from native's".to_owned()))
    }
}

/// The lines that bt-run writes with `--stats` in an untimed run.
fn stats_of(launcher: &Launcher, invocation: &Invocation) -> Result<String, Failure> {
    let file = launcher.scratch.join("stats.jsonl");
    let _ = std::fs::remove_file(&file);
    let option = format!("--stats={}", file.display());
    let run = launcher.run(Side::BtRun, invocation, Output::Null, &[option], Duration::from_secs(600))?;
    succeeded(launcher, Side::BtRun, run)?;
    std::fs::read_to_string(&file).map_err(|error| Failure::Failed(format!("bt-run: --stats wrote nothing: {error}")))
}

/// A timed run, which must exit 0 as the checked one did.
pub(crate) fn timed(launcher: &Launcher, side: Side, invocation: &Invocation, limit: Duration) -> Result<Run, Failure> {
    let run = launcher.run(side, invocation, invocation.output, &[], limit)?;
    succeeded(launcher, side, run)
}

pub(crate) fn succeeded(launcher: &Launcher, side: Side, run: Run) -> Result<Run, Failure> {
    if run.status == 0 {
        return Ok(run);
    }
    let said = launcher.first_error_line(side).map_or_else(String::new, |line| format!(": {line}"));
    let native = if side == Side::Native { "" } else { " (native: exit 0)" };
    Err(Failure::Failed(format!("{}: {}{native}{said}", side.name(), describe_status(run.status))))
}

/// The rows of a group under an engine.
#[must_use]
pub fn names(group: &str, engine: Engine) -> Vec<&'static str> {
    match group {
        "compute" => compute::names(),
        "startup" => startup::names(engine),
        "syscall" => syscall::names(),
        "memory" => memory::names(),
        _ => Vec::new(),
    }
}

/// A command in the scratch folder.
fn invocation(program: &Path, arguments: &[&str], launcher: &Launcher) -> Invocation {
    Invocation {
        program: program.to_owned(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        folder: launcher.scratch.clone(),
        input: None,
        output: Output::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(only: &[&str]) -> Plan {
        Plan { quick: false, pairs: None, only: only.iter().map(|&name| name.to_owned()).collect(), cpu: 0 }
    }

    #[test]
    fn groups_and_single_rows_can_be_asked_for() {
        assert!(plan(&[]).wants("compute", "xz"));
        assert!(plan(&["compute"]).wants("compute", "xz"));
        assert!(!plan(&["startup"]).wants("compute", "xz"));
        assert!(plan(&["startup", "compute/xz"]).wants("compute", "xz"));
        assert!(!plan(&["compute/gzip"]).wants("compute", "xz"));
    }

    #[test]
    fn chosen_pairs_go_before_the_usual_ones() {
        let mut plan = plan(&[]);
        assert_eq!(plan.pairs(7, 3), 7);
        plan.quick = true;
        assert_eq!(plan.pairs(7, 3), 3);
        plan.pairs = Some(2);
        assert_eq!(plan.pairs(7, 3), 2);
    }
}
