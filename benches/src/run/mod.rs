//! `bt-bench run`: suites of benchmarks, native and all ways in turns, rows as [`crate::result`] has them.
//!
//! The way of a figure: a suite names a [`benchmark`] → [`session`] prepares and places it → [`contest`] lets the [`ways`] take
//! turns → [`sampler`] takes one sample → [`output`] reads what a driver printed → a row, and at last a [`table`].

pub mod benchmark;
pub mod contest;
pub mod list;
pub mod output;
pub mod peers;
pub mod progress;
pub mod row;
pub mod sampler;
pub mod server;
pub mod session;
pub mod table;
pub mod ways;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::command;
use crate::engine::Engine;
use crate::host::{self, Host};
use crate::launch::Launcher;
use crate::os::{self, CpuSet};
use crate::programs;
use crate::report;
use crate::result::{State, Writer};
use crate::suites::{SUITES, Stop, drivers};
use crate::variant::Level;
use benchmark::{Benchmark, Suite};
use session::Session;
use ways::EngineChoice;

/// Options of `bt-bench run`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The suites to run, as `bt-bench list` names them, or `all`
    #[arg(required = true, value_name = "SUITE", value_parser = parse_suite)]
    suites: Vec<String>,
    /// Who takes part beside native
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST", default_value = "native,direct,translate")]
    engines: Vec<EngineChoice>,
    /// The levels of emulation of each engine, each a way of its own [default: the launcher's]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LEVELS")]
    emulate: Vec<Level>,
    /// Less work and few rounds: for a look, not for a claim
    #[arg(long)]
    quick: bool,
    /// Exactly so many rounds for every benchmark
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,
    /// Only these benchmarks, of whichever suite
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
    /// Rows are appended to this file as JSON lines [default: bench/results.jsonl in the target folder]
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// More peers for suite interpose; benches/peers.example.toml explains the file
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// The bt-run to measure [default: $BT_RUN, else the release build, brought up to date]
    #[arg(long, value_name = "PATH")]
    bt_run: Option<PathBuf>,
    /// Takes the drivers from where `bt-bench drivers` put them, on a machine without gcc
    #[arg(long, value_name = "FOLDER")]
    drivers: Option<PathBuf>,
    /// The CPU for what is pinned to one [default: the last one]
    #[arg(long, value_name = "N")]
    cpu: Option<usize>,
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
fn choose(suites: &[String], only: &[String]) -> Result<Vec<(&'static Suite, Benchmark)>> {
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
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen = choose(&arguments.suites, &arguments.only)?;
    let target = command::target_folder()?;
    let scratch = target.join("bench");
    std::fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    let bt_run = command::find_bt_run(arguments.bt_run.as_ref(), &target)?;
    let all_cpus = CpuSet::allowed()?;
    let cpu = arguments.cpu.or_else(|| all_cpus.last()).unwrap_or(0);
    if !all_cpus.cpus().contains(&cpu) {
        bail!("CPU {cpu} is none of those that may be used: {:?}", all_cpus.cpus());
    }
    let host = Host::inspect(&bt_run, None);
    let heading = report::heading(&host, &options(arguments), &host::now());
    eprint!("{heading}");
    if !host.pmu {
        eprintln!("no PMU: rows have no counters");
    }
    name_missing(&chosen);
    os::keep_rows_on_interrupt();
    let path = arguments.results.clone().unwrap_or_else(|| scratch.join("results.jsonl"));
    let launcher =
        Launcher { bt_run, variant: Engine::Direct.into(), cache: scratch.join("images"), drrun: None, scratch };
    let drivers = arguments.drivers.as_deref().map(drivers::built_in).unwrap_or_default();
    let mut session = Session {
        common: row::Common { run: run_name(), quick: arguments.quick, host },
        engines: ways::engines(&arguments.engines, &arguments.emulate, &launcher)?,
        interposers: ways::interposers(arguments.peers.as_deref())?,
        launcher,
        all_cpus,
        cpu,
        rounds: arguments.runs.map(usize::from),
        writer: Writer::append_to(&path)?,
        rows: Vec::new(),
        drivers: drivers.into_iter().map(|(name, path)| (name, Ok(path))).collect(),
    };
    let result = session.run(&chosen);
    println!("{heading}{}", table::tables(&session.rows));
    println!("{}", summary(&session, &path));
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Stop::Interrupted) => {
            println!("Interrupted: the rows above are what was measured.");
            Ok(ExitCode::from(130))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

fn options(arguments: &Arguments) -> String {
    let mut text = format!("run {}", arguments.suites.join(" "));
    if arguments.quick {
        text.push_str(" --quick");
    }
    text
}

/// Equal in all rows of this run, different in every other.
fn run_name() -> String {
    format!("{}-{}", host::now(), std::process::id())
}

fn name_missing(chosen: &[(&Suite, Benchmark)]) {
    let mut missing: Vec<&str> = chosen.iter().flat_map(|(_, benchmark)| benchmark.programs()).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|program| programs::find(program).is_none());
    if !missing.is_empty() {
        eprintln!("not installed: {}; for their rows: {}", missing.join(", "), programs::apt_line(&missing));
    }
}

fn summary(session: &Session, path: &std::path::Path) -> String {
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
        assert!(arguments.emulate.is_empty() && !arguments.quick && arguments.runs.is_none());
        let arguments =
            parse(&["singularity", "--engines", "direct,ring0", "--emulate", "off,relaxed", "--runs", "3"]).unwrap();
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
