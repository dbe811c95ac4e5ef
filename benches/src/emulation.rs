//! `bt-bench emulation`: what answering calls in the process gains and costs, at each level under each engine.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::command::{self, Begun, Common};
use crate::emulation_report as report;
use crate::engine::Engine;
use crate::suites::levels::{GROUPS, Levels, names};
use crate::variant::{Level, Variant};

/// Options of `bt-bench emulation`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The engines of bt-run
    #[arg(long, value_enum, value_name = "ENGINE", default_value_t = Engines::Both)]
    engine: Engines,
    /// The levels of emulation, separated by commas
    #[arg(long, value_enum, value_name = "LEVELS", value_delimiter = ',', default_value = "off,coherent,relaxed")]
    levels: Vec<Level>,
    /// Only these groups (call program compute) or rows (read-512, call/read-512)
    #[arg(long, num_args = 1.., value_name = "ROW", value_parser = parse_selection)]
    only: Vec<String>,
    /// Where files are read and written [default: bench/files in the target folder]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
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

fn parse_selection(text: &str) -> Result<String, String> {
    let is_row = |group: &str, name: &str| names(group).contains(&name);
    let known = match text.split_once('/') {
        Some((group, name)) => is_row(group, name),
        None => GROUPS.contains(&text) || GROUPS.iter().any(|group| is_row(group, text)),
    };
    if known {
        return Ok(text.to_owned());
    }
    let all: Vec<String> = GROUPS.iter().map(|group| format!("{group}: {}", names(group).join(" "))).collect();
    Err(format!("the groups and their rows are\n{}", all.join("\n")))
}

/// Measures and prints.
///
/// # Errors
/// There is no bt-run, or a file cannot be written.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let engines = arguments.engine.all();
    let mut levels = arguments.levels.clone();
    levels.sort();
    levels.dedup();
    let shown = format!(
        "--engine {} --emulate {}",
        engines.iter().map(|engine| engine.name()).collect::<Vec<_>>().join("|"),
        levels.iter().map(|level| level.name()).collect::<Vec<_>>().join("|")
    );
    let Begun { session, heading, rows_path } =
        command::begin(&arguments.common, &arguments.only, Variant::from(engines[0]), &shown)?;
    let folder = arguments.folder.clone().unwrap_or_else(|| session.launcher.scratch.join("files"));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let folder = folder.canonicalize()?;
    let mut levels = Levels { session, engines, levels, folder };
    let result = levels.run();
    let begun = Begun { session: levels.session, heading, rows_path };
    print_report(&begun);
    command::end(result)
}

fn print_report(begun: &Begun) {
    let rows = begun.rows();
    println!("{}", begun.heading);
    print!("{}", report::tables(rows));
    println!("{}", begun.summary(&report::verdicts(rows)));
    println!(
        "Ratios: medians of pairs with a bootstrap 95 % interval, each pair one run of bt-run and the mean of the \
         native ones before and after its round, in which every engine and level has its turn. Times faster: native / \
         ours, of the same pairs. Floor: how far native against native strays in the same run. A target is met when the \
         worse end of the interval is within target and floor, a row's when one level meets it. \
         call/…: CPU time of the process for each call, for each pair of calls (copy, pipe, eventfd), or for each file \
         (read-once). program/…: wall time."
    );
    print!("{}", report::faster_programs(rows));
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
        assert_eq!(plain.levels, [Level::Off, Level::Coherent, Level::Relaxed]);
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
