//! A row: what was measured, with everything needed to judge it. Rows are appended as JSON
//! lines as soon as they are complete, so that a stopped run keeps what it has.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::host::Host;
use crate::measure::Rounds;
use crate::peers::Published;
use crate::run_stats::CacheFigures;
use crate::stats::{self, Estimate};
use crate::target::Target;
use crate::variant::Variant;

/// Version of the rows' shape.
const SCHEMA: u32 = 3;

/// A floor of a ratio above which a row is marked as noise.
const NOISY_RATIO: f64 = 0.10;

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Seconds of user and system time.
    #[serde(rename = "cpu_s")]
    CpuSeconds,
    /// Milliseconds of wall time.
    #[serde(rename = "wall_ms")]
    Milliseconds,
    /// Nanoseconds of CPU time per operation.
    #[serde(rename = "cpu_ns")]
    Nanoseconds,
    /// Nanoseconds of wall time per operation.
    #[serde(rename = "wall_ns")]
    WallNanoseconds,
    /// Mebibytes of peak resident size.
    #[serde(rename = "peak_rss_mib")]
    Mebibytes,
}

impl Unit {
    /// The unit's symbol.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::CpuSeconds => "s",
            Self::Milliseconds => "ms",
            Self::Nanoseconds | Self::WallNanoseconds => "ns",
            Self::Mebibytes => "MiB",
        }
    }
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// There are figures.
    Measured,
    /// A side did not do what it should.
    Failed {
        /// Which, and what it did.
        reason: String,
    },
    /// The program is missing.
    NotInstalled {
        /// Its name.
        program: String,
    },
}

/// One row.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// How bt-run is started.
    #[serde(flatten)]
    pub variant: Variant,
    schema: u32,
    /// When it was measured.
    pub date: String,
    /// The suite.
    pub group: &'static str,
    /// Name within the group.
    pub name: String,
    /// What was run.
    pub command: String,
    /// What the figures are counted in.
    pub unit: Unit,
    /// Whether the work was scaled down.
    pub quick: bool,
    /// The CPU to which both sides were pinned.
    pub pinned_cpu: Option<usize>,
    /// What became of it.
    #[serde(flatten)]
    pub status: Status,
    /// Native figures, in order: one before each of ours, and a last one.
    pub native: Vec<f64>,
    /// Figures of the same engine with `--emulate off`, in the place of native ones: then "native" below means these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<f64>,
    /// Figures under bt-run.
    pub bt_run: Vec<f64>,
    /// Figures under drrun.
    pub drrun: Vec<f64>,
    /// Ours alone.
    pub figure: Option<Estimate>,
    /// Ours / native.
    pub ratio: Option<Estimate>,
    /// Ours − native.
    pub difference: Option<Estimate>,
    /// drrun / native.
    pub drrun_ratio: Option<Estimate>,
    /// (max − min) / median of native.
    pub native_spread_percent: Option<f64>,
    /// How far native / native strays from 1.
    pub ratio_floor: Option<f64>,
    /// How far native − native strays from 0.
    pub difference_floor: Option<f64>,
    /// DynamoRIO's figure from the data file.
    pub published: Option<Published>,
    /// What is promised.
    pub target: Option<Target>,
    /// Whether it holds; a row that failed does not.
    pub met: Option<bool>,
    /// Native against native strays so far that the verdict says little.
    pub noisy: bool,
    /// Figures of `--stats`.
    pub memory: Option<CacheFigures>,
    /// Remarks.
    pub notes: Vec<String>,
}

impl Row {
    /// A row without figures.
    #[must_use]
    pub fn new(variant: Variant, group: &'static str, name: &str, unit: Unit) -> Self {
        Self {
            variant,
            schema: SCHEMA,
            date: crate::host::now(),
            group,
            name: name.to_owned(),
            command: String::new(),
            unit,
            quick: false,
            pinned_cpu: None,
            status: Status::Measured,
            native: Vec::new(),
            off: Vec::new(),
            bt_run: Vec::new(),
            drrun: Vec::new(),
            figure: None,
            ratio: None,
            difference: None,
            drrun_ratio: None,
            native_spread_percent: None,
            ratio_floor: None,
            difference_floor: None,
            published: None,
            target: None,
            met: None,
            noisy: false,
            memory: None,
            notes: Vec::new(),
        }
    }

    /// Takes the figures of `rounds`.
    pub fn fill(&mut self, rounds: &Rounds) {
        self.native = rounds.native().to_vec();
        self.bt_run = rounds.ours();
        self.figure = stats::estimate(&self.bt_run);
        self.ratio = rounds.ratio();
        self.difference = rounds.difference();
        self.native_spread_percent = stats::spread_percent(&self.native);
        self.ratio_floor = rounds.ratio_floor();
        self.difference_floor = rounds.difference_floor();
        if let Some(reason) = rounds.failure() {
            self.fail(reason.to_owned());
        }
    }

    /// Says that what was filled in as native was `--emulate off`.
    pub fn compare_with_off(&mut self) {
        self.off = std::mem::take(&mut self.native);
    }

    /// Takes drrun's figures; a failure of its own does not spoil the row.
    pub fn fill_peer(&mut self, rounds: &Rounds) {
        self.drrun = rounds.ours();
        self.drrun_ratio = stats::estimate(&rounds.ratios());
        self.notes.extend(rounds.failure().map(str::to_owned));
    }

