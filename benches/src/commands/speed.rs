//! `bt-bench speed`: compute, start-up, system calls and memory under one engine, against its targets.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::begin::{self, Chosen, Setup};
use super::targets::{self, TargetOptions};
use crate::rows::engine::{Engine, Variant};
use crate::run::ways;
use crate::suites::benchmark::{Images, Suite};
use crate::suites::{SPEED, mechanisms};

/// Options of `bt-bench speed`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The engine of bt-run, which decides about the targets too
    #[arg(long, value_enum, value_name = "ENGINE", default_value_t = Engine::Direct)]
    engine: Engine,
    /// Only these groups (compute startup syscall memory) or rows (compute/xz)
    #[arg(long, num_args = 1.., value_name = "GROUP", value_parser = parse_selection)]
    only: Vec<String>,
    #[command(flatten)]
    targets: TargetOptions,
}

/// The suites that can be asked for; the other mechanisms come with what they are compared with.
fn groups() -> impl Iterator<Item = &'static Suite> {
    SPEED.iter().copied().filter(|suite| suite.name != mechanisms::SUITE.name)
}

fn parse_selection(text: &str) -> Result<String, String> {
    let group = text.split('/').next().unwrap_or_default();
    let names: Vec<&str> = groups().map(|suite| suite.name).collect();
    if names.contains(&group) { Ok(text.to_owned()) } else { Err(format!("the groups are {}", names.join(", "))) }
}

/// The benchmarks of an engine that are wanted.
fn choose(engine: Engine, only: &[String]) -> Vec<Chosen> {
    let mut chosen = Vec::new();
    for &suite in SPEED {
        let is_wanted = |name: &str| match mechanisms::TWINS.iter().find(|(_, twin)| *twin == name) {
            Some((group, name)) if suite.name == mechanisms::SUITE.name => targets::is_wanted(only, group, name),
            _ => targets::is_wanted(only, suite.name, name),
        };
        let benchmarks = (suite.benchmarks)().into_iter();
        let of_engine = benchmarks.filter(|one| engine == Engine::Direct || one.images == Images::Warm);
        chosen.extend(of_engine.filter(|one| is_wanted(one.name)).map(|one| (suite, one)));
    }
    chosen
}

/// Measures and prints.
///
/// # Errors
/// There is no bt-run, or a file cannot be written.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen = choose(arguments.engine, &arguments.only);
    if chosen.is_empty() {
        bail!("engine {} has no row named {}", arguments.engine, arguments.only.join(" or "));
    }
    let begun = begin::begin(&arguments.targets.common, &Variant::from(arguments.engine).to_string())?;
    begin::name_missing(&chosen);
    let mut all = ways::engines(&[arguments.engine], &[], begun.launcher())?;
    all.extend(ways::drrun());
    let path = arguments.targets.rows.clone().unwrap_or_else(|| begun.file("rows.jsonl"));
    let mut session = begun.session(Setup {
        ways: all,
        off: Vec::new(),
        interposers: ways::programs().collect(),
        files: None,
        rounds: arguments.targets.rounds(),
        path: path.clone(),
        drivers: None,
    })?;
    let result = session.run(&chosen);
    print!("{}\n{}", begun.heading(), targets::report(&session, &path));
    begin::end(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_direct_unless_named_and_no_pairs_are_refused() {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            arguments: Arguments,
        }
        let engine = |words: &[&str]| <Cli as clap::Parser>::try_parse_from(words).map(|cli| cli.arguments.engine);
        assert_eq!(engine(&["speed"]).ok(), Some(Engine::Direct));
        assert_eq!(engine(&["speed", "--engine", "translate"]).ok(), Some(Engine::Translate));
        assert!(engine(&["speed", "--engine", "auto"]).is_err());
        assert!(engine(&["speed", "--pairs", "3"]).is_ok());
        assert!(engine(&["speed", "--pairs", "0"]).is_err() && engine(&["speed", "--pairs", "x"]).is_err());
    }

    #[test]
    fn selections_begin_with_a_group() {
        assert!(parse_selection("compute").is_ok());
        assert!(parse_selection("compute/xz").is_ok());
        assert!(parse_selection("xz").is_err());
        assert!(parse_selection("mechanisms").is_err());
    }

    #[test]
    fn mechanisms_come_with_their_twins_and_cold_starts_with_engine_direct() {
        let names = |engine, only: &str| -> Vec<String> {
            let chosen = choose(engine, &[only.to_owned()]);
            chosen.iter().map(|(suite, one)| format!("{}/{}", suite.name, one.name)).collect()
        };
        assert_eq!(names(Engine::Direct, "syscall/getppid"), ["syscall/getppid", "mechanisms/getppid"]);
        assert_eq!(names(Engine::Direct, "compute/xz"), ["compute/xz"]);
        assert_eq!(names(Engine::Direct, "startup/true-cold"), ["startup/true-cold"]);
        assert!(names(Engine::Translate, "startup/true-cold").is_empty());
        assert!(names(Engine::Translate, "startup").contains(&"mechanisms/bash".to_owned()));
    }
}
