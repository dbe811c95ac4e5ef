//! Wall time of programs that do next to nothing, on all CPUs as a user starts them.

use anyhow::Context as _;

use super::benchmark::{Asked, Benchmark, Images, Place, Program, Quantity, Scaled, Suite, scaled};
use super::invocation::Invocation;
use crate::base::programs;
use crate::rows::result::Unit;

/// The C file that is compiled.
const SMALL_C: &str = include_str!("../../workloads/small.c");

use Images::{Cold, Warm};

struct Start {
    name: &'static str,
    /// One sentence.
    about: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    images: Images,
    /// Pairs that its target needs.
    pairs: Scaled<usize>,
}

#[rustfmt::skip]
const ALL: &[Start] = &[
    Start { name: "true",      about: "from exec to exit of true(1)", images: Warm, pairs: scaled(101, 21), program: "true",    arguments: &[] },
    Start { name: "true-cold", about: "the same without images in the cache", images: Cold, pairs: scaled(31, 7), program: "true",    arguments: &[] },
    Start { name: "bash",      about: "bash that runs a builtin", images: Warm, pairs: scaled(101, 21), program: "bash",    arguments: &["-c", "true"] },
    Start { name: "bash-cold", about: "the same without images in the cache", images: Cold, pairs: scaled(31, 7), program: "bash",    arguments: &["-c", "true"] },
    Start { name: "python",    about: "the Python interpreter with nothing to do", images: Warm, pairs: scaled(61, 15), program: "python3", arguments: &["-c", "pass"] },
    Start { name: "gcc",       about: "the compiler driver that tells its version", images: Warm, pairs: scaled(61, 15), program: "gcc",     arguments: &["--version"] },
    Start { name: "gcc-c",     about: "a small C file to an object file", images: Warm, pairs: scaled(61, 15), program: "gcc",     arguments: &["-c", "small.c", "-o", "small.o"] },
    Start { name: "node",      about: "Node.js with nothing to do", images: Warm, pairs: scaled(31, 7), program: "node",    arguments: &["-e", "0"] },
    Start { name: "forks-50",  about: "bash that starts /bin/true 50 times", images: Warm, pairs: scaled(31, 7), program: "bash",    arguments: &["-c", "for i in {1..50}; do /bin/true; done"] },
];

/// The suite of `bt-bench run`. Its image cache is always warm.
pub(super) const SUITE: Suite = Suite {
    name: "startup",
    about: "wall time of programs that do next to nothing, on all CPUs",
    benchmarks: || {
        let warm = ALL.iter().filter(|start| start.images == Warm);
        warm.map(|start| benchmark(start).rounds(start.pairs.full.min(41), start.pairs.quick.min(11))).collect()
    },
};

/// The same with as many rounds as the targets of `bt-bench speed` need, and with starts that find no images.
pub(super) const SPEED: Suite = Suite {
    benchmarks: || ALL.iter().map(|start| Benchmark { asked: Asked::Images, ..benchmark(start) }).collect(),
    ..SUITE
};

/// Some of them.
pub(super) fn named(names: &[&str]) -> impl Iterator<Item = Benchmark> {
    ALL.iter().filter(move |start| names.contains(&start.name)).map(benchmark)
}

fn benchmark(start: &'static Start) -> Benchmark {
    let program = Program {
        needs: vec![start.program],
        quantity: Quantity::Wall,
        prepare: Box::new(|setting| {
            let small_c = setting.scratch.join("small.c");
            std::fs::write(&small_c, SMALL_C).with_context(|| small_c.display().to_string())?;
            let program = programs::find(start.program).context("not installed")?;
            Ok(Invocation::new(&program, start.arguments, &setting.scratch))
        }),
    };
    let benchmark = Benchmark::program(start.name, start.about, Unit::Milliseconds, program, scaled(40, 40));
    Benchmark { images: start.images, rounds: start.pairs, ..benchmark }.on(Place::All)
}
