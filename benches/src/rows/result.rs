//! A result: what one way of running gave for one benchmark. The unit of the files that `run` writes and that `report`,
//! `compare` and `merge` read: JSON lines, appended, each with its schema and the machine.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::base::host::Host;
use crate::base::stats::Estimate;
use crate::rows::target::Target;

/// Version of a result's shape. A reader skips lines of another with a warning.
pub(crate) const SCHEMA: u32 = 4;

/// What ran the benchmark.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Way {
    /// The kernel, without anything of ours.
    Native,
    /// An engine of bt-run.
    Engine {
        /// As `--engine` takes it: translate, direct, ring0.
        engine: String,
        /// As `--emulate` takes it; the launcher's default where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emulate: Option<String>,
    },
    /// Another program or mechanism of interception.
    Peer {
        /// Its name, as in the table of peers.
        name: String,
        /// What it says about its version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
}

impl Way {
    /// As tables name it: `native`, `direct`, `direct relaxed`, `valgrind`.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Native => "native".to_owned(),
            Self::Engine { engine, emulate: None } => engine.clone(),
            Self::Engine { engine, emulate: Some(level) } => format!("{engine} {level}"),
            Self::Peer { name, .. } => name.clone(),
        }
    }
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    /// Nanoseconds per operation.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Milliseconds per run.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Seconds per run.
    #[serde(rename = "s")]
    Seconds,
    /// Operations or requests per second: more is better.
    #[serde(rename = "per_s")]
    PerSecond,
    /// Mebibytes.
    #[serde(rename = "mib")]
    Mebibytes,
    /// Megabytes per second: more is better.
    #[serde(rename = "mb_per_s")]
    MegabytesPerSecond,
}

impl Unit {
    /// The unit's symbol.
    #[must_use]
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::PerSecond => "/s",
            Self::Mebibytes => "MiB",
            Self::MegabytesPerSecond => "MB/s",
        }
    }

    /// Nanoseconds in one of a unit of time.
    #[must_use]
    pub(crate) fn in_nanoseconds(self) -> Option<f64> {
        match self {
            Self::Nanoseconds => Some(1.0),
            Self::Milliseconds => Some(1e6),
            Self::Seconds => Some(1e9),
            Self::PerSecond | Self::Mebibytes | Self::MegabytesPerSecond => None,
        }
    }

    /// A larger figure is the better one.
    #[must_use]
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Self::PerSecond | Self::MegabytesPerSecond)
    }
}

/// What became of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum State {
    /// There are figures.
    Measured,
    /// The way did not do what it should.
    Failed {
        /// Which, and what it did.
        reason: String,
    },
    /// The program or the mechanism is missing on this machine.
    Unavailable {
        /// What is missing, and what would bring it.
        reason: String,
    },
}

/// One way's figures of one benchmark, in one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ResultRow {
    /// The version of this shape, [`SCHEMA`].
    pub schema: u32,
    /// The run: equal in all results of one `bt-bench run`, different in every other.
    pub run: String,
    /// When it was measured (RFC 3339, UTC).
    pub date: String,
    /// The suite: `singularity`, `vmware`, …
    pub suite: String,
    /// The benchmark's name within the suite; with its parameters it is unique.
    pub name: String,
    /// What a table calls it.
    pub title: String,
    /// Numbers the benchmark was run with: `bytes`, `processes`, `clients`, …; a plot's axis.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, f64>,
    /// What ran it.
    pub way: Way,
    /// What became of it.
    #[serde(flatten)]
    pub state: State,
    /// What the figures are counted in.
    pub unit: Unit,
    /// One figure for each turn, in order, outliers among them.
    pub samples: Vec<f64>,
    /// Median of `samples` with a 95 % bootstrap interval.
    pub estimate: Option<Estimate>,
    /// (max − min) / median of `samples`, in percent.
    pub spread_percent: Option<f64>,
    /// Cycles of the time-stamp counter per operation, where the unit is a time.
    pub cycles: Option<Estimate>,
    /// Figures of the performance counters per operation, by perf's names; empty without a PMU.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, f64>,
    /// What `native`, `ratio` and `floor` are about where it is not native: then "native" in their descriptions means
    /// this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Way>,
    /// Native in the same turns: one before each of `samples`, and a last one. Empty for native itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub native: Vec<f64>,
    /// This way / native, by turns.
    pub ratio: Option<Estimate>,
    /// How far native / native strays from 1 in the same run.
    pub floor: Option<f64>,
    /// What is promised of this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Whether it is kept; a row that failed does not keep it. None without a target, or where nothing can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
    /// The figures stray so far that they say little.
    pub noisy: bool,
    /// Latencies in nanoseconds at the quantiles 0, 0.01, …, 1, where single operations were timed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<f64>,
    /// Operations in one sample.
    pub repetitions: u64,
    /// The work was scaled down.
    pub quick: bool,
    /// CPUs the benchmark was pinned to; all where empty.
    pub pinned_cpus: Vec<usize>,
    /// The command, as a shell takes it.
    pub command: String,
    /// Remarks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The machine.
    pub host: Host,
}

