//! CPU time of fourteen programs, pinned to one CPU.

use anyhow::Context as _;

use super::benchmark::{Base, Benchmark, Program, Quantity, Scaled, Suite, scaled};
use super::workload::{self, Workload};
use crate::rows::result::Unit;

/// The name of the geometric mean of all fourteen in the targets of `bt-bench speed`.
pub(crate) const MEAN: &str = "geometric-mean";

/// The suite of `bt-bench run`.
pub(crate) const SUITE: Suite = Suite {
    name: "compute",
    about: "CPU time of fourteen programs of the distribution, each on one CPU",
    benchmarks: || benchmarks(scaled(4, 2)),
};

/// The same with as many rounds as the targets of `bt-bench speed` need.
pub(crate) const SPEED: Suite = Suite { benchmarks: || benchmarks(scaled(5, 3)), ..SUITE };

/// The same at each level of emulation, beside the same engine without: what emulation costs a program that computes.
pub(crate) const LEVELS: Suite = Suite {
    name: "compute-levels",
    about: "CPU time of the fourteen programs at each level of emulation, beside the same engine with --emulate off",
    benchmarks: || {
        let beside_off = |benchmark| Benchmark { base: Base::Off, ..benchmark };
        benchmarks(scaled(5, 3)).into_iter().map(beside_off).collect()
    },
};

/// The fourteen.
#[must_use]
pub(crate) fn benchmarks(rounds: Scaled<usize>) -> Vec<Benchmark> {
    workload::ALL.iter().map(|workload| Benchmark { rounds, ..benchmark(workload) }).collect()
}

fn benchmark(workload: &'static Workload) -> Benchmark {
    let program = Program {
        needs: vec![workload.program],
        quantity: Quantity::Cpu,
        prepare: Box::new(|setting| {
            let sizes = workload::sizes(setting.quick);
            let inputs = workload::prepare(sizes, &setting.scratch)?;
            workload.invocation(sizes, &inputs).context("not installed")
        }),
    };
    let about = "user and system time of a whole run";
    Benchmark::program(workload.name, about, Unit::Seconds, program, scaled(3_500, 750))
}
