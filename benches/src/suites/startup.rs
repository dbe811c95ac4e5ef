//! Wall time of programs that do next to nothing, on all CPUs as a user starts them.

use super::{Session, Stop, check, invocation, timed};
use crate::launch::Failure;
use crate::programs;
use crate::rows::{Row, Unit};
use crate::target::Target;

const GROUP: &str = "startup";

struct Start {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// Pairs of a full and of a quick run.
    pairs: (usize, usize),
    target: Option<Target>,
}

#[rustfmt::skip]
const ALL: &[Start] = &[
    Start { name: "true", program: "true", arguments: &[], pairs: (101, 21),
        target: Some(Target::Difference { at_most: 3.0 }) },
    Start { name: "bash", program: "bash", arguments: &["-c", "true"], pairs: (101, 21),
        target: Some(Target::Ratio { at_most: 2.5 }) },
    Start { name: "python", program: "python3", arguments: &["-c", "pass"], pairs: (61, 15),
        target: Some(Target::Ratio { at_most: 3.0 }) },
    Start { name: "gcc", program: "gcc", arguments: &["--version"], pairs: (61, 15),
        target: None },
    Start { name: "node", program: "node", arguments: &["-e", "0"], pairs: (31, 7),
        target: None },
    Start { name: "forks-50", program: "bash", arguments: &["-c", "for i in {1..50}; do /bin/true; done"], pairs: (31, 7),
        target: Some(Target::Ratio { at_most: 3.0 }) },
];

/// Measures the programs that are wanted.
///
/// # Errors
/// See [`Stop`].
pub fn run(session: &mut Session) -> Result<(), Stop> {
    for start in ALL {
        if !session.plan.wants(GROUP, start.name) {
            continue;
        }
        let mut row = Row::new(GROUP, start.name, Unit::Milliseconds);
        row.target = start.target;
        let Some(program) = programs::find(start.program) else {
            session.push_not_installed(row, start.program)?;
            continue;
        };
        let invocation = invocation(&program, start.arguments, &session.launcher);
        row.command = invocation.line();
        let limit = match check(&session.launcher, &invocation) {
            Ok(limit) => limit,
            Err(Failure::Interrupted) => return Err(Stop::Interrupted),
            Err(Failure::Failed(reason)) => {
                row.fail(reason);
                session.push(row)?;
                continue;
            }
        };
        let pairs = session.plan.pairs(start.pairs.0, start.pairs.1);
        session
            .measure(row, pairs, |launcher, side| Ok(timed(launcher, side, &invocation, limit)?.wall_seconds * 1e3))?;
    }
    Ok(())
}
