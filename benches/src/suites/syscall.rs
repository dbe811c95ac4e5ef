//! Nanoseconds of single operations: system calls, calls, indirect branches.

use std::time::Duration;

use super::{Session, Stop, invocation, primitives, succeeded};
use crate::launch::{Failure, Output};
use crate::rows::{Row, Unit};
use crate::target::Target;

const GROUP: &str = "syscall";

struct Operation {
    name: &'static str,
    /// How many a full run does.
    count: u64,
    target: Option<Target>,
}

#[rustfmt::skip]
const ALL: &[Operation] = &[
    Operation { name: "getppid",       count:   5_000_000, target: Some(Target::Difference { at_most: 20.0 }) },
    Operation { name: "getpid",        count:   5_000_000, target: None },
    Operation { name: "read-zero",     count:   4_000_000, target: None },
    Operation { name: "clock-gettime", count:  20_000_000, target: None },
    Operation { name: "call-return",   count: 300_000_000, target: None },
    Operation { name: "indirect-1",    count: 300_000_000, target: None },
    Operation { name: "indirect-64",   count:  40_000_000, target: None },
    Operation { name: "switch",        count: 200_000_000, target: None },
    Operation { name: "computed-goto", count: 400_000_000, target: None },
    Operation { name: "fib",           count: 250_000_000, target: None },
];

/// Measures the operations that are wanted.
///
/// # Errors
/// See [`Stop`].
pub fn run(session: &mut Session) -> Result<(), Stop> {
    let wanted: Vec<&Operation> = ALL.iter().filter(|operation| session.plan.wants(GROUP, operation.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let driver = primitives::build(&session.launcher.scratch)?;
    session.pin(true)?;
    for operation in wanted {
        let mut row = Row::new(GROUP, operation.name, Unit::Nanoseconds);
        row.pinned_cpu = Some(session.plan.cpu);
        row.target = operation.target;
        let Some(driver) = &driver else {
            session.push_not_installed(row, "gcc")?;
            continue;
        };
        let divisor = if session.plan.quick { 5 } else { 1 };
        let count = (operation.count / divisor).to_string();
        let invocation = invocation(driver, &[operation.name, &count], &session.launcher);
        row.command = invocation.line();
        let pairs = session.plan.pairs(11, 3);
        session.measure(row, pairs, |launcher, side| {
            let limit = Duration::from_secs(120);
            let run = launcher.run(side, &invocation, Output::File, &[], limit)?;
            succeeded(launcher, side, run)?;
            let output = launcher.read_output(side)?;
            parse_nanoseconds(&output).ok_or_else(|| Failure::Failed(format!("{}: no figure: {output:?}", side.name())))
        })?;
    }
    session.pin(false)?;
    Ok(())
}

fn parse_nanoseconds(output: &str) -> Option<f64> {
    let value: f64 = output.trim().parse().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_positive_number_is_a_figure() {
        assert_eq!(parse_nanoseconds("101.2500\n"), Some(101.25));
        assert_eq!(parse_nanoseconds(""), None);
        assert_eq!(parse_nanoseconds("nan\n"), None);
        assert_eq!(parse_nanoseconds("0\n"), None);
    }
}
