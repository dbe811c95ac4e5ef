//! What is promised of each row, engine by engine and, of emulation, level by level. The only place with limits.
//!
//! A row gets its target when it is made, by its suite, its name and its way; whoever measures it, `run`, `speed` or
//! `emulation`.

use super::compute;
use super::dynamorio::{self, Published};
use crate::base::stats;
use crate::rows::engine::{Engine, Level};
use crate::rows::result::{ResultRow, Way};
use crate::rows::target::Target;

/// A promise, as far as it can be written down before anything is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Promise {
    /// A fixed limit.
    Fixed(Target),
    /// At most DynamoRIO's ratio in `data/peers.toml`.
    AsDynamoRio,
    /// Native and so many MiB, and a multiple of the guest code that was translated.
    ForCode {
        /// MiB that every process may cost.
        mebibytes: f64,
        /// What each translated byte may cost, in bytes.
        times: f64,
    },
}

const fn ratio(at_most: f64) -> Promise {
    Promise::Fixed(Target::Ratio { at_most })
}

const fn difference(at_most: f64) -> Promise {
    Promise::Fixed(Target::Difference { at_most })
}

const fn absolute(at_most: f64) -> Promise {
    Promise::Fixed(Target::Absolute { at_most })
}

/// Suite and benchmark, `*` being every other one of the suite; limits in the unit of the suite.
#[rustfmt::skip]
const DIRECT: &[(&str, &str, Promise)] = &[
    ("compute", "geometric-mean", ratio(1.01)),
    ("compute", "*",              ratio(1.02)),
    ("programs", "*",             ratio(1.05)),
    ("startup", "true",           ratio(1.00)),
    ("startup", "bash",           ratio(1.00)),
    ("startup", "python",         ratio(1.10)),
    ("startup", "gcc-c",          ratio(1.05)),
    ("startup", "forks-50",       ratio(1.10)),
    ("startup", "true-cold",      difference(15.0)),
    ("startup", "bash-cold",      difference(15.0)),
    ("syscall", "getppid",        difference(8.0)),
    ("syscall", "getpid-known",   absolute(2.0)),
    ("syscall", "getpid-any",     absolute(6.0)),
    ("memory",  "*",              difference(2.0)),
];

#[rustfmt::skip]
const TRANSLATE: &[(&str, &str, Promise)] = &[
    ("compute", "geometric-mean", ratio(1.25)),
    ("compute", "*",              Promise::AsDynamoRio),
    ("startup", "true",           difference(3.0)),
    ("startup", "bash",           ratio(2.5)),
    ("startup", "python",         ratio(3.0)),
    ("startup", "forks-50",       ratio(3.0)),
    ("syscall", "getppid",        difference(20.0)),
    ("memory",  "*",              Promise::ForCode { mebibytes: 16.0, times: 3.0 }),
];

const fn faster(at_least: f64) -> Target {
    Target::Faster { at_least }
}

