//! Nanoseconds of system calls that may be answered in the process, `drivers/calls.c`.

use anyhow::Context as _;

use super::benchmark::{Benchmark, Program, Quantity, Scaled, Suite, scaled};
use super::invocation::{Invocation, Output};
use crate::rows::result::Unit;

/// The suite of `bt-bench emulation`.
pub(super) const SUITE: Suite = Suite {
    name: "call",
    about: "CPU time of single calls that may be answered in the process",
    benchmarks: || ALL.iter().map(|call| benchmark(call, call.pairs).notes(call.notes)).collect(),
};

/// How long a loop runs: what a file costs once must not count.
const FULL_MS: &str = "300";
const QUICK_MS: &str = "60";

struct Call {
    name: &'static str,
    /// Pairs that its target needs.
    pairs: Scaled<usize>,
    notes: &'static [&'static str],
}

const fn call(name: &'static str) -> Call {
    Call { name, pairs: scaled(11, 3), notes: &[] }
}

const fn in_place(name: &'static str) -> Call {
    Call { notes: &["only a file open O_RDWR gains, written in place"], ..call(name) }
}

/// Those that have nothing to gain and must not lose: the promise is 2 %, the machine's noise is more.
const fn unhurt(name: &'static str) -> Call {
    Call { pairs: scaled(31, 7), ..call(name) }
}

const ALL: &[Call] = &[
    call("getpid"),
    call("clock-gettime-raw"),
    call("sigprocmask"),
    call("sigprocmask-query"),
    call("mix-5"),
    call("read-1"),
    call("read-512"),
    call("read-4096"),
    call("pread-1"),
    call("pread-512"),
    call("pread-4096"),
    call("pread-rdwr-512"),
    in_place("write-256"),
    in_place("write-1024"),
    in_place("write-4096"),
    in_place("copy-256"),
    in_place("copy-1024"),
    in_place("copy-4096"),
    call("pipe-512"),
    call("eventfd"),
    call("null-write-1"),
    call("zero-read-1"),
    call("access-absent"),
    call("stat-absent"),
    call("open-absent"),
    call("access-present"),
    unhurt("stat-files"),
    unhurt("output-100"),
    unhurt("output-4096"),
    unhurt("output-65536"),
    unhurt("append-100"),
    unhurt("extend-100"),
    unhurt("read-once-small"),
    unhurt("read-once-large"),
];

/// The names of the calls.
#[must_use]
pub(super) fn names() -> Vec<&'static str> {
    ALL.iter().map(|call| call.name).collect()
}

/// The calls as suite `syscalls` of `bt-bench run` has them, with as many rounds as a look needs.
pub(super) fn of_run() -> impl Iterator<Item = Benchmark> {
    ALL.iter().map(|call| benchmark(call, scaled(6, 3)))
}

fn benchmark(call: &'static Call, rounds: Scaled<usize>) -> Benchmark {
    let program = Program {
        needs: vec!["driver:calls"],
        quantity: Quantity::Printed,
        prepare: Box::new(|setting| {
            let files = &setting.files;
            std::fs::create_dir_all(files).with_context(|| files.display().to_string())?;
            let duration = if setting.quick { QUICK_MS } else { FULL_MS };
            let driver = setting.drivers.get("calls").context("no driver")?;
            let arguments = [call.name, duration, &files.display().to_string()];
            Ok(Invocation { output: Output::File, ..Invocation::new(driver, &arguments, &setting.scratch) })
        }),
    };
    let about = "CPU time of one call in a loop, by calls.c";
    Benchmark { rounds, ..Benchmark::program(call.name, about, Unit::Nanoseconds, program, scaled(330, 80)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_has_every_row_and_no_other() {
        let source = include_str!("../../drivers/calls.c");
        let table = source.split("} table[] = {").nth(1).and_then(|rest| rest.split("};").next()).unwrap_or_default();
        let in_driver: Vec<&str> = table.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(in_driver, names());
    }
}
