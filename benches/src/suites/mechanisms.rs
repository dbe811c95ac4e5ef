//! Three benchmarks of `bt-bench speed` once more, under every program that runs others.
//!
//! Wall time throughout: under a tracer most of the work is done by another process.

use anyhow::Context as _;

use super::benchmark::{Benchmark, Others, PRIMITIVES, Place, Program, Quantity, Suite, scaled};
use super::invocation::{Invocation, Output};
use super::startup;
use crate::rows::result::Unit;

/// The suite, as the module describes it.
pub(crate) const SUITE: Suite = Suite {
    name: "mechanisms",
    about: "starts of programs and a system call under bt-run and under other programs that run programs, wall time",
    benchmarks,
};

/// The benchmarks that are measured once more, as suite and name.
pub(crate) const TWINS: [(&str, &str); 3] = [("startup", "true"), ("startup", "bash"), ("syscall", "getppid")];

/// How many operations of a system call; a tracer takes some thousand times as long as the kernel.
const CALLS: &str = "200000";

fn benchmarks() -> Vec<Benchmark> {
    let starts = startup::named(&["true", "bash"]).map(|benchmark| benchmark.rounds(7, 3));
    let mut all: Vec<Benchmark> = starts.chain([getppid()]).collect();
    for benchmark in &mut all {
        benchmark.others = Others::Programs;
    }
    all
}

fn getppid() -> Benchmark {
    let program = Program {
        needs: vec!["driver:primitives"],
        quantity: Quantity::Printed,
        prepare: Box::new(|setting| {
            let driver = setting.drivers.get(PRIMITIVES).context("no driver")?;
            let command = Invocation::new(driver, &["getppid", CALLS, "wall"], &setting.scratch);
            Ok(Invocation { output: Output::File, ..command })
        }),
    };
    let about = "wall time of one getppid(2) in a loop, by primitives.c";
    let getppid = Benchmark::program("getppid", about, Unit::Nanoseconds, program, scaled(100, 100));
    getppid.on(Place::All).rounds(7, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_twin_of_its_name() {
        let names: Vec<&str> = benchmarks().iter().map(|benchmark| benchmark.name).collect();
        assert_eq!(names, TWINS.map(|(_, name)| name));
    }
}
