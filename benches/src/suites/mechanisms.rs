//! Three rows of the main table once more, under every mechanism that is installed.
//!
//! Wall time throughout: under a tracer most of the work is done by another process.

use std::path::PathBuf;
use std::time::Duration;

use super::{Session, Stop, drivers, invocation, startup, syscall, timed};
use crate::launch::{Failure, Invocation, Launcher, Side};
use crate::mechanisms::{self, Figures, Mechanism};
use crate::rows::Unit;
use crate::{host, os};

/// How many operations of a system call; a tracer takes some thousand times as long as the kernel.
const CALLS: &str = "200000";

/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(120);

/// A command, and what its figure is.
struct Compared {
    group: &'static str,
    name: &'static str,
    invocation: Invocation,
    unit: Unit,
}

/// Someone who runs it.
enum Way {
    Side(Side),
    Mechanism(&'static Mechanism, PathBuf),
}

impl Way {
    fn name(&self) -> String {
        match self {
            Self::Side(side) => side.name().to_owned(),
            Self::Mechanism(mechanism, _) => mechanism.line(),
        }
    }

    fn figure(&self, launcher: &Launcher, compared: &Compared) -> Result<f64, Failure> {
        let (side, invocation) = match self {
            Self::Side(side) => (*side, compared.invocation.clone()),
            Self::Mechanism(mechanism, place) => (Side::Native, mechanism.wrap(place.clone(), &compared.invocation)),
        };
        let result = match compared.unit {
            Unit::WallNanoseconds => syscall::nanoseconds(launcher, side, &invocation),
            _ => timed(launcher, side, &invocation, LIMIT).map(|run| run.wall_seconds * 1e3),
        };
        match (result, self) {
            // As far as the launcher knows it ran the mechanism natively.
            (Err(Failure::Failed(reason)), Self::Mechanism(..)) => {
                Err(Failure::Failed(reason.trim_start_matches("native: ").to_owned()))
            }
            (result, _) => result,
        }
    }
}

/// Measures the rows that are wanted, all ways in turn, and keeps the figures in the session.
///
/// # Errors
/// See [`Stop`].
pub fn run(session: &mut Session) -> Result<(), Stop> {
    let compared = wanted(session)?;
    let (found, missing) = mechanisms::look_for(std::env::var_os("PATH").as_ref());
    session.missing_mechanisms = missing;
    for compared in compared {
        let all = measure(session, &compared, &found)?;
        for figures in all {
            session.rows.write(&figures)?;
            session.mechanisms.push(figures);
        }
        if os::interrupted() {
            return Err(Stop::Interrupted);
        }
    }
    Ok(())
}

fn wanted(session: &Session) -> Result<Vec<Compared>, Stop> {
    let mut all = Vec::new();
    for name in ["true", "bash"] {
        let invocation = startup::invocation_of(name, &session.launcher);
        if let Some(invocation) = invocation.filter(|_| session.plan.wants("startup", name)) {
            all.push(Compared { group: "startup", name, invocation, unit: Unit::Milliseconds });
        }
    }
    let name = "getppid";
    if session.plan.wants("syscall", name)
        && let Some(driver) = drivers::primitives(&session.launcher.scratch)?
    {
        let invocation = invocation(&driver, &[name, CALLS, "wall"], &session.launcher);
        all.push(Compared { group: "syscall", name, invocation, unit: Unit::WallNanoseconds });
    }
    Ok(all)
}

fn measure(
    session: &Session,
    compared: &Compared,
    found: &[(&'static Mechanism, PathBuf)],
) -> Result<Vec<Figures>, Stop> {
    let others = found.iter().map(|(mechanism, place)| Way::Mechanism(mechanism, place.clone()));
    let ways: Vec<Way> = [Way::Side(Side::Native), Way::Side(Side::BtRun)].into_iter().chain(others).collect();
    let mut all: Vec<Figures> = ways
        .iter()
        .map(|way| Figures {
            variant: session.launcher.variant,
            date: host::now(),
            compared_row: format!("{}/{}", compared.group, compared.name),
            mechanism: way.name(),
            unit: compared.unit,
            figures: Vec::new(),
            failure: None,
        })
        .collect();
    eprintln!("{}/{} under other mechanisms", compared.group, compared.name);
    // The first run is not counted: it warms caches, the mechanisms' own too.
    for run in 0..=session.plan.pairs(7, 3) {
        for (way, figures) in ways.iter().zip(&mut all).filter(|(_, figures)| figures.failure.is_none()) {
            match way.figure(&session.launcher, compared) {
                Ok(figure) if run > 0 => figures.figures.push(figure),
                Ok(_) => {}
                Err(Failure::Failed(reason)) => figures.failure = Some(reason),
                Err(Failure::Interrupted) => return Err(Stop::Interrupted),
            }
        }
    }
    Ok(all)
}
