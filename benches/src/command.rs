//! What the commands share: options, finding and building bt-run, a session, how a run ends.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::host::Host;
use crate::launch::Launcher;
use crate::os::{self, CpuSet};
use crate::rows::{Row, Rows, Status};
use crate::suites::{Plan, Session, Stop};
use crate::variant::Variant;
use crate::{host, programs, report};

/// Options of every command.
#[derive(Args, Debug)]
pub struct Common {
    /// About a fifth of the work and few pairs: for a look, not for a claim
    #[arg(long)]
    quick: bool,
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

fn parse_pairs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(pairs) if pairs > 0 => Ok(pairs),
        _ => Err("a number of at least 1".to_owned()),
    }
}

/// A session, and what the report says about the run.
pub struct Begun {
    /// Measures.
    pub session: Session,
    /// The machine, and how bt-run is started.
    pub heading: String,
    /// Where its rows are.
    pub rows_path: PathBuf,
}

/// Finds bt-run, looks at the machine and opens the rows' file. `shown` tells the options in the heading.
///
/// # Errors
/// There is no bt-run, or a file cannot be written.
pub fn begin(common: &Common, only: &[String], variant: Variant, shown: &str) -> Result<Begun> {
    let target = target_folder()?;
    let scratch = target.join("bench");
    std::fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    let bt_run = find_bt_run(common.bt_run.as_ref(), &target)?;
    let drrun = std::env::var("PATH").ok().and_then(|path| programs::find_in(&path, "drrun"));
    let all_cpus = CpuSet::allowed()?;
    let cpu = common.cpu.or_else(|| all_cpus.last()).unwrap_or(0);
    let one = CpuSet::only(cpu).context("no such CPU")?;
    one.confine().with_context(|| format!("CPU {cpu}"))?;
    all_cpus.confine()?;

    let host = Host::inspect(&bt_run, drrun.as_deref());
    let heading = report::heading(&host, shown, &host::now());
    eprint!("{heading}");
    name_missing_programs();
    os::keep_rows_on_interrupt();
    let rows_path = common.rows.clone().unwrap_or_else(|| scratch.join("rows.jsonl"));
    let launcher = Launcher { bt_run, variant, cache: scratch.join("images"), drrun, scratch };
    launcher.empty_cache()?;
    let session = Session {
        plan: Plan { quick: common.quick, pairs: common.pairs, only: only.to_vec(), cpu },
        launcher,
        peer: None,
        rows: Rows::append_to(&rows_path, host)?,
        all_cpus,
        mechanisms: Vec::new(),
        missing_mechanisms: Vec::new(),
    };
    Ok(Begun { session, heading, rows_path })
}

impl Begun {
    /// The line below the table: `targets`, failures, and where the rows are.
    #[must_use]
    pub fn summary(&self, targets: &str) -> String {
        let rows = self.session.rows.all();
        format!(
            "\n{targets}; {} rows failed; {}{} rows appended to {}.",
            rows.iter().filter(|row| matches!(row.status, Status::Failed { .. })).count(),
            if self.session.plan.quick { "quick run: figures for a look, not for a claim; " } else { "" },
            rows.len(),
            self.rows_path.display()
        )
    }

    /// The rows so far.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        self.session.rows.all()
    }
}

/// The exit status of a run, once its report is printed.
///
/// # Errors
/// What broke it.
pub fn end(result: Result<(), Stop>) -> Result<ExitCode> {
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Stop::Interrupted) => {
            println!("\nInterrupted: the rows above are what was measured.");
            Ok(ExitCode::from(130))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

/// The folder in which cargo put this program: `target` in most cases.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("own path")?;
    let folder = program.parent().and_then(Path::parent);
    Ok(folder.context("own path has no folder")?.to_owned())
}

/// The launcher to measure, brought up to date unless it was named: a copy of it.
pub(crate) fn find_bt_run(named: Option<&PathBuf>, target: &Path) -> Result<PathBuf> {
    let chosen = named.cloned().or_else(|| std::env::var_os("BT_RUN").map(PathBuf::from));
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
    fn no_pairs_are_refused() {
        assert_eq!(parse_pairs("3"), Ok(3));
        assert!(parse_pairs("0").is_err());
        assert!(parse_pairs("x").is_err());
    }
}
