//! CPU time of fourteen programs, pinned to one CPU.

use std::cell::Cell;

use anyhow::Context as _;

use super::levels::{Contest, Levels};
use super::{Session, Stop, check, check_ours, timed};
use crate::launch::{Failure, Invocation};
use crate::promises;
use crate::result;
use crate::rows::{Row, Unit};
use crate::run::benchmark::{Benchmark, Clock, Program, Scaled, Suite, scaled};
use crate::stats;
use crate::workload::{self, Sizes, Workload};

/// The group of these rows.
pub const GROUP: &str = "compute";

const MEAN: &str = "geometric-mean";

/// The suite of `bt-bench run`.
pub const SUITE: Suite = Suite {
    name: "compute",
    about: "CPU time of fourteen programs of the distribution, each on one CPU",
    benchmarks: || of_run(scaled(4, 2)),
};

/// The fourteen as benchmarks of `bt-bench run`.
#[must_use]
pub fn of_run(rounds: Scaled<usize>) -> Vec<Benchmark> {
    workload::ALL.iter().map(|workload| Benchmark { rounds, ..benchmark(workload) }).collect()
}

fn benchmark(workload: &'static Workload) -> Benchmark {
    let program = Program {
        needs: vec![workload.program],
        clock: Clock::Cpu,
        prepare: Box::new(|setting| {
            let sizes = if setting.quick { &workload::QUICK } else { &workload::FULL };
            let inputs = workload::prepare(sizes, &setting.scratch)?;
            workload.invocation(sizes, &inputs).context("not installed")
        }),
    };
    let about = "user and system time of a whole run";
    Benchmark::program(workload.name, about, result::Unit::Seconds, program, scaled(3_500, 750))
}

/// The names of the rows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    workloads().chain([MEAN]).collect()
}

/// Those of single programs.
pub fn workloads() -> impl Iterator<Item = &'static str> {
    workload::ALL.iter().map(|workload| workload.name)
}

/// Shortest run of a program on which a share of 2 % is promised, in seconds.
const LONG_ENOUGH: f64 = 1.0;

/// Measures the workloads that are wanted at each level beside the base, `--emulate off`.
///
/// # Errors
/// See [`Stop`].
pub fn run_levels(levels: &mut Levels, contest: &Contest) -> Result<(), Stop> {
    let wanted: Vec<_> = workload::ALL.iter().filter(|workload| levels.plan().wants(GROUP, workload.name)).collect();
    if wanted.is_empty() || contest.ways.is_empty() {
        return Ok(());
    }
    let sizes = sizes(&levels.session);
    let inputs = workload::prepare(sizes, &levels.session.launcher.scratch)?;
    levels.session.pin(true)?;
    for workload in wanted {
        let rows = Levels::rows(contest, GROUP, workload.name, Unit::CpuSeconds);
        match workload.invocation(sizes, &inputs) {
            Some(invocation) => measure_levels(levels, contest, rows, &invocation)?,
            None => levels.push_not_installed(rows, workload.program)?,
        }
    }
    levels.session.pin(false)?;
    Ok(())
}

fn measure_levels(
    levels: &mut Levels,
    contest: &Contest,
    mut rows: Vec<Row>,
    invocation: &Invocation,
) -> Result<(), Stop> {
    for row in &mut rows {
        row.command = invocation.line();
        row.pinned_cpu = Some(levels.plan().cpu);
    }
    let limit = Cell::new(None);
    let pairs = levels.plan().pairs(5, 3);
    let end = levels.measure(
        contest,
        &mut rows,
        pairs,
        |runner| match limit.get() {
            None => check(&runner.launcher, invocation).map(|found| limit.set(Some(found))),
            Some(limit) => check_ours(&runner.launcher, invocation, limit),
        },
        |runner| {
            let limit = limit.get().unwrap_or_default();
            Ok(timed(&runner.launcher, runner.side, invocation, limit)?.cpu_seconds)
        },
    );
    for row in &mut rows {
        row.compare_with_off();
        if stats::median(&row.off).is_some_and(|seconds| seconds < LONG_ENOUGH) {
            row.target = None;
            row.notes.push(format!("no target: runs less than {LONG_ENOUGH} s"));
        }
    }
    levels.push(rows)?;
    end
}

/// Measures the workloads that are wanted and their geometric mean.
///
/// # Errors
/// See [`Stop`].
pub fn run(session: &mut Session) -> Result<(), Stop> {
    let wanted: Vec<_> = workload::ALL.iter().filter(|workload| session.plan.wants(GROUP, workload.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let sizes = sizes(session);
    let inputs = workload::prepare(sizes, &session.launcher.scratch)?;
    session.pin(true)?;
    let (mut ratios, mut floors) = (Vec::new(), Vec::new());
    for workload in &wanted {
        let mut row = session.row(GROUP, workload.name, Unit::CpuSeconds);
        row.pinned_cpu = Some(session.plan.cpu);
        row.target = session.target(GROUP, workload.name, 0);
        let Some(invocation) = workload.invocation(sizes, &inputs) else {
            session.push_not_installed(row, workload.program)?;
            continue;
        };
        let rounds = measure_one(session, row, &invocation)?;
        if !rounds.is_empty() {
            ratios.push(rounds.ratios());
            floors.push(rounds.native_ratios());
        }
    }
    session.pin(false)?;
    if wanted.len() < 2 {
        return Ok(());
    }
    push_mean(session, &ratios, &floors, wanted.len())
}

fn sizes(session: &Session) -> &'static Sizes {
    if session.plan.quick { &workload::QUICK } else { &workload::FULL }
}

fn measure_one(session: &mut Session, mut row: Row, invocation: &Invocation) -> Result<crate::measure::Rounds, Stop> {
    row.command = invocation.line();
    let limit = match check(&session.launcher, invocation) {
        Ok(limit) => limit,
        Err(Failure::Interrupted) => return Err(Stop::Interrupted),
        Err(Failure::Failed(reason)) => {
            row.fail(reason);
            session.push(row)?;
            return Ok(crate::measure::Rounds::default());
        }
    };
    let pairs = session.plan.pairs(5, 3);
    session.measure(row, pairs, |launcher, side| Ok(timed(launcher, side, invocation, limit)?.cpu_seconds))
}

fn push_mean(session: &mut Session, ratios: &[Vec<f64>], floors: &[Vec<f64>], wanted: usize) -> Result<(), Stop> {
    let mut row = session.row(GROUP, MEAN, Unit::CpuSeconds);
    row.pinned_cpu = Some(session.plan.cpu);
    row.ratio = stats::geometric_mean(ratios);
    row.ratio_floor = stats::geometric_mean(floors).map(|mean| mean.farthest_from(1.0));
    let target = session.target(GROUP, MEAN, 0);
    // The promise is about all fourteen: the mean of some says nothing about it.
    let complete = ratios.len() == workload::ALL.len();
    row.target = target.filter(|_| complete);
    row.notes.push(format!("{} of {} rows measured, {} workloads in all", ratios.len(), wanted, workload::ALL.len()));
    if let Some(target) = target.filter(|_| !complete) {
        row.notes.push(format!("promised ≤ {:.2}× of all", target.limit()));
    }
    if let Some(aim) = promises::aim(session.engine()) {
        row.notes.push(format!("aimed at ≤ {aim:.2}×"));
    }
    if row.ratio.zip(target).is_some_and(|(ratio, target)| target.is_close(&ratio)) && session.plan.pairs.is_none() {
        row.notes.push("close to the target: settle it with --pairs 15".to_owned());
    }
    session.push(row)
}
