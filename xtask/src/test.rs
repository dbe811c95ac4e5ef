//! `cargo xtask test`: packages, build, unit tests, the support page, guests, programs, servers, one closing line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bt_tests::extent::Extent;
use bt_tests::runner::launch::STRICT;
use bt_tests::runner::{self, Options, Totals};
use bt_tests::spec::{Kind, Test};
use bt_tests::{all_tests, packages, suite};
use clap::{Args, ValueEnum};

use crate::check::totals_of;
use crate::launcher::build_launcher;
use crate::{apt, docs, fuzz, kmod, layers, licences, paper, unit};

#[derive(Args)]
pub struct Arguments {
    /// Runs the tests whose name contains one of these
    filters: Vec<String>,
    /// Names the tests and runs none
    #[arg(long)]
    list: bool,
    /// Installs no packages, also not as root
    #[arg(long)]
    no_install: bool,
    /// Runs what takes few minutes: unit tests of what the launcher is made of, the checks of layers, licences and the
    /// calls' page, and guests under `direct` and `translate`, with a tenth of the random tests
    #[arg(long, conflicts_with = "only_kind")]
    quick: bool,
    /// Runs one kind of test only; may be given several times
    #[arg(long, value_enum)]
    only_kind: Vec<Part>,
    /// Tests at a time
    #[arg(long)]
    jobs: Option<usize>,
    /// With `--only-kind suite`: where a public test suite is installed, the Linux Test Project or a directory with a
    /// file `cases` that has a name and a command in each line
    #[arg(long)]
    suite_dir: Option<PathBuf>,
    /// With `--only-kind suite`: lists of cases [default: syscalls of the Linux Test Project, otherwise cases]
    #[arg(long)]
    suite_list: Vec<String>,
    /// With `--only-kind suite`: seconds that a case may take
    #[arg(long, default_value_t = 60)]
    suite_seconds: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Unit,
    Guest,
    Program,
    Server,
    Launcher,
    /// The kernel module, in emulated machines
    Kmod,
    /// A public test suite that the user has built; only where it is asked for
    Suite,
}

impl Arguments {
    fn wants(&self, part: Part) -> bool {
        if self.quick {
            return matches!(part, Part::Unit | Part::Guest);
        }
        (self.only_kind.is_empty() && part != Part::Suite) || self.only_kind.contains(&part)
    }

    /// Runs the public test suite.
    fn run_suite(&self, engines: &[String]) -> Result<Totals> {
        let directory = self.suite_dir.as_ref().context("--only-kind suite needs --suite-dir")?;
        let options = suite::Options {
            lists: self.suite_list.clone(),
            filters: self.filters.clone(),
            engines: engines.iter().filter(|engine| *engine != STRICT).cloned().collect(),
            limit: Duration::from_secs(self.suite_seconds),
            jobs: self.jobs.unwrap_or(1),
            ..suite::Options::new(directory)
        };
        let report = suite::run(&options)?;
        println!("{}", report.line());
        Ok(report.totals())
    }

    /// Engines, where the environment names none.
    fn engines(&self) -> &'static str {
        if self.quick { "translate,direct" } else { "translate,direct,strict" }
    }

    fn extent(&self) -> Extent {
        if self.quick { Extent::Quick } else { Extent::Whole }
    }

    fn selects(&self, test: &Test) -> bool {
        let part = match test.kind {
            Kind::Guest => Part::Guest,
            Kind::Program => Part::Program,
            Kind::Server => Part::Server,
            Kind::Launcher => Part::Launcher,
        };
        self.wants(part)
            && (self.filters.is_empty() || self.filters.iter().any(|text| test.name.contains(text.as_str())))
    }
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let tests: Vec<Test> = all_tests(arguments.extent())?.into_iter().filter(|test| arguments.selects(test)).collect();
    if arguments.list {
        for test in &tests {
            println!("{} {}", test.kind.word(), test.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    provide_packages(&tests, arguments.no_install)?;
    let mut totals = Totals::default();
    let launcher = build_launcher();
    // One CPU's work, while unit tests are built and run: most of what is built is linked by one thread.
    let is_whole = !arguments.quick && arguments.filters.is_empty() && arguments.wants(Part::Unit);
    let fuzzing = (is_whole && launcher.is_ok()).then(|| thread::spawn(fuzz::test));
    // A filter names guests and programs; unit tests have cargo's own.
    if arguments.wants(Part::Unit) && (arguments.filters.is_empty() || !arguments.only_kind.is_empty()) {
        let crates = if arguments.quick { unit::FREESTANDING } else { unit::CRATES };
        totals.add(unit::run(crates, &arguments.filters)?);
        if launcher.is_ok() && arguments.filters.is_empty() {
            totals.add(layers::test());
            totals.add(licences::test());
            totals.add(docs::test());
            // It builds bt-bench.
            if !arguments.quick {
                totals.add(paper::test());
            }
        }
    }
    if let Some(fuzzing) = fuzzing {
        // What follows looks at times, and is not to be disturbed.
        totals.add(fuzzing.join().unwrap_or_else(|_| totals_of("cargo xtask fuzz", &["it panicked".to_owned()])));
    }
    let engines = std::env::var("BT_ENGINES").unwrap_or_else(|_| arguments.engines().to_owned());
    let options = Options {
        engines: engines.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        jobs: arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get)),
        strict,
    };
    match launcher {
        Ok(()) => {
            totals.add(runner::run(&tests, &options));
            if arguments.wants(Part::Suite) {
                totals.add(arguments.run_suite(&options.engines)?);
            }
        }
        Err(error) => {
            println!("FAIL  build of the launcher: {error:#}; no test can run under it");
            totals.failed.push("build of the launcher".to_owned());
        }
    }
    // A filter names guests and programs; the machines' cases have `cargo xtask kmod test`.
    if arguments.wants(Part::Kmod) && (arguments.filters.is_empty() || !arguments.only_kind.is_empty()) {
        totals.add(kmod::suite(&arguments.filters, arguments.no_install, strict));
    }
    for name in &totals.failed {
        println!("failed: {name}");
    }
    println!("{}", totals.line());
    Ok(if totals.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Installs what is missing, or says how.
fn provide_packages(tests: &[Test], no_install: bool) -> Result<()> {
    let names: Vec<&'static str> = tests.iter().flat_map(|test| test.packages.iter().copied()).collect();
    let missing = packages::missing(&names);
    if missing.is_empty() {
        return Ok(());
    }
    if no_install || !apt::may_install() {
        println!("Tests that need missing packages are skipped. To run them:\n  {}", apt::line(&missing));
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    apt::install(&missing)
}
