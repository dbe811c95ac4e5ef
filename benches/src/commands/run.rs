//! `bt-bench run`: suites of benchmarks, native and all ways in turns, rows as [`crate::rows::result`] has them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use super::begin::{self, Chosen, Common, Setup};
use crate::reporting::terminal;
use crate::rows::engine::{Engine, Level};
use crate::rows::result::State;
use crate::run::session::{Session, Thoroughness};
use crate::run::ways;
use crate::suites::SUITES;
use crate::suites::benchmark::{Benchmark, Suite};

/// What `--engines` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EngineChoice {
    /// The kernel alone; it takes part in every run, since everything is compared with it
    Native,
    /// In place, system call sites patched
    Direct,
    /// From a code cache
    Translate,
    /// In the kernel's ring, by a module
    Ring0,
}

impl EngineChoice {
    fn engine(self) -> Option<Engine> {
        match self {
            Self::Native => None,
            Self::Direct => Some(Engine::Direct),
            Self::Translate => Some(Engine::Translate),
            Self::Ring0 => Some(Engine::Ring0),
        }
    }
}

/// Options of `bt-bench run`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The suites to run, as `bt-bench list` names them, or `all`
    #[arg(required = true, value_name = "SUITE", value_parser = parse_suite)]
    suites: Vec<String>,
    /// Who takes part beside native
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST", default_value = "native,direct,translate")]
    engines: Vec<EngineChoice>,
    /// The levels of emulation of each engine, each a way of its own [default: the launcher's]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LEVELS")]
    emulate: Vec<Level>,
    /// Exactly so many rounds for every benchmark
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,
    /// Only these benchmarks, of whichever suite
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
    /// Rows are appended to this file as JSON lines [default: bench/results.jsonl in the target directory]
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// More peers for suite interpose; benches/peers.example.toml explains the file
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// Takes the drivers from where `bt-bench drivers` put them, on a machine without gcc
    #[arg(long, value_name = "DIRECTORY")]
    drivers: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

fn parse_suite(text: &str) -> Result<String, String> {
    let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    if text == "all" || names.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("the suites are {}, and all", names.join(", ")))
    }
}

/// The benchmarks of some suites, each suite once, with those names if any are given.
fn choose(suites: &[String], only: &[String]) -> Result<Vec<Chosen>> {
    let wanted = |suite: &&&'static Suite| suites.iter().any(|name| name == "all" || name == suite.name);
    let mut chosen = Vec::new();
    for suite in SUITES.iter().filter(wanted) {
        let benchmarks = (suite.benchmarks)().into_iter();
        let is_named = |benchmark: &Benchmark| only.is_empty() || only.iter().any(|name| name == benchmark.name);
        chosen.extend(benchmarks.filter(is_named).map(|benchmark| (*suite, benchmark)));
    }
    let unknown = |name: &&String| chosen.iter().all(|(_, benchmark)| benchmark.name != name.as_str());
    if let Some(name) = only.iter().find(unknown) {
        bail!("no benchmark {name} in {}: see `bt-bench list`", suites.join(", "));
    }
    Ok(chosen)
}

/// Measures and prints.
///
/// # Errors
/// A name is wrong, there is no bt-run, or a file cannot be written.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen = choose(&arguments.suites, &arguments.only)?;
    let begun = begin::begin(&arguments.common, &options(arguments))?;
    if !begun.has_pmu() {
        eprintln!("no PMU: rows have no counters");
    }
    begin::name_missing(&chosen);
    let engines: Vec<Engine> = arguments.engines.iter().filter_map(|choice| choice.engine()).collect();
    let path = arguments.results.clone().unwrap_or_else(|| begun.file("results.jsonl"));
    let mut session = begun.session(Setup {
        ways: ways::engines(&engines, &arguments.emulate, begun.launcher())?,
        off: Vec::new(),
        interposers: ways::interposers(arguments.peers.as_deref())?,
        files: None,
        rounds: arguments.runs.map_or(Thoroughness::Usual, |runs| Thoroughness::Exactly(runs.into())),
        path: path.clone(),
        drivers: arguments.drivers.clone(),
    })?;
    let result = session.run(&chosen);
    println!("{}{}", begun.heading(), terminal::tables(&session.rows));
    println!("{}", summary(&session, &path));
    begin::end(result)
}

fn options(arguments: &Arguments) -> String {
    let mut text = format!("run {}", arguments.suites.join(" "));
    if arguments.common.quick {
        text.push_str(" --quick");
    }
    text
}

fn summary(session: &Session, path: &Path) -> String {
    let count = |is: fn(&State) -> bool| session.rows.iter().filter(|row| is(&row.state)).count();
    format!(
        "{} rows appended to {}, {} failed, {} not available here{}. Medians; × is the way / native; cyc are cycles of the \
         time-stamp counter per operation; ~ marks what strays by more than 10 %.",
        session.rows.len(),
        path.display(),
        count(|state| matches!(state, State::Failed { .. })),
        count(|state| matches!(state, State::Unavailable { .. })),
        if session.common.quick { "; quick run: figures for a look, not for a claim" } else { "" },
    )
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
        let words = ["run"].iter().chain(words);
        <Cli as clap::Parser>::try_parse_from(words).map(|cli| cli.arguments)
    }

    #[test]
    fn engines_and_levels_are_lists_with_defaults() {
        let arguments = parse(&["singularity"]).unwrap();
        assert_eq!(arguments.engines, [EngineChoice::Native, EngineChoice::Direct, EngineChoice::Translate]);
        assert!(arguments.emulate.is_empty() && !arguments.common.quick && arguments.runs.is_none());
        let arguments =
            parse(&["singularity", "--engines", "direct,ring0", "--emulate", "off,coherent", "--runs", "3"]).unwrap();
        assert_eq!(arguments.engines, [EngineChoice::Direct, EngineChoice::Ring0]);
        assert_eq!((arguments.emulate.len(), arguments.runs), (2, Some(3)));
    }

    #[test]
    fn wrong_names_are_refused() {
        for words in [
            &[][..],
            &["fast"],
            &["singularity", "--engines", "auto"],
            &["singularity", "--runs", "0"],
            &["all", "--emulate", "x"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn suites_and_names_choose_benchmarks() {
        let names = |suites: &[&str], only: &[&str]| {
            let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
            choose(&owned(suites), &owned(only)).map(|chosen| chosen.len())
        };
        assert_eq!(names(&["singularity"], &["abi-call"]).unwrap(), 1);
        assert_eq!(names(&["singularity", "singularity"], &["psr-size"]).unwrap(), 6);
        assert!(names(&["all"], &[]).unwrap() >= names(&["singularity"], &[]).unwrap());
        assert!(names(&["singularity"], &["abi"]).is_err());
    }
}
