//! What DynamoRIO gave, from `data/peers.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

const TEXT: &str = include_str!("../../data/peers.toml");

/// A figure with its unit in the key.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Published {
    /// Relative to native.
    Ratio {
        /// DynamoRIO's time / native's.
        ratio: f64,
        /// Native seconds of the input that was used.
        native_s: Option<f64>,
    },
    /// Milliseconds.
    Milliseconds {
        /// Native.
        native_ms: f64,
        /// DynamoRIO.
        ms: f64,
    },
    /// Nanoseconds.
    Nanoseconds {
        /// Native.
        native_ns: f64,
        /// DynamoRIO.
        ns: f64,
    },
}

impl Published {
    /// DynamoRIO's time / native's.
    #[must_use]
    pub(crate) fn ratio(&self) -> f64 {
        match *self {
            Self::Ratio { ratio, .. } => ratio,
            Self::Milliseconds { native_ms, ms } => ms / native_ms,
            Self::Nanoseconds { native_ns, ns } => ns / native_ns,
        }
    }

    /// As a cell of the table.
    #[must_use]
    pub(crate) fn cell(&self) -> String {
        let ratio = self.ratio();
        match *self {
            Self::Ratio { .. } => format!("{ratio:.2}×"),
            Self::Milliseconds { native_ms, ms } => {
                format!("{ratio:.1}× ({ms:.0} / {native_ms:.1} ms)")
            }
            Self::Nanoseconds { native_ns, ns } => format!("{ratio:.2}× ({ns} / {native_ns} ns)"),
        }
    }
}

/// The figures by suite, then by benchmark.
#[derive(Debug, Deserialize)]
struct Figures {
    source: String,
    compute: BTreeMap<String, Published>,
    startup: BTreeMap<String, Published>,
    syscall: BTreeMap<String, Published>,
}

impl Figures {
    fn figure(&self, suite: &str, name: &str) -> Option<Published> {
        let figures = match suite {
            "compute" => &self.compute,
            "startup" => &self.startup,
            "syscall" => &self.syscall,
            _ => return None,
        };
        figures.get(name).copied()
    }
}

/// The figures; none where the data file does not parse, which a test excludes.
fn figures() -> Option<&'static Figures> {
    #[derive(Deserialize)]
    struct Peers {
        dynamorio: Figures,
    }
    static FIGURES: LazyLock<Option<Figures>> =
        LazyLock::new(|| toml::from_str(TEXT).ok().map(|peers: Peers| peers.dynamorio));
    FIGURES.as_ref()
}

/// What DynamoRIO gave for a benchmark of a suite.
#[must_use]
pub(crate) fn published(suite: &str, name: &str) -> Option<Published> {
    figures()?.figure(suite, name)
}

/// Where the figures come from.
#[must_use]
pub(crate) fn source() -> &'static str {
    figures().map_or("", |figures| &figures.source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites::workload;

    #[test]
    fn every_compute_workload_has_a_figure() {
        let peer = figures().unwrap();
        for workload in workload::ALL {
            let figure = peer.figure("compute", workload.name);
            assert!(figure.is_some(), "{}", workload.name);
        }
    }

    #[test]
    fn geometric_mean_of_the_file_is_that_of_its_rows() {
        let peer = figures().unwrap();
        let mean = peer.compute["geometric-mean"].ratio();
        let rows = peer.compute.iter().filter(|(name, _)| *name != "geometric-mean");
        let logarithms: Vec<f64> = rows.map(|(_, figure)| figure.ratio().ln()).collect();
        let found = (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp();
        assert!((found - mean).abs() < 0.01, "{found} {mean}");
    }

    #[test]
    fn units_are_told_by_the_keys() {
        let peer = figures().unwrap();
        let cell = |group, name| peer.figure(group, name).unwrap().cell();
        assert_eq!(cell("compute", "xz"), "1.03×");
        assert_eq!(cell("startup", "true"), "5.1× (18 / 3.5 ms)");
        assert_eq!(cell("syscall", "fib"), "1.88× (1.52 / 0.81 ns)");
    }
}
