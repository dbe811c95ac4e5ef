//! Nanoseconds of single operations: system calls, calls, indirect branches.

use anyhow::Context as _;

use super::benchmark::{Benchmark, PRIMITIVES, Program, Quantity, Scaled, Suite, scaled};
use super::calls;
use super::invocation::{Invocation, Output};
use crate::rows::result::Unit;

struct Operation {
    name: &'static str,
    /// How many a full run of `bt-bench speed` does.
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

/// The suite of `bt-bench run`: these, and [`calls`]. What both have is measured the way of `calls`.
pub(super) const SUITE: Suite = Suite {
    name: "syscalls",
    about: "CPU time of single system calls and branches, and of calls on files, pipes and events",
    benchmarks: || {
        let known = calls::names();
        let own = ALL.iter().filter(|operation| !known.contains(&operation.name));
        own.map(|operation| benchmark(operation, scaled(2, 20)).rounds(6, 3)).chain(calls::of_run()).collect()
    },
};

/// The operations with as much work as the targets of `bt-bench speed` need.
pub(super) const SPEED: Suite = Suite {
    name: "syscall",
    about: "CPU time of single system calls and branches",
    benchmarks: || ALL.iter().map(|operation| benchmark(operation, scaled(1, 5)).rounds(11, 3)).collect(),
};

/// One operation, done its number of times divided by `divisor`.
fn benchmark(operation: &'static Operation, divisor: Scaled<u64>) -> Benchmark {
    let program = Program {
        needs: vec!["driver:primitives"],
        quantity: Quantity::Printed,
        prepare: Box::new(move |setting| {
            let count = (operation.count / divisor.of(setting.quick)).to_string();
            let driver = setting.drivers.get(PRIMITIVES).context("no driver")?;
            let command = Invocation::new(driver, &[operation.name, &count], &setting.scratch);
            Ok(Invocation { output: Output::File, ..command })
        }),
    };
    let about = "CPU time of one operation in a loop, by primitives.c";
    Benchmark::program(operation.name, about, Unit::Nanoseconds, program, scaled(350, 60))
}
