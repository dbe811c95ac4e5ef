//! Peak resident size, beside what the engine may cost.

use anyhow::Context as _;

use super::benchmark::{Asked, Benchmark, Place, Program, Quantity, Scaled, Suite, scaled};
use super::invocation::Invocation;
use super::workload;
use crate::base::programs;
use crate::rows::result::Unit;

/// The suite, as the module describes it.
pub(super) const SUITE: Suite = Suite {
    name: "memory",
    about: "peak resident size of the largest process",
    benchmarks: || ALL.iter().map(benchmark).collect(),
};

struct Measured {
    name: &'static str,
    program: &'static str,
    /// Arguments; where there are none it runs the compute workload of its name.
    arguments: &'static [&'static str],
    expected_ms: Scaled<u32>,
}

#[rustfmt::skip]
const ALL: &[Measured] = &[
    Measured { name: "bash",   program: "bash",    arguments: &["-c", "true"], expected_ms: scaled(20, 20) },
    Measured { name: "python", program: "python3", arguments: &["-c", "pass"], expected_ms: scaled(40, 40) },
    Measured { name: "sqlite", program: "sqlite3", arguments: &[],             expected_ms: scaled(3_500, 750) },
    Measured { name: "node",   program: "node",    arguments: &[],             expected_ms: scaled(3_500, 750) },
];

fn benchmark(measured: &'static Measured) -> Benchmark {
    let program = Program {
        needs: vec![measured.program, "driver:primitives"],
        quantity: Quantity::PeakMemory,
        prepare: Box::new(|setting| {
            if measured.arguments.is_empty() {
                let sizes = workload::sizes(setting.quick);
                let inputs = workload::prepare(sizes, &setting.scratch)?;
                let workload = workload::find(measured.name).context("no such workload")?;
                return workload.invocation(sizes, &inputs).context("not installed");
            }
            let program = programs::find(measured.program).context("not installed")?;
            Ok(Invocation::new(&program, measured.arguments, &setting.scratch))
        }),
    };
    let about = "peak resident size of a whole run";
    let benchmark = Benchmark::program(measured.name, about, Unit::Mebibytes, program, measured.expected_ms);
    Benchmark { asked: Asked::Code, ..benchmark }.on(Place::All).rounds(5, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_arguments_is_a_compute_workload() {
        for measured in ALL.iter().filter(|measured| measured.arguments.is_empty()) {
            assert!(workload::find(measured.name).is_some(), "{}", measured.name);
        }
    }
}
