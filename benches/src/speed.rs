//! `bt-bench speed`: one run, one table.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::engine::Engine;
use crate::host::Host;
use crate::launch::Launcher;
use crate::os::{self, CpuSet};
use crate::rows::{Rows, Status};
use crate::suites::{GROUPS, Plan, Session, Stop};
use crate::{host, mechanisms, peers, programs, report};

/// Options of `bt-bench speed`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The engine of bt-run, which decides about the targets too
    #[arg(long, value_enum, value_name = "ENGINE", default_value_t = Engine::Direct)]
    engine: Engine,
    /// About a fifth of the work and few pairs: for a look, not for a claim
    #[arg(long)]
    quick: bool,
    /// Only these groups (compute startup syscall memory) or rows (compute/xz)
    #[arg(long, num_args = 1.., value_name = "GROUP", value_parser = parse_selection)]
    only: Vec<String>,
    /// Exactly so many pairs for every row, instead of what the row usually takes
    #[arg(long, value_name = "N", value_parser = parse_pairs)]
    pairs: Option<usize>,
    /// The bt-run to measure [default: $BT_RUN, else the release build, brought up to date]
    #[arg(long, value_name = "PATH")]
    bt_run: Option<PathBuf>,
    /// Rows are appended to this file as JSON lines [default: bench/rows.jsonl in the target folder]
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// The CPU for what is pinned [default: the last one]
    #[arg(long, value_name = "N")]
    cpu: Option<usize>,
}

fn parse_selection(text: &str) -> Result<String, String> {
    let group = text.split('/').next().unwrap_or_default();
    if GROUPS.contains(&group) { Ok(text.to_owned()) } else { Err(format!("the groups are {}", GROUPS.join(", "))) }
}

fn parse_pairs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(pairs) if pairs > 0 => Ok(pairs),
        _ => Err("a number of at least 1".to_owned()),
    }
}

/// Measures and prints.
///
/// # Errors
/// There is no bt-run, or a file cannot be written.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let target = target_folder()?;
    let scratch = target.join("bench");
    std::fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    let bt_run = find_bt_run(arguments, &target)?;
    let drrun = std::env::var("PATH").ok().and_then(|path| programs::find_in(&path, "drrun"));
    let all_cpus = CpuSet::allowed()?;
    let cpu = arguments.cpu.or_else(|| all_cpus.last()).unwrap_or(0);
    let one = CpuSet::only(cpu).context("no such CPU")?;
    one.confine().with_context(|| format!("CPU {cpu}"))?;
    all_cpus.confine()?;

    let date = host::now();
    let host = Host::inspect(&bt_run, drrun.as_deref());
    eprint!("{}", report::heading(&host, arguments.engine, &date));
    name_missing_programs();
    os::keep_rows_on_interrupt();
    let path = arguments.rows.clone().unwrap_or_else(|| scratch.join("rows.jsonl"));
    let launcher = Launcher { bt_run, engine: arguments.engine, cache: scratch.join("images"), drrun, scratch };
    launcher.empty_cache()?;
    let mut session = Session {
        plan: Plan { quick: arguments.quick, pairs: arguments.pairs, only: arguments.only.clone(), cpu },
        launcher,
        peer: peers::dynamorio()?,
        rows: Rows::append_to(&path, host, arguments.engine)?,
        all_cpus,
        mechanisms: Vec::new(),
        missing_mechanisms: Vec::new(),
    };
    let result = session.run();
    if result.is_ok() && session.rows.all().is_empty() {
        bail!("engine {} has no row named {}", arguments.engine, arguments.only.join(" or "));
    }
    print_report(&session, &date, &path);
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Stop::Interrupted) => {
            println!("\nInterrupted: the rows above are what was measured.");
            Ok(ExitCode::from(130))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

fn print_report(session: &Session, date: &str, path: &Path) {
    let rows = session.rows.all();
    println!("{}", report::heading(session.rows.host(), session.rows.engine(), date));
    print!("{}", report::table(rows));
    let count = |met: bool| rows.iter().filter(|row| row.met == Some(met)).count();
    let failed = |status: &Status| matches!(status, Status::Failed { .. });
    println!(
        "\n{} targets met, {} missed; {} rows failed; {}{} rows appended to {}.",
        count(true),
        count(false),
        rows.iter().filter(|row| failed(&row.status)).count(),
        if session.plan.quick { "quick run: figures for a look, not for a claim; " } else { "" },
        rows.len(),
        path.display()
    );
    println!(
        "Ratios and differences: medians of pairs with a bootstrap 95 % interval, each pair one run of bt-run \
         between two native ones. Floor: how far native against native strays in the same run. \
         A target is met when the interval's upper end ≤ target + floor; an absolute one is about bt-run's own figure."
    );
    println!("DynamoRIO: {}.", session.peer.source);
    let others = mechanisms::table(&session.mechanisms, &session.missing_mechanisms, session.rows.engine());
    if !others.is_empty() {
        print!("\n{others}");
    }
}

/// The folder in which cargo put this program: `target` in most cases.
fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("own path")?;
    let folder = program.parent().and_then(Path::parent);
    Ok(folder.context("own path has no folder")?.to_owned())
}

fn find_bt_run(arguments: &Arguments, target: &Path) -> Result<PathBuf> {
    let chosen = arguments.bt_run.clone().or_else(|| std::env::var_os("BT_RUN").map(PathBuf::from));
    let path = match chosen {
        Some(path) => path,
        None => {
            build_bt_run()?;
            target.join("release/bt-run")
        }
    };
    // A copy is measured: a build that replaces the launcher meanwhile must not mix two of them.
    let copy = target.join("bench/bt-run");
    std::fs::copy(&path, &copy).with_context(|| {
        format!("{}: build it with `cargo build --release -p bt-run`, or name one with --bt-run", path.display())
    })?;
    Ok(copy)
}

/// Under `cargo run` the launcher is brought up to date: a stale one would be measured unseen.
fn build_bt_run() -> Result<()> {
    let Some(cargo) = std::env::var_os("CARGO") else {
        return Ok(());
    };
    let status =
        Command::new(cargo).args(["build", "--quiet", "--release", "-p", "bt-run"]).status().context("cargo")?;
    if !status.success() {
        bail!("bt-run does not build");
    }
    Ok(())
}

fn name_missing_programs() {
    let missing: Vec<&str> =
        programs::ALL.iter().map(|program| program.name).filter(|name| programs::find(name).is_none()).collect();
    if !missing.is_empty() {
        eprintln!("not installed: {}; for their rows: {}", missing.join(", "), programs::apt_line(&missing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_direct_unless_named() {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            arguments: Arguments,
        }
        let engine = |words: &[&str]| <Cli as clap::Parser>::try_parse_from(words).map(|cli| cli.arguments.engine);
        assert_eq!(engine(&["speed"]).ok(), Some(Engine::Direct));
        assert_eq!(engine(&["speed", "--engine", "translate"]).ok(), Some(Engine::Translate));
        assert!(engine(&["speed", "--engine", "auto"]).is_err());
    }

    #[test]
    fn selections_begin_with_a_group() {
        assert!(parse_selection("compute").is_ok());
        assert!(parse_selection("compute/xz").is_ok());
        assert!(parse_selection("xz").is_err());
    }

    #[test]
    fn no_pairs_are_refused() {
        assert_eq!(parse_pairs("3"), Ok(3));
        assert!(parse_pairs("0").is_err());
        assert!(parse_pairs("x").is_err());
    }
}
