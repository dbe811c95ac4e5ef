//! Nanoseconds of single operations: system calls, calls, indirect branches.

use std::time::Duration;

use anyhow::Context as _;

use super::{Session, Stop, calls, drivers, invocation, succeeded};
use crate::launch::{Failure, Invocation, Launcher, Output, Side};
use crate::result;
use crate::rows::Unit;
use crate::run::benchmark::{Benchmark, Clock, Program, Suite, scaled};

const GROUP: &str = "syscall";

struct Operation {
    name: &'static str,
    /// How many a full run does.
    count: u64,
}

#[rustfmt::skip]
const ALL: &[Operation] = &[
    Operation { name: "getppid",       count:   5_000_000 },
    Operation { name: "getpid",        count:   5_000_000 },
    Operation { name: "getpid-known",  count:   5_000_000 },
    Operation { name: "getpid-any",    count:   5_000_000 },
    Operation { name: "read-zero",     count:   4_000_000 },
    Operation { name: "clock-gettime", count:  20_000_000 },
    Operation { name: "cpuid",         count:     100_000 },
    Operation { name: "call-return",   count: 300_000_000 },
    Operation { name: "indirect-1",    count: 300_000_000 },
    Operation { name: "indirect-64",   count:  40_000_000 },
    Operation { name: "switch",        count: 200_000_000 },
    Operation { name: "computed-goto", count: 400_000_000 },
    Operation { name: "fib",           count: 250_000_000 },
];

/// The suite of `bt-bench run`: these, and [`calls`].
pub const SUITE: Suite = Suite {
    name: "syscalls",
    about: "CPU time of single system calls and branches, and of calls on files, pipes and events",
    benchmarks: || {
        let known = calls::names();
        // What both have is measured the way of `calls`.
        let own = ALL.iter().filter(|operation| !known.contains(&operation.name)).map(benchmark);
        own.chain(calls::of_run()).collect()
    },
};

fn benchmark(operation: &'static Operation) -> Benchmark {
    let program = Program {
        needs: vec!["driver:primitives"],
        clock: Clock::Printed,
        prepare: Box::new(|setting| {
            let count = operation.count / if setting.quick { 20 } else { 2 };
            Ok(Invocation {
                program: setting.drivers.get("primitives").context("no driver")?.clone(),
                arguments: vec![operation.name.to_owned(), count.to_string()],
                folder: setting.scratch.clone(),
                input: None,
                output: Output::File,
            })
        }),
    };
    let about = "CPU time of one operation in a loop, by primitives.c";
    Benchmark::program(operation.name, about, result::Unit::Nanoseconds, program, scaled(350, 60)).rounds(6, 3)
}

/// The names of the rows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|operation| operation.name).collect()
}

/// Measures the operations that are wanted.
///
/// # Errors
/// See [`Stop`].
pub fn run(session: &mut Session) -> Result<(), Stop> {
    let wanted: Vec<&Operation> = ALL.iter().filter(|operation| session.plan.wants(GROUP, operation.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let driver = drivers::primitives(&session.launcher.scratch)?;
    session.pin(true)?;
    for operation in wanted {
        let mut row = session.row(GROUP, operation.name, Unit::Nanoseconds);
        row.pinned_cpu = Some(session.plan.cpu);
        row.target = session.target(GROUP, operation.name, 0);
        let Some(driver) = &driver else {
            session.push_not_installed(row, "gcc")?;
            continue;
        };
        let divisor = if session.plan.quick { 5 } else { 1 };
        let count = (operation.count / divisor).to_string();
        let invocation = invocation(driver, &[operation.name, &count], &session.launcher);
        row.command = invocation.line();
        // The first run leaves the images in the cache. Failures tell themselves when it counts.
        if let Err(Failure::Interrupted) = nanoseconds(&session.launcher, Side::BtRun, &invocation) {
            return Err(Stop::Interrupted);
        }
        let pairs = session.plan.pairs(11, 3);
        session.measure(row, pairs, |launcher, side| nanoseconds(launcher, side, &invocation))?;
    }
    session.pin(false)?;
    Ok(())
}

/// What the driver prints.
///
/// # Errors
/// The side failed, or printed no figure.
pub fn nanoseconds(launcher: &Launcher, side: Side, invocation: &Invocation) -> Result<f64, Failure> {
    let run = launcher.run(side, invocation, Output::File, &[], Duration::from_secs(120))?;
    succeeded(launcher, side, run)?;
    let output = launcher.read_output(side)?;
    parse_nanoseconds(&output).ok_or_else(|| Failure::Failed(format!("{}: no figure: {output:?}", side.name())))
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
