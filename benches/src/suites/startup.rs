//! Wall time of programs that do next to nothing, on all CPUs as a user starts them.

use anyhow::Context as _;

use super::{Session, Stop, check, invocation, stats_of, timed};
use crate::engine::Engine;
use crate::launch::{Failure, Invocation, Launcher, Output, Side};
use crate::programs;
use crate::result;
use crate::rows::Unit;
use crate::run::benchmark::{Benchmark, Clock, Place, Program, Scaled, Suite, scaled};
use crate::run_stats;

const GROUP: &str = "startup";

/// The C file that is compiled.
const SMALL_C: &str = include_str!("../../workloads/small.c");

/// What bt-run finds in its image cache.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Images {
    /// Those that an earlier run of the same command left.
    Warm,
    /// None, before each run. Engine direct only: the other one keeps none.
    Cold,
}
use Images::{Cold, Warm};

struct Start {
    name: &'static str,
    /// One sentence.
    about: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    images: Images,
    /// Pairs of a full and of a quick run.
    pairs: (usize, usize),
}

#[rustfmt::skip]
const ALL: &[Start] = &[
    Start { name: "true",      about: "from exec to exit of true(1)", images: Warm, pairs: (101, 21), program: "true",    arguments: &[] },
    Start { name: "true-cold", about: "the same without images in the cache", images: Cold, pairs:  (31,  7), program: "true",    arguments: &[] },
    Start { name: "bash",      about: "bash that runs a builtin", images: Warm, pairs: (101, 21), program: "bash",    arguments: &["-c", "true"] },
    Start { name: "bash-cold", about: "the same without images in the cache", images: Cold, pairs:  (31,  7), program: "bash",    arguments: &["-c", "true"] },
    Start { name: "python",    about: "the Python interpreter with nothing to do", images: Warm, pairs:  (61, 15), program: "python3", arguments: &["-c", "pass"] },
    Start { name: "gcc",       about: "the compiler driver that tells its version", images: Warm, pairs:  (61, 15), program: "gcc",     arguments: &["--version"] },
    Start { name: "gcc-c",     about: "a small C file to an object file", images: Warm, pairs:  (61, 15), program: "gcc",     arguments: &["-c", "small.c", "-o", "small.o"] },
    Start { name: "node",      about: "Node.js with nothing to do", images: Warm, pairs:  (31,  7), program: "node",    arguments: &["-e", "0"] },
    Start { name: "forks-50",  about: "bash that starts /bin/true 50 times", images: Warm, pairs:  (31,  7), program: "bash",    arguments: &["-c", "for i in {1..50}; do /bin/true; done"] },
];

/// The suite of `bt-bench run`. Its image cache is always warm.
pub const SUITE: Suite = Suite {
    name: "startup",
    about: "wall time of programs that do next to nothing, on all CPUs",
    benchmarks: || ALL.iter().filter(|start| start.images == Warm).map(benchmark).collect(),
};

fn benchmark(start: &'static Start) -> Benchmark {
    let program = Program {
        needs: vec![start.program],
        clock: Clock::Wall,
        prepare: Box::new(|setting| {
            let small_c = setting.scratch.join("small.c");
            std::fs::write(&small_c, SMALL_C).with_context(|| small_c.display().to_string())?;
            Ok(Invocation {
                program: programs::find(start.program).context("not installed")?,
                arguments: start.arguments.iter().map(|&argument| argument.to_owned()).collect(),
                folder: setting.scratch.clone(),
                input: None,
                output: Output::Null,
            })
        }),
    };
    let expected_ms: Scaled<u32> = scaled(40, 40);
    Benchmark::program(start.name, start.about, result::Unit::Milliseconds, program, expected_ms)
        .on(Place::All)
        .rounds(start.pairs.0.min(41), start.pairs.1.min(11))
}

fn all(engine: Engine) -> impl Iterator<Item = &'static Start> {
    ALL.iter().filter(move |start| engine == Engine::Direct || start.images == Warm)
}

/// The names of the rows.
#[must_use]
pub fn names(engine: Engine) -> Vec<&'static str> {
    all(engine).map(|start| start.name).collect()
}

/// The command of a row, if its program is installed.
#[must_use]
pub fn invocation_of(name: &str, launcher: &Launcher) -> Option<Invocation> {
    let start = ALL.iter().find(|start| start.name == name)?;
    Some(invocation(&programs::find(start.program)?, start.arguments, launcher))
}

/// Measures the programs that are wanted.
///
/// # Errors
/// See [`Stop`].
pub fn run(session: &mut Session) -> Result<(), Stop> {
    let small_c = session.launcher.scratch.join("small.c");
    std::fs::write(&small_c, SMALL_C).with_context(|| small_c.display().to_string())?;
    for start in all(session.engine()) {
        if session.plan.wants(GROUP, start.name) {
            measure_one(session, start)?;
        }
    }
    Ok(())
}

/// How warm the image cache is when the row begins: a file that gets no image is scanned each time.
fn note_images(launcher: &Launcher, invocation: &Invocation) -> Result<Option<String>, Failure> {
    let figures = run_stats::image_figures(&stats_of(launcher, invocation)?);
    Ok(figures.map(|figures| {
        #[allow(clippy::cast_precision_loss, reason = "code sizes are far below 2^53")]
        let scanned = figures.scanned_bytes as f64 / f64::from(1 << 20);
        format!("{} × found in the image cache, {scanned:.2} MiB scanned", figures.remembered)
    }))
}

fn measure_one(session: &mut Session, start: &Start) -> Result<(), Stop> {
    let mut row = session.row(GROUP, start.name, Unit::Milliseconds);
    row.target = session.target(GROUP, start.name, 0);
    let Some(program) = programs::find(start.program) else {
        return session.push_not_installed(row, start.program);
    };
    // The warm images stay for the rows that follow.
    let launcher = match start.images {
        Warm => session.launcher.clone(),
        Cold => session.launcher.with_cache("images-cold"),
    };
    let invocation = invocation(&program, start.arguments, &launcher);
    row.command = invocation.line();
    let prepare = |launcher: &Launcher| if start.images == Cold { launcher.empty_cache() } else { Ok(()) };
    prepare(&launcher)?;
    let limit = match check(&launcher, &invocation) {
        Ok(limit) => limit,
        Err(Failure::Interrupted) => return Err(Stop::Interrupted),
        Err(Failure::Failed(reason)) => {
            row.fail(reason);
            return session.push(row);
        }
    };
    if session.engine() == Engine::Direct {
        prepare(&launcher)?;
        match note_images(&launcher, &invocation) {
            Ok(note) => row.notes.extend(note),
            Err(Failure::Interrupted) => return Err(Stop::Interrupted),
            Err(Failure::Failed(reason)) => row.notes.push(reason),
        }
    }
    let pairs = session.plan.pairs(start.pairs.0, start.pairs.1);
    session.measure(row, pairs, |_, side| {
        if side == Side::BtRun {
            prepare(&launcher)?;
        }
        Ok(timed(&launcher, side, &invocation, limit)?.wall_seconds * 1e3)
    })?;
    Ok(())
}
