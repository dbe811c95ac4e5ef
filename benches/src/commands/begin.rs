//! What the commands that measure share: options, finding and building bt-run, a session, how a run ends.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::base::cpus::CpuSet;
use crate::base::host::{self, Host};
use crate::base::{directories, process, programs};
use crate::reporting::terminal;
use crate::rows::engine::Engine;
use crate::rows::result::Writer;
use crate::run::launch::Launcher;
use crate::run::row;
use crate::run::session::{Session, Stop, Thoroughness};
use crate::run::ways::Contender;
use crate::suites::benchmark::{Benchmark, Suite};

/// A suite and one of its benchmarks.
pub(super) type Chosen = (&'static Suite, Benchmark);

/// Options of every command that measures.
#[derive(Args, Debug)]
pub(super) struct Common {
    /// Less work and few rounds: for a look, not for a claim
    #[arg(long)]
    pub quick: bool,
    /// The bt-run to measure [default: $BT_RUN, else the release build, brought up to date]
    #[arg(long, value_name = "PATH")]
    bt_run: Option<PathBuf>,
    /// The CPU for what is pinned to one [default: the last one]
    #[arg(long, value_name = "N")]
    cpu: Option<usize>,
}

/// A run that was begun: what was found before anything is measured.
pub(super) struct Begun {
    launcher: Launcher,
    all_cpus: CpuSet,
    cpu: usize,
    host: Host,
    quick: bool,
    heading: String,
}

/// Who takes part, and where figures go.
pub(super) struct Setup {
    /// Who takes part in every benchmark, native first.
    pub ways: Vec<Contender>,
    /// Engines without emulation, for the benchmarks in which they take the place of native.
    pub off: Vec<Contender>,
    /// Who takes part where a benchmark asks for others.
    pub interposers: Vec<Contender>,
    /// Where loops and programs read and write files.
    pub files: Option<PathBuf>,
    /// How many rounds.
    pub rounds: Thoroughness,
    /// The file of rows.
    pub path: PathBuf,
    /// Where drivers are that were built elsewhere.
    pub drivers: Option<PathBuf>,
}

/// Finds bt-run and looks at the machine; `shown` is how the heading names the options.
///
/// # Errors
/// There is no bt-run, or no such CPU.
pub(super) fn begin(common: &Common, shown: &str) -> Result<Begun> {
    let target = directories::target()?;
    let scratch = target.join("bench");
    std::fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    let bt_run = find_bt_run(common.bt_run.as_ref(), &target)?;
    let all_cpus = CpuSet::allowed()?;
    let cpu = common.cpu.or_else(|| all_cpus.last()).unwrap_or(0);
    if !all_cpus.cpus().contains(&cpu) {
        bail!("CPU {cpu} is none of those that may be used: {:?}", all_cpus.cpus());
    }
    let host = Host::inspect(&bt_run);
    let heading = terminal::heading(&host, shown, &host::now());
    eprint!("{heading}");
    process::keep_rows_on_interrupt().context("signals")?;
    let launcher = Launcher { bt_run, variant: Engine::Direct.into(), cache: scratch.join("images"), scratch };
    Ok(Begun { launcher, all_cpus, cpu, host, quick: common.quick, heading })
}

impl Begun {
    /// Runs commands natively, and has the launcher.
    #[must_use]
    pub(super) fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// The machine, and how bt-run is started.
    #[must_use]
    pub(super) fn heading(&self) -> &str {
        &self.heading
    }

    /// Whether rows have counters.
    #[must_use]
    pub(super) fn has_pmu(&self) -> bool {
        self.host.pmu
    }

    /// A file of rows in the scratch directory.
    #[must_use]
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.launcher.scratch.join(name)
    }

    /// A session.
    ///
    /// # Errors
    /// A file or directory cannot be written.
    pub(super) fn session(&self, setup: Setup) -> Result<Session> {
        let files = setup.files.unwrap_or_else(|| self.file("files"));
        std::fs::create_dir_all(&files).with_context(|| files.display().to_string())?;
        let drivers = setup.drivers.as_deref().map(crate::suites::drivers::built_in).unwrap_or_default();
        Ok(Session {
            // Equal in all rows of this run, different in every other.
            common: row::Common {
                run: format!("{}-{}", host::now(), std::process::id()),
                quick: self.quick,
                host: self.host.clone(),
            },
            ways: setup.ways,
            off: setup.off,
            interposers: setup.interposers,
            files: files.canonicalize()?,
            launcher: self.launcher.clone(),
            all_cpus: self.all_cpus,
            cpu: self.cpu,
            rounds: setup.rounds,
            writer: Writer::append_to(&setup.path)?,
            rows: Vec::new(),
            drivers: drivers.into_iter().map(|(name, path)| (name, Ok(path))).collect(),
        })
    }
}

/// Names the programs that some benchmarks need and that are not installed.
pub(super) fn name_missing(chosen: &[Chosen]) {
    let mut missing: Vec<&str> = chosen.iter().flat_map(|(_, benchmark)| benchmark.programs()).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|program| programs::find(program).is_none());
    if !missing.is_empty() {
        eprintln!("not installed: {}; for their rows: {}", missing.join(", "), programs::apt_line(&missing));
    }
}

/// The exit status of a run, once its report is printed.
///
/// # Errors
/// What broke it.
pub(super) fn end(result: Result<(), Stop>) -> Result<ExitCode> {
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Stop::Interrupted) => {
            println!("\nInterrupted: the rows above are what was measured.");
            Ok(ExitCode::from(130))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

/// The launcher to measure, brought up to date unless it was named: a copy of it.
fn find_bt_run(named: Option<&PathBuf>, target: &Path) -> Result<PathBuf> {
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