/// Suite and benchmark, `*` being every other one of the suite, the first level that promises it, under either engine,
/// and what.
#[rustfmt::skip]
const EMULATION: &[(&str, &str, Level, Target)] = &[
    ("call", "getpid",            Level::Exact,    Target::Absolute { at_most: 2.0 }),
    ("call", "clock-gettime-raw", Level::Exact,    Target::Absolute { at_most: 25.0 }),
    ("call", "sigprocmask",       Level::Coherent, Target::Absolute { at_most: 6.0 }),
    ("call", "sigprocmask-query", Level::Coherent, Target::Absolute { at_most: 6.0 }),
    ("call", "mix-5",             Level::Coherent, faster(4.0)),
    ("call", "read-1",            Level::Coherent, faster(20.0)),
    ("call", "read-512",          Level::Coherent, faster(20.0)),
    ("call", "read-4096",         Level::Coherent, faster(6.0)),
    ("call", "pread-1",           Level::Coherent, faster(20.0)),
    ("call", "pread-512",         Level::Coherent, faster(20.0)),
    ("call", "pread-4096",        Level::Coherent, faster(6.0)),
    ("call", "pread-rdwr-512",    Level::Coherent, faster(10.0)),
    ("call", "write-256",         Level::Coherent, faster(25.0)),
    ("call", "write-1024",        Level::Coherent, faster(14.0)),
    ("call", "write-4096",        Level::Coherent, faster(6.0)),
    ("call", "copy-256",          Level::Coherent, faster(25.0)),
    ("call", "copy-1024",         Level::Coherent, faster(14.0)),
    ("call", "copy-4096",         Level::Coherent, faster(6.0)),
    ("call", "pipe-512",          Level::Coherent, faster(25.0)),
    ("call", "access-absent",     Level::Coherent, faster(10.0)),
    ("call", "stat-absent",       Level::Coherent, faster(10.0)),
    ("call", "open-absent",       Level::Coherent, faster(10.0)),
    ("call", "access-present",    Level::Coherent, faster(10.0)),
    ("call", "stat-files",        Level::Exact,    faster(0.98)),
    ("call", "output-100",        Level::Exact,    faster(0.98)),
    ("call", "output-4096",       Level::Exact,    faster(0.98)),
    ("call", "output-65536",      Level::Exact,    faster(0.98)),
    ("call", "append-100",        Level::Exact,    faster(0.98)),
    ("call", "extend-100",        Level::Exact,    faster(0.98)),
    ("call", "read-once-small",   Level::Exact,    faster(0.98)),
    ("call", "read-once-large",   Level::Exact,    faster(0.98)),
    ("pieces", "write-256-2-threads",  Level::Coherent, faster(15.0)),
    ("pieces", "write-1024-2-threads", Level::Coherent, faster(8.0)),
    ("pieces", "write-4096-2-threads", Level::Coherent, faster(3.0)),
    ("pieces", "read-256-2-threads",   Level::Coherent, faster(15.0)),
    ("pieces", "read-1024-2-threads",  Level::Coherent, faster(8.0)),
    ("pieces", "read-4096-2-threads",  Level::Coherent, faster(3.0)),
    ("pieces", "copy-256-2-threads",   Level::Coherent, faster(15.0)),
    ("pieces", "copy-1024-2-threads",  Level::Coherent, faster(8.0)),
    ("pieces", "copy-4096-2-threads",  Level::Coherent, faster(3.0)),
    ("pieces", "pread-512-8-threads",  Level::Coherent, faster(10.0)),
    ("pieces", "pread-512-shared",     Level::Coherent, faster(10.0)),
    ("noted", "open-close",         Level::Off, Target::Difference { at_most: 30.0 }),
    ("noted", "dup-close",          Level::Off, Target::Difference { at_most: 30.0 }),
    ("noted", "dupfd-close",        Level::Off, Target::Difference { at_most: 30.0 }),
    ("noted", "close-bad",          Level::Off, Target::Difference { at_most: 15.0 }),
    ("noted", "fcntl-getfl",        Level::Off, Target::Difference { at_most: 15.0 }),
    ("noted", "fcntl-setfd",        Level::Off, Target::Difference { at_most: 15.0 }),
    ("noted", "brk",                Level::Off, Target::Difference { at_most: 15.0 }),
    ("noted", "mmap-munmap",        Level::Off, Target::Difference { at_most: 300.0 }),
    ("noted", "mmap-munmap-file",   Level::Off, Target::Difference { at_most: 300.0 }),
    ("noted", "mmap-munmap-shared", Level::Off, Target::Difference { at_most: 300.0 }),
    ("noted", "mmap-fixed",         Level::Off, Target::Difference { at_most: 150.0 }),
    ("noted", "mprotect-rw",        Level::Off, Target::Difference { at_most: 300.0 }),
    ("noted", "madvise-dontneed",   Level::Off, Target::Difference { at_most: 150.0 }),
    ("program", "dd-zero-null",     Level::Coherent, faster(8.0)),
    ("program", "dd-512-file-null", Level::Coherent, faster(5.0)),
    ("program", "sqlite-selects",   Level::Coherent, faster(1.3)),
    ("compute-levels", "*",         Level::Exact,    Target::Ratio { at_most: 1.02 }),
];

