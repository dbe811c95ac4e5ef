//! CPU time of fourteen programs, pinned to one CPU.

use super::{Session, Stop, check, timed};
use crate::launch::{Failure, Invocation};
use crate::promises;
use crate::rows::{Row, Unit};
use crate::stats;
use crate::workload::{self, Sizes};

const GROUP: &str = "compute";

const MEAN: &str = "geometric-mean";

/// The names of the rows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    workload::ALL.iter().map(|workload| workload.name).chain([MEAN]).collect()
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
        row.notes.push(format!("promised ≤ {:.2}× of all", target.at_most()));
    }
    if let Some(aim) = promises::aim(session.engine()) {
        row.notes.push(format!("aimed at ≤ {aim:.2}×"));
    }
    if row.ratio.zip(target).is_some_and(|(ratio, target)| target.is_close(&ratio)) && session.plan.pairs.is_none() {
        row.notes.push("close to the target: settle it with --pairs 15".to_owned());
    }
    session.push(row)
}
