//! What the commands with targets share: options, which benchmarks are wanted, and the report.

use std::path::{Path, PathBuf};

use clap::Args;

use super::begin::Common;

use crate::reporting::data::Data;
use crate::reporting::load::Rows;
use crate::reporting::verdicts;
use crate::run::session::{Session, Thoroughness};

/// Options of the commands that hold targets against what they measure.
#[derive(Args, Debug)]
pub(super) struct TargetOptions {
    /// Exactly so many pairs for every benchmark, instead of what it usually takes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub pairs: Option<u16>,
    /// Rows are appended to this file as JSON lines [default: bench/rows.jsonl in the target directory]
    #[arg(long, value_name = "FILE")]
    pub rows: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

impl TargetOptions {
    /// How many rounds.
    #[must_use]
    pub(super) fn rounds(&self) -> Thoroughness {
        self.pairs.map_or(Thoroughness::Settled, |pairs| Thoroughness::Exactly(pairs.into()))
    }
}

/// Whether a benchmark is wanted: its suite was named, or it itself, alone or as suite/name; everything is where
/// nothing is named.
#[must_use]
pub(super) fn is_wanted(only: &[String], suite: &str, name: &str) -> bool {
    let is_it = |wanted: &String| match wanted.split_once('/') {
        Some((its_suite, its_name)) => its_suite == suite && its_name == name,
        None => wanted == suite || wanted == name,
    };
    only.is_empty() || only.iter().any(is_it)
}

/// The tables of a session, how many targets are met, and where the rows are.
#[must_use]
pub(super) fn report(session: &Session, path: &Path) -> String {
    let data = Data::of(Rows { rows: session.rows.clone(), warnings: Vec::new() });
    format!(
        "{}\n{}; {} rows failed; {}{} rows appended to {}.\n",
        verdicts::tables(&data),
        verdicts::tally(&data),
        verdicts::failures(&session.rows),
        if session.common.quick { "quick run: figures for a look, not for a claim; " } else { "" },
        session.rows.len(),
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_and_single_benchmarks_can_be_asked_for() {
        let wants = |only: &[&str], suite: &str, name: &str| {
            is_wanted(&only.iter().map(|&word| word.to_owned()).collect::<Vec<_>>(), suite, name)
        };
        assert!(wants(&[], "compute", "xz"));
        assert!(wants(&["compute"], "compute", "xz"));
        assert!(wants(&["xz"], "compute", "xz"));
        assert!(!wants(&["startup"], "compute", "xz"));
        assert!(wants(&["startup", "compute/xz"], "compute", "xz"));
        assert!(!wants(&["compute/gzip"], "compute", "xz"));
    }
}