/// Shortest run of a program of suite `compute-levels` on which a share of 2 % is promised, in seconds.
const LONG_ENOUGH_S: f64 = 1.0;

/// What is promised of a row; `translated_bytes` is the guest code that was translated for it, as far as that is known.
#[must_use]
pub(crate) fn target(row: &ResultRow, translated_bytes: Option<u64>) -> Option<Target> {
    let Way::Engine { engine, emulate } = &row.way else { return None };
    let engine = Engine::named(engine)?;
    match emulate {
        Some(level) => emulation(Level::named(level)?, &row.suite, &row.name),
        None => promise(engine, &row.suite, &row.name)?
            .target(dynamorio::published(&row.suite, &row.name), translated_bytes),
    }
}

/// The target of an engine's geometric mean over all of suite `compute`.
#[must_use]
pub(crate) fn mean(way: &Way) -> Option<Target> {
    match way {
        Way::Engine { engine, emulate: None } => {
            promise(Engine::named(engine)?, compute::SUITE.name, compute::MEAN)?.target(None, None)
        }
        _ => None,
    }
}

/// Takes the target back from a row whose program turned out to run too short for it.
pub(crate) fn withdraw(row: &mut ResultRow) {
    let is_short = stats::median(&row.native).is_some_and(|seconds| seconds < LONG_ENOUGH_S);
    if row.suite == compute::LEVELS.name && is_short && row.target.take().is_some() {
        row.notes.push(format!("no target: runs less than {LONG_ENOUGH_S} s"));
    }
}

/// What a level of emulation promises of a row.
fn emulation(level: Level, suite: &str, name: &str) -> Option<Target> {
    let named = |wanted: &str| EMULATION.iter().find(|promise| promise.0 == suite && promise.1 == wanted);
    let (.., first, target) = named(name).or_else(|| named("*"))?;
    (level >= *first).then_some(*target)
}

fn all(engine: Engine) -> &'static [(&'static str, &'static str, Promise)] {
    match engine {
        Engine::Direct => DIRECT,
        Engine::Translate => TRANSLATE,
        // Its figures are instructions, counted by `cargo xtask kmod bench`.
        Engine::Ring0 => &[],
    }
}

/// What an engine promises of a row.
fn promise(engine: Engine, suite: &str, name: &str) -> Option<Promise> {
    let named = |wanted: &str| {
        let found = all(engine).iter().find(|(its_suite, its_name, _)| *its_suite == suite && *its_name == wanted)?;
        Some(found.2)
    };
    named(name).or_else(|| named("*"))
}

/// The geometric mean of compute that is aimed for beyond the promise.
#[must_use]
pub(crate) fn aim(way: &Way) -> Option<f64> {
    let translate = Way::Engine { engine: Engine::Translate.name().to_owned(), emulate: None };
    (*way == translate).then_some(1.10)
}

