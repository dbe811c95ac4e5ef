//! What one caught system call costs under each mechanism that catches it.

use super::benchmark::{Benchmark, Others, Suite, scaled};

/// The suite, as the module describes it.
pub(super) const SUITE: Suite = Suite {
    name: "interpose",
    about: "one caught getppid(2) under bt-run, the kernel's mechanisms and other programs",
    benchmarks,
};

const PASSED_ON: &[&str] =
    &["every way sees the call and lets the kernel answer it; what peers do besides is their own"];

fn benchmarks() -> Vec<Benchmark> {
    let about = "a raw getppid(2), seen by somebody and passed on";
    let getppid = Benchmark::driver("interpose", "getppid", "plain", scaled(5_000, 1_000), about);
    vec![Benchmark { others: Others::Interposers, ..getppid }.rounds(9, 3).notes(PASSED_ON)]
}
