//! Nanoseconds of system calls that the kernel makes and the runtime only takes note of, `drivers/noted.c`.

use anyhow::Context as _;

use super::benchmark::{Benchmark, Place, Program, Quantity, Suite, scaled};
use super::invocation::{Invocation, Output};
use crate::rows::result::Unit;

/// Part of the suites of `bt-bench emulation`.
pub(super) const SUITE: Suite = Suite {
    name: "noted",
    about: "CPU time of single calls that the kernel makes, in one thread and in four",
    benchmarks: || {
        ALL.iter().flat_map(|call| [benchmark(call[0], call[0], 1), benchmark(call[1], call[0], 4)]).collect()
    },
};

/// CPU time that the loops of all threads take.
const FULL_MS: &str = "300";
const QUICK_MS: &str = "60";

/// Rows in one thread, which are named as in the driver, and in four.
const ALL: &[[&str; 2]] = &[
    ["open-close", "open-close-4-threads"],
    ["dup-close", "dup-close-4-threads"],
    ["dupfd-close", "dupfd-close-4-threads"],
    ["dupfd-close-high", "dupfd-close-high-4-threads"],
    ["close-bad", "close-bad-4-threads"],
    ["fcntl-getfl", "fcntl-getfl-4-threads"],
    ["fcntl-setfd", "fcntl-setfd-4-threads"],
    ["mmap-munmap", "mmap-munmap-4-threads"],
    ["mmap-munmap-file", "mmap-munmap-file-4-threads"],
    ["mmap-munmap-shared", "mmap-munmap-shared-4-threads"],
    ["mmap-fixed", "mmap-fixed-4-threads"],
    ["mprotect-rw", "mprotect-rw-4-threads"],
    ["madvise-dontneed", "madvise-dontneed-4-threads"],
    ["mremap-shrink-grow", "mremap-shrink-grow-4-threads"],
    ["brk", "brk-4-threads"],
    ["sigmask-block-unblock", "sigmask-block-unblock-4-threads"],
];

fn benchmark(name: &'static str, row: &'static str, threads: u32) -> Benchmark {
    let program = Program {
        needs: vec!["driver:noted"],
        quantity: Quantity::Printed,
        prepare: Box::new(move |setting| {
            let files = &setting.files;
            std::fs::create_dir_all(files).with_context(|| files.display().to_string())?;
            let duration = if setting.quick { QUICK_MS } else { FULL_MS };
            let driver = setting.drivers.get("noted").context("no driver")?;
            let arguments = [row, &threads.to_string(), duration, &files.display().to_string()];
            Ok(Invocation { output: Output::File, ..Invocation::new(driver, &arguments, &setting.scratch) })
        }),
    };
    let about = "CPU time of one operation in a loop, by noted.c";
    let benchmark = Benchmark::program(name, about, Unit::Nanoseconds, program, scaled(330, 80)).rounds(21, 9);
    if threads == 1 { benchmark } else { benchmark.on(Place::All) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_has_every_row_and_no_other() {
        let source = include_str!("../../drivers/noted.c");
        let table = source.split("} table[] = {").nth(1).and_then(|rest| rest.split("};").next()).unwrap_or_default();
        let in_driver: Vec<&str> = table.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(in_driver, ALL.iter().map(|call| call[0]).collect::<Vec<_>>());
    }

    #[test]
    fn rows_of_four_threads_are_named_after_those_of_one() {
        for [one, four] in ALL {
            assert_eq!(format!("{one}-4-threads"), *four);
        }
    }
}
