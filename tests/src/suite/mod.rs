//! Public test suites, which the user has built: each case is run natively and under each engine, and what it reports
//! must be the same. The suite's own opinion of a case does not matter, only that it is the same opinion.
//!
//! Differences that are known stand in a list with their reasons (`known`); the report names new ones and those that
//! are gone. `tests/suites/tiny` is a suite of a few lines that tests all this.

mod cases;
mod known;
mod outcome;
mod tiny;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::paths::{self, SEARCH_PATH};
use crate::runner::Totals;
use crate::runner::launch::Launch;
use crate::runner::process;
use cases::Case;
use known::Known;
use outcome::Outcome;

pub use tiny::check as check_tiny;

/// What is run, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the suite is: an installed Linux Test Project, or a directory with a file `cases`.
    pub directory: PathBuf,
    /// Names of the lists of cases: files in `runtest`, or in the directory.
    pub lists: Vec<String>,
    /// Only cases whose name contains one of these; all if there is none.
    pub filters: Vec<String>,
    /// Engines, each in turn.
    pub engines: Vec<String>,
    /// Time that a case may take.
    pub limit: Duration,
    /// Cases at a time.
    pub jobs: usize,
    /// The list of known differences.
    pub known: PathBuf,
    /// Where cases run.
    pub home: PathBuf,
}

impl Options {
    /// For the suite in a directory. Its known differences are in a file `known` of its own, or in the list for its kind.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        let name = if cases::is_ltp(directory) { "ltp.known" } else { "other.known" };
        let own = directory.join("known");
        Self {
            directory: directory.to_owned(),
            lists: Vec::new(),
            filters: Vec::new(),
            engines: Vec::new(),
            limit: Duration::from_secs(60),
            jobs: 1,
            known: if own.exists() { own } else { paths::sources().join("suites").join(name) },
            home: paths::target().join("bt-tests/suite"),
        }
    }
}

/// What came out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Cases under an engine that were as natively.
    pub same: usize,
    /// Differences that stand in the list.
    pub known: usize,
    /// Differences that do not, each in a line.
    pub new: Vec<String>,
    /// Differences of the list that are none any more.
    pub gone: Vec<String>,
}

impl Report {
    /// As a part of the whole: new differences are failures.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals { passed: self.same + self.known, failed: self.new.clone(), skipped: 0 }
    }

    /// The closing line.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "suite: {} as natively, {} known differences, {} new, {} gone",
            self.same,
            self.known,
            self.new.len(),
            self.gone.len()
        )
    }
}

/// Runs a suite, with a line for each difference.
pub fn run(options: &Options) -> Result<Report> {
    let mut cases = cases::read(&options.directory, &options.lists)?;
    let is_wanted = |case: &Case| {
        options.filters.is_empty() || options.filters.iter().any(|text| case.name.contains(text.as_str()))
    };
    cases.retain(is_wanted);
    if cases.is_empty() {
        bail!("no case of {} is wanted", options.directory.display());
    }
    let known = Known::read(&options.known)?;
    let (next, report) = (AtomicUsize::new(0), Mutex::new(Report::default()));
    let trouble: Mutex<Vec<anyhow::Error>> = Mutex::default();
    std::thread::scope(|scope| {
        for worker in 0..options.jobs.max(1) {
            let (cases, next, report, trouble, known) = (&cases, &next, &report, &trouble, &known);
            scope.spawn(move || {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let bench = Bench { options, case, home: options.home.join(format!("worker{worker}")) };
                    if let Err(error) = bench.compare(known, report)
                        && let Ok(mut trouble) = trouble.lock()
                    {
                        trouble.push(error.context(case.name.clone()));
                    }
                }
            });
        }
    });
    let trouble = trouble.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = trouble.into_iter().next() {
        return Err(error);
    }
    Ok(report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// A case, and where it runs.
struct Bench<'run> {
    options: &'run Options,
    case: &'run Case,
    home: PathBuf,
}

impl Bench<'_> {
    /// Natively and under each engine. What differs is run twice more: a case that strays natively tells nothing.
    fn compare(&self, known: &Known, report: &Mutex<Report>) -> Result<()> {
        let mut native = vec![self.outcome(&Launch::Native)?];
        for engine in &self.options.engines {
            let launch = Launch::engine(engine, &[]);
            let mut ours = vec![self.outcome(&launch)?];
            for _ in 0..2 {
                if native.iter().any(|outcome| ours.contains(outcome)) {
                    break;
                }
                native.push(self.outcome(&Launch::Native)?);
                ours.push(self.outcome(&launch)?);
            }
            let is_same = native.iter().any(|outcome| ours.contains(outcome));
            let name = format!("{} [{engine}]", self.case.name);
            let reason = known.reason(&self.case.name, engine);
            let mut report = report.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match (is_same, reason) {
                (true, None) => report.same += 1,
                (true, Some(reason)) => {
                    println!("gone  {name}: {reason}");
                    report.same += 1;
                    report.gone.push(format!("{name}: {reason}"));
                }
                (false, Some(reason)) => {
                    println!("known {name}: {reason}");
                    report.known += 1;
                }
                (false, None) => {
                    let show = |outcomes: &[Outcome]| outcomes.first().map(ToString::to_string).unwrap_or_default();
                    let line = format!("{name}: natively {}; here {}", show(&native), show(&ours));
                    println!("new   {line}");
                    report.new.push(line);
                }
            }
        }
        Ok(())
    }

    /// Runs the case once, in an empty directory.
    fn outcome(&self, launch: &Launch) -> Result<Outcome> {
        let work = self.home.join("work");
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        fs::create_dir_all(&work)?;
        let argv = ["sh", "-c", &self.case.command].map(str::to_owned);
        let mut command = launch.command(&argv, &work, &self.home.join("record"));
        let directory = self.options.directory.canonicalize()?.display().to_string();
        command
            .env("PATH", format!("{directory}/testcases/bin:{directory}/bin:{SEARCH_PATH}"))
            .env("LTPROOT", &directory)
            .env("SUITE", &directory)
            .env("TMPDIR", &work);
        let done = process::run(&mut command, None, &self.home, "case", self.options.limit)?;
        Ok(Outcome::of(&done))
    }
}