impl Promise {
    /// The limit, once it is known what DynamoRIO gave and how much was translated.
    fn target(self, published: Option<Published>, translated_bytes: Option<u64>) -> Option<Target> {
        match self {
            Self::Fixed(target) => Some(target),
            Self::AsDynamoRio => published.map(|figure| Target::Ratio { at_most: figure.ratio() }),
            Self::ForCode { mebibytes, times } => {
                #[allow(clippy::cast_precision_loss, reason = "code sizes are far below 2^53")]
                let translated = translated_bytes? as f64 / f64::from(1 << 20);
                Some(Target::Difference { at_most: mebibytes + times * translated })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::result::Unit;
    use crate::suites::{self, benchmark::Suite};

    fn has(suites: &[&Suite], suite: &str, name: &str) -> bool {
        let benchmarks = suites.iter().filter(|known| known.name == suite).flat_map(|known| (known.benchmarks)());
        let names: Vec<&str> = benchmarks.map(|benchmark| benchmark.name).collect();
        !names.is_empty() && (name == "*" || name == compute::MEAN || names.contains(&name))
    }

    #[test]
    fn every_promise_is_about_a_row_that_is_measured() {
        for engine in [Engine::Direct, Engine::Translate] {
            for (suite, name, _) in all(engine) {
                assert!(has(suites::SPEED, suite, name), "{engine}: {suite}/{name}");
            }
        }
    }

    #[test]
    fn every_promise_of_emulation_is_about_a_row_that_is_measured() {
        for (suite, name, ..) in EMULATION {
            assert!(has(suites::EMULATION, suite, name), "{suite}/{name}");
        }
    }

    #[test]
    fn rows_get_what_is_promised_of_their_way() {
        let row = |suite: &str, name: &str, emulate: Option<&str>| {
            let way = Way::Engine { engine: "direct".to_owned(), emulate: emulate.map(str::to_owned) };
            ResultRow { suite: suite.to_owned(), name: name.to_owned(), ..ResultRow::blank(way, Unit::Seconds) }
        };
        assert_eq!(target(&row("compute", "xz", None), None), Some(Target::Ratio { at_most: 1.02 }));
        assert_eq!(target(&row("call", "read-1", Some("coherent")), None), Some(faster(20.0)));
        assert_eq!(target(&row("call", "read-1", None), None), None);
        assert_eq!(target(&ResultRow::blank(Way::Native, Unit::Seconds), None), None);
        assert_eq!(mean(&row("compute", "", None).way), Some(Target::Ratio { at_most: 1.01 }));
    }

    #[test]
    fn short_programs_have_no_target_beside_off() {
        let mut row = ResultRow::blank(Way::Native, Unit::Seconds);
        (row.suite, row.target) = (compute::LEVELS.name.to_owned(), Some(Target::Ratio { at_most: 1.02 }));
        row.native = vec![1.5, 1.4];
        withdraw(&mut row);
        assert!(row.target.is_some());
        row.native = vec![0.5, 0.4];
        withdraw(&mut row);
        assert_eq!((row.target, row.notes.len()), (None, 1));
    }

    #[test]
    fn levels_promise_what_lower_ones_do_and_off_nothing() {
        assert_eq!(emulation(Level::Exact, "call", "read-512"), None);
        assert_eq!(emulation(Level::Coherent, "call", "read-512"), Some(faster(20.0)));
        assert_eq!(emulation(Level::Off, "compute-levels", "xz"), None);
        assert_eq!(emulation(Level::Coherent, "compute-levels", "xz"), Some(Target::Ratio { at_most: 1.02 }));
        assert_eq!(emulation(Level::Coherent, "call", "eventfd"), None);
    }

    #[test]
    fn named_rows_go_before_the_rest_of_their_group() {
        assert_eq!(promise(Engine::Direct, "compute", "geometric-mean"), Some(ratio(1.01)));
        assert_eq!(promise(Engine::Direct, "compute", "xz"), Some(ratio(1.02)));
        assert_eq!(promise(Engine::Translate, "compute", "xz"), Some(Promise::AsDynamoRio));
        assert_eq!(promise(Engine::Direct, "startup", "gcc"), None);
    }

    #[test]
    fn limits_that_depend_on_the_run_follow_it() {
        let promise = Promise::ForCode { mebibytes: 16.0, times: 3.0 };
        assert_eq!(promise.target(None, Some(2 << 20)), Some(Target::Difference { at_most: 22.0 }));
        assert_eq!(promise.target(None, None), None);
        let published = Published::Ratio { ratio: 1.5, native_s: None };
        assert_eq!(Promise::AsDynamoRio.target(Some(published), None), Some(Target::Ratio { at_most: 1.5 }));
        assert_eq!(Promise::AsDynamoRio.target(None, None), None);
    }
}