impl ResultRow {
    /// A row without figures, of no run, benchmark or machine.
    #[must_use]
    pub(crate) fn blank(way: Way, unit: Unit) -> Self {
        Self {
            schema: SCHEMA,
            run: String::new(),
            date: String::new(),
            suite: String::new(),
            name: String::new(),
            title: String::new(),
            params: BTreeMap::new(),
            way,
            state: State::Measured,
            unit,
            samples: Vec::new(),
            estimate: None,
            spread_percent: None,
            cycles: None,
            counters: BTreeMap::new(),
            base: None,
            native: Vec::new(),
            ratio: None,
            floor: None,
            target: None,
            met: None,
            noisy: false,
            quantiles: Vec::new(),
            repetitions: 0,
            quick: false,
            pinned_cpus: Vec::new(),
            command: String::new(),
            notes: Vec::new(),
            host: Host::default(),
        }
    }
}

/// Appends results to a file.
#[derive(Debug)]
pub(crate) struct Writer(File);

impl Writer {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(crate) fn append_to(path: &Path) -> Result<Self> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        Ok(Self(file.with_context(|| path.display().to_string())?))
    }

    /// Writes one line.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(&mut self, row: &ResultRow) -> Result<()> {
        let mut line = serde_json::to_string(row)?;
        line.push('\n');
        self.0.write_all(line.as_bytes()).context("results")
    }
}

/// Reads all results of a file. Lines of another schema are skipped; their number is the second value.
///
/// # Errors
/// The file cannot be read, or a line of this schema is damaged; the message has its number.
pub(crate) fn read(path: &Path) -> Result<(Vec<ResultRow>, usize)> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: u32,
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let (mut rows, mut skipped) = (Vec::new(), 0);
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let place = || format!("{}:{}", path.display(), number + 1);
        let version: Versioned = serde_json::from_str(&line).with_context(place)?;
        if version.schema == SCHEMA {
            rows.push(serde_json::from_str(&line).with_context(place)?);
        } else {
            skipped += 1;
        }
    }
    Ok((rows, skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_line_has_state_unit_and_target_and_reads_as_it_was_written() {
        let way = Way::Engine { engine: "direct".to_owned(), emulate: Some("relaxed".to_owned()) };
        let base = Way::Engine { engine: "direct".to_owned(), emulate: Some("off".to_owned()) };
        let mut row = ResultRow::blank(way, Unit::Seconds);
        (row.base, row.target, row.met) = (Some(base), Some(Target::Ratio { at_most: 1.5 }), Some(true));
        let text = serde_json::to_string(&row).unwrap();
        for part in
            [r#""schema":4"#, r#""unit":"s""#, r#""state":"measured""#, r#""target":{"of":"ratio","at_most":1.5}"#]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        let back: ResultRow = serde_json::from_str(&text).unwrap();
        assert_eq!((back.base, back.target, back.met), (row.base, row.target, row.met));
    }

    #[test]
    fn rows_of_before_targets_are_read() {
        let text = serde_json::to_string(&ResultRow::blank(Way::Native, Unit::Seconds)).unwrap();
        assert!(!text.contains("target") && !text.contains("base") && !text.contains("met\""), "{text}");
        let back: ResultRow = serde_json::from_str(&text).unwrap();
        assert_eq!((back.base, back.target, back.met), (None, None, None));
    }
}