    /// The estimate that the target is about, with its floor.
    #[must_use]
    pub fn judged(&self) -> Option<(Estimate, f64)> {
        match self.target? {
            Target::Ratio { .. } => Some((self.ratio?, self.ratio_floor?)),
            Target::Difference { .. } => Some((self.difference?, self.difference_floor?)),
            Target::Absolute { .. } => Some((self.figure?, self.figure_floor()?)),
            Target::Faster { at_least } => Some((self.ratio?.inverse(), self.ratio_floor? * at_least)),
        }
    }

    /// How far a figure of ours strays if it strays as much as native's, in proportion. What native strays
    /// in the row's unit would forgive too much where native takes many times as long.
    #[must_use]
    pub fn figure_floor(&self) -> Option<f64> {
        Some(self.ratio_floor? * self.figure?.median)
    }

    /// Compares with the target.
    pub fn judge(&mut self) {
        self.noisy = match (self.target, self.difference_floor, self.ratio_floor) {
            (Some(Target::Difference { at_most }), Some(floor), _) => floor > at_most / 2.0,
            (_, _, Some(floor)) => floor > NOISY_RATIO,
            _ => false,
        };
        let Some(target) = self.target else { return };
        self.met = match (&self.status, self.judged()) {
            (Status::Failed { .. }, _) => Some(false),
            (Status::Measured, Some((estimate, floor))) => Some(target.is_met(&estimate, floor)),
            _ => None,
        };
    }

    /// Marks the row as failed.
    pub fn fail(&mut self, reason: String) {
        self.status = Status::Failed { reason };
    }
}

/// Keeps rows, in memory and in a file.
#[derive(Debug)]
pub struct Rows {
    rows: Vec<Row>,
    file: File,
    host: Host,
}

impl Rows {
    /// Appends to `path`.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn append_to(path: &Path, host: Host) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let file =
            OpenOptions::new().create(true).append(true).open(path).with_context(|| path.display().to_string())?;
        Ok(Self { rows: Vec::new(), file, host })
    }

    /// Judges a row, keeps it and writes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn push(&mut self, mut row: Row) -> Result<()> {
        row.judge();
        self.write(&row)?;
        self.rows.push(row);
        Ok(())
    }

    /// Writes a line, also one that is no row of the table, with the machine.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, figures: &impl Serialize) -> Result<()> {
        #[derive(Serialize)]
        struct Line<'a, T> {
            #[serde(flatten)]
            figures: &'a T,
            host: &'a Host,
        }
        let line = Line { figures, host: &self.host };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).context("rows file")
    }

    /// The rows so far.
    #[must_use]
    pub fn all(&self) -> &[Row] {
        &self.rows
    }

    /// The machine.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::measure::Turns;

    fn row(target: Target) -> Row {
        let mut turns = Turns::of(1);
        for _ in 0..3 {
            turns.take(|way| Ok(way.map_or(10.0, |_| 12.0))).unwrap();
        }
        let mut row = Row::new(Engine::Direct.into(), "compute", "some", Unit::CpuSeconds);
        row.target = Some(target);
        row.fill(&turns.ways()[0]);
        row
    }

    #[test]
    fn targets_are_judged_by_their_own_estimate() {
        let mut met = row(Target::Difference { at_most: 2.0 });
        met.judge();
        assert_eq!(met.met, Some(true));
        let mut missed = row(Target::Ratio { at_most: 1.1 });
        missed.judge();
        assert_eq!(missed.met, Some(false));
    }

    #[test]
    fn absolute_targets_look_at_our_figure_only_and_the_floor_is_in_proportion() {
        let mut met = row(Target::Absolute { at_most: 12.0 });
        met.judge();
        assert_eq!(met.met, Some(true));
        let mut missed = row(Target::Absolute { at_most: 11.9 });
        missed.judge();
        assert_eq!(missed.met, Some(false));
        missed.ratio_floor = Some(0.01);
        assert_eq!(missed.figure_floor(), Some(0.12));
        missed.judge();
        assert_eq!(missed.met, Some(true));
    }

    #[test]
    fn failed_rows_miss_and_missing_programs_have_no_verdict() {
        let mut failed = row(Target::Ratio { at_most: 9.0 });
        failed.fail("exit 1".to_owned());
        failed.judge();
        assert_eq!(failed.met, Some(false));
        let mut missing = row(Target::Ratio { at_most: 9.0 });
        missing.status = Status::NotInstalled { program: "xz".to_owned() };
        missing.judge();
        assert_eq!(missing.met, None);
    }

    #[test]
    fn rows_whose_native_runs_disagree_are_marked() {
        let (mut figures, mut turns) = ([10.0, 12.0, 13.0].into_iter().cycle(), Turns::of(1));
        for _ in 0..3 {
            turns.take(|_| Ok(figures.next().unwrap_or(1.0))).unwrap();
        }
        let mut row = Row::new(Engine::Direct.into(), "startup", "some", Unit::Milliseconds);
        row.fill(&turns.ways()[0]);
        row.judge();
        assert!(row.noisy, "{:?}", row.ratio_floor);
        let mut steady = self::row(Target::Ratio { at_most: 2.0 });
        steady.judge();
        assert!(!steady.noisy);
    }

    #[test]
    fn json_line_tells_state_unit_and_target() {
        let text = serde_json::to_string(&row(Target::Ratio { at_most: 1.5 })).unwrap();
        for part in
            [r#""schema":3"#, r#""unit":"cpu_s""#, r#""state":"measured""#, r#""target":{"of":"ratio","at_most":1.5}"#]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
