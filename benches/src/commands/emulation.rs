//! `bt-bench emulation`: what answering calls in the process gains and costs, at each level under each engine.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::begin::{self, Chosen, Setup};
use super::targets::{self, TargetOptions};
use crate::reporting::verdicts;
use crate::rows::engine::{Engine, Level};
use crate::rows::result::{ResultRow, Unit};
use crate::run::ways;
use crate::suites::benchmark::Suite;
use crate::suites::{EMULATION, compute};

/// Options of `bt-bench emulation`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The engines of bt-run
    #[arg(long, value_enum, value_name = "ENGINE", default_value_t = Engines::Both)]
    engine: Engines,
    /// The levels of emulation, separated by commas
    #[arg(long, value_enum, value_name = "LEVELS", value_delimiter = ',', default_value = "off,coherent")]
    levels: Vec<Level>,
    /// Only these groups (call noted pieces program compute) or rows (read-512, call/read-512)
    #[arg(long, num_args = 1.., value_name = "ROW", value_parser = parse_selection)]
    only: Vec<String>,
    /// Where files are read and written [default: bench/files in the target directory]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    targets: TargetOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Engines {
    Direct,
    Translate,
    Both,
}

impl Engines {
    fn all(self) -> Vec<Engine> {
        match self {
            Self::Direct => vec![Engine::Direct],
            Self::Translate => vec![Engine::Translate],
            Self::Both => vec![Engine::Direct, Engine::Translate],
        }
    }
}

/// A suite as `--only` names it: here nobody takes the programs beside `--emulate off` for those of `bt-bench speed`.
fn group(suite: &Suite) -> &'static str {
    if suite.name == compute::LEVELS.name { compute::SUITE.name } else { suite.name }
}

fn names(suite: &Suite) -> Vec<&'static str> {
    (suite.benchmarks)().iter().map(|benchmark| benchmark.name).collect()
}

fn parse_selection(text: &str) -> Result<String, String> {
    let only = [text.to_owned()];
    let is_known = |suite: &&Suite| names(suite).iter().any(|name| targets::is_wanted(&only, group(suite), name));
    if EMULATION.iter().any(is_known) {
        return Ok(text.to_owned());
    }
    let all: Vec<String> =
        EMULATION.iter().map(|suite| format!("{}: {}", group(suite), names(suite).join(" "))).collect();
    Err(format!("the groups and their rows are\n{}", all.join("\n")))
}

fn choose(only: &[String]) -> Vec<Chosen> {
    let of_suite = |suite: &'static Suite| {
        let benchmarks = (suite.benchmarks)().into_iter();
        benchmarks.filter(move |one| targets::is_wanted(only, group(suite), one.name)).map(move |one| (suite, one))
    };
    EMULATION.iter().copied().flat_map(of_suite).collect()
}

/// Measures and prints.
///
/// # Errors
/// There is no bt-run, or a file cannot be written.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let engines = arguments.engine.all();
    let mut levels = arguments.levels.clone();
    levels.sort();
    levels.dedup();
    let shown = format!(
        "--engine {} --emulate {}",
        engines.iter().map(|engine| engine.name()).collect::<Vec<_>>().join("|"),
        levels.iter().map(|level| level.name()).collect::<Vec<_>>().join("|")
    );
    let chosen = choose(&arguments.only);
    let begun = begin::begin(&arguments.targets.common, &shown)?;
    begin::name_missing(&chosen);
    let path = arguments.targets.rows.clone().unwrap_or_else(|| begun.file("rows.jsonl"));
    let mut session = begun.session(Setup {
        ways: ways::engines(&engines, &levels, begun.launcher())?,
        off: ways::engines(&engines, &[Level::Off], begun.launcher())?,
        interposers: Vec::new(),
        files: arguments.folder.clone(),
        rounds: arguments.targets.rounds(),
        path: path.clone(),
        drivers: None,
    })?;
    let result = session.run(&chosen);
    print!("{}\n{}", begun.heading(), targets::report(&session, &path));
    println!(
        "A target is met when one level meets it. call/…: CPU time of the process for each call, for each pair of calls \
         (copy, pipe, eventfd), or for each file (read-once). program/…: wall time."
    );
    let programs: Vec<&ResultRow> = session.rows.iter().filter(|row| row.unit == Unit::Milliseconds).collect();
    if !programs.is_empty() {
        print!("{}", verdicts::faster_programs(&programs));
    }
    begin::end(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(words: &[&str]) -> Result<Arguments, clap::Error> {
        <Cli as clap::Parser>::try_parse_from([&["emulation"], words].concat()).map(|cli| cli.arguments)
    }

    #[test]
    fn both_engines_and_three_levels_unless_named() {
        let plain = parse(&[]).unwrap();
        assert_eq!(plain.engine.all(), [Engine::Direct, Engine::Translate]);
        assert_eq!(plain.levels, [Level::Off, Level::Coherent]);
        let named = parse(&["--engine", "translate", "--levels", "exact"]).unwrap();
        assert_eq!((named.engine.all(), named.levels), (vec![Engine::Translate], vec![Level::Exact]));
        assert!(parse(&["--levels", "some"]).is_err());
    }

    #[test]
    fn only_rows_that_exist_are_selected() {
        for known in ["call", "read-512", "call/read-512", "program/dd-zero-null", "compute/xz"] {
            assert!(parse_selection(known).is_ok(), "{known}");
        }
        for unknown in ["startup", "read-3", "compute/read-512", "compute/geometric-mean"] {
            assert!(parse_selection(unknown).is_err(), "{unknown}");
        }
    }
}
