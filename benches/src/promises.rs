//! What is promised of each row, engine by engine and, of emulation, level by level. The only place with limits.

use crate::engine::Engine;
use crate::peers::Published;
use crate::target::Target;
use crate::variant::Level;

/// A promise, as far as it can be written down before anything is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Promise {
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

/// Group and row, `*` being every other row of the group; limits in the unit of the group.
#[rustfmt::skip]
const DIRECT: &[(&str, &str, Promise)] = &[
    ("compute", "geometric-mean", ratio(1.01)),
    ("compute", "*",              ratio(1.02)),
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

/// Group and row, `*` being every other row of the group, the first level that promises it, under either engine, and
/// what. Of `compute` it is the ratio to `--emulate off`.
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
    ("call", "write-256",         Level::Coherent, faster(20.0)),
    ("call", "write-1024",        Level::Coherent, faster(15.0)),
    ("call", "write-4096",        Level::Coherent, faster(5.0)),
    ("call", "copy-256",          Level::Coherent, faster(15.0)),
    ("call", "copy-1024",         Level::Coherent, faster(10.0)),
    ("call", "copy-4096",         Level::Coherent, faster(4.0)),
    ("call", "pipe-512",          Level::Coherent, faster(25.0)),
    ("call", "output-100",        Level::Exact,    faster(0.98)),
    ("call", "output-4096",       Level::Exact,    faster(0.98)),
    ("call", "output-65536",      Level::Exact,    faster(0.98)),
    ("call", "append-100",        Level::Exact,    faster(0.98)),
    ("call", "extend-100",        Level::Exact,    faster(0.98)),
    ("call", "read-once-small",   Level::Exact,    faster(0.98)),
    ("call", "read-once-large",   Level::Exact,    faster(0.98)),
    ("program", "dd-zero-null",     Level::Coherent, faster(8.0)),
    ("program", "dd-512-file-null", Level::Coherent, faster(5.0)),
    ("program", "sqlite-selects",   Level::Coherent, faster(1.3)),
    ("compute", "*",                Level::Exact,    Target::Ratio { at_most: 1.02 }),
];

/// What a level of emulation promises of a row.
#[must_use]
pub fn emulation(level: Level, group: &str, name: &str) -> Option<Target> {
    let named = |wanted: &str| EMULATION.iter().find(|promise| promise.0 == group && promise.1 == wanted);
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
#[must_use]
pub fn promise(engine: Engine, group: &str, name: &str) -> Option<Promise> {
    let named = |wanted: &str| {
        let found = all(engine).iter().find(|(its_group, its_name, _)| *its_group == group && *its_name == wanted)?;
        Some(found.2)
    };
    named(name).or_else(|| named("*"))
}

/// The geometric mean of compute that is aimed for beyond the promise.
#[must_use]
pub fn aim(engine: Engine) -> Option<f64> {
    match engine {
        Engine::Direct | Engine::Ring0 => None,
        Engine::Translate => Some(1.10),
    }
}

impl Promise {
    /// The limit, once it is known what DynamoRIO gave and how much was translated.
    #[must_use]
    pub fn target(self, published: Option<Published>, translated_bytes: u64) -> Option<Target> {
        match self {
            Self::Fixed(target) => Some(target),
            Self::AsDynamoRio => published.map(|figure| Target::Ratio { at_most: figure.ratio() }),
            Self::ForCode { mebibytes, times } => {
                #[allow(clippy::cast_precision_loss, reason = "code sizes are far below 2^53")]
                let translated = translated_bytes as f64 / f64::from(1 << 20);
                Some(Target::Difference { at_most: mebibytes + times * translated })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites;

    #[test]
    fn every_promise_is_about_a_row_that_is_measured() {
        for engine in [Engine::Direct, Engine::Translate] {
            for (group, name, _) in all(engine) {
                let rows = suites::names(group, engine);
                assert!(*name == "*" && !rows.is_empty() || rows.contains(name), "{engine}: {group}/{name}");
            }
        }
    }

    #[test]
    fn every_promise_of_emulation_is_about_a_row_that_is_measured() {
        for (group, name, ..) in EMULATION {
            let rows = suites::levels::names(group);
            assert!(*name == "*" && !rows.is_empty() || rows.contains(name), "{group}/{name}");
        }
    }

    #[test]
    fn levels_promise_what_lower_ones_do_and_off_nothing() {
        assert_eq!(emulation(Level::Exact, "call", "read-512"), None);
        assert_eq!(emulation(Level::Coherent, "call", "read-512"), Some(faster(20.0)));
        assert_eq!(emulation(Level::Relaxed, "call", "read-512"), Some(faster(20.0)));
        assert_eq!(emulation(Level::Off, "compute", "xz"), None);
        assert_eq!(emulation(Level::Coherent, "compute", "xz"), Some(Target::Ratio { at_most: 1.02 }));
        assert_eq!(emulation(Level::Relaxed, "call", "eventfd"), None);
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
        assert_eq!(promise.target(None, 2 << 20), Some(Target::Difference { at_most: 22.0 }));
        let published = Published::Ratio { ratio: 1.5, native_s: None };
        assert_eq!(Promise::AsDynamoRio.target(Some(published), 0), Some(Target::Ratio { at_most: 1.5 }));
        assert_eq!(Promise::AsDynamoRio.target(None, 0), None);
    }
}
