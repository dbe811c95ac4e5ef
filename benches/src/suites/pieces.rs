//! Nanoseconds of reads and writes in small pieces in processes with threads, `drivers/pieces.c`.

use anyhow::Context as _;

use super::benchmark::{Benchmark, Place, Program, Quantity, Suite, scaled};
use super::invocation::{Invocation, Output};
use crate::rows::result::Unit;

/// Part of the suites of `bt-bench emulation`.
pub(super) const SUITE: Suite = Suite {
    name: "pieces",
    about: "CPU time of reads and writes in small pieces by several threads, and of a description that is shared",
    benchmarks: || ALL.iter().map(|name| benchmark(name)).collect(),
};

/// CPU time of each thread that counts, besides what warms it up.
const FULL_MS: &str = "300";
const QUICK_MS: &str = "60";

const ALL: &[&str] = &[
    "write-256-2-threads",
    "write-1024-2-threads",
    "write-4096-2-threads",
    "read-256-2-threads",
    "read-1024-2-threads",
    "read-4096-2-threads",
    "copy-256-2-threads",
    "copy-1024-2-threads",
    "copy-4096-2-threads",
    "pread-512-8-threads",
    "pread-512-shared",
    "pwrite-512-2-threads",
];

fn benchmark(name: &'static str) -> Benchmark {
    let program = Program {
        needs: vec!["driver:pieces"],
        quantity: Quantity::Printed,
        prepare: Box::new(move |setting| {
            let files = &setting.files;
            std::fs::create_dir_all(files).with_context(|| files.display().to_string())?;
            let duration = if setting.quick { QUICK_MS } else { FULL_MS };
            let driver = setting.drivers.get("pieces").context("no driver")?;
            let arguments = [name, duration, &files.display().to_string()];
            Ok(Invocation { output: Output::File, ..Invocation::new(driver, &arguments, &setting.scratch) })
        }),
    };
    let about = "CPU time of one operation in a loop, by pieces.c";
    Benchmark::program(name, about, Unit::Nanoseconds, program, scaled(330, 80)).rounds(11, 5).on(Place::All)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_has_every_row_and_no_other() {
        let source = include_str!("../../drivers/pieces.c");
        let table = source.split("} table[] = {").nth(1).and_then(|rest| rest.split("};").next()).unwrap_or_default();
        let in_driver: Vec<&str> = table.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(in_driver, ALL);
    }
}
