//! What a test is: steps to run, what must hold of them, what may differ between runs.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::guest::Build;
use crate::launcher::Check;
use crate::runner::compare::Observation;
use crate::runner::launch::{self, Pass};
pub use crate::runner::process::End;

/// The levels of emulation besides the default one, `coherent`.
pub const LEVELS: [&str; 2] = ["off", "exact"];

/// Which part of the suite a test belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A small program from `tests/guests`, built by the runner.
    Guest,
    /// An unmodified program of the distribution.
    Program,
    /// A server under a real client.
    Server,
    /// The launcher's own command line.
    Launcher,
}

impl Kind {
    /// The word used on the command line and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Program => "program",
            Self::Server => "server",
            Self::Launcher => "launcher",
        }
    }
}

/// One command of a test, run in the test's work directory.
#[derive(Clone, Debug)]
pub struct Step {
    /// Program and arguments; the program is looked up as a shell does.
    pub argv: Vec<String>,
    /// Standard input; nothing means `/dev/null`.
    pub stdin: Option<String>,
    /// Added to the fixed environment.
    pub env: Vec<(String, String)>,
    /// Runs natively in every pass: it prepares input, it is not what is tested.
    pub prepares: bool,
    /// Required end.
    pub end: End,
}

/// Whether system calls are compared with those of the native run.
#[derive(Clone, Debug)]
pub enum Calls {
    /// The program is not deterministic in its calls.
    Any,
    /// Equal by name, except for these, each with the reason.
    Equal(Vec<(String, String)>),
}

/// What is asserted beyond the end of each step.
#[derive(Clone, Debug)]
pub struct Checks {
    /// Standard error is deterministic and compared.
    pub stderr: bool,
    /// Regular expressions and what replaces their matches before comparing.
    pub normalise: Vec<(String, String)>,
    /// Produced files (path prefixes) that are not compared.
    pub ignored_files: Vec<String>,
    /// Standard output of the run must contain each of these.
    pub stdout_has: Vec<String>,
    /// System calls compared by name with `strace`.
    pub calls: Calls,
    /// Path suffixes of images that may run natively.
    pub native_images: Vec<String>,
}

/// What a server test does in one pass, in which no wait is longer than the limit. What it returns is compared between
/// passes.
pub type ServerCheck = fn(&Pass, Duration) -> Result<Vec<Observation>>;

/// What a test does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Compiles one guest, then runs its steps.
    Guest(Build),
    /// Builds the program of random blocks, then runs its steps.
    Blocks,
    /// Runs random sequences of operations.
    Sequences {
        /// How many all passes run together.
        count: u64,
    },
    /// Executes mutated programs and scripts.
    Mutants {
        /// How many in each pass.
        count: u64,
    },
    /// Requires that these sequences find bugs that were put in.
    SeededBugs,
    /// Runs its steps.
    Program,
    /// Starts a server, loads it, stops it.
    Server(ServerCheck),
    /// Checks the launcher; there is nothing to run natively.
    Launcher(Check),
}

/// One test.
#[derive(Clone, Debug)]
pub struct Test {
    /// `directory/behaviour`, unique.
    pub name: String,
    /// Part of the suite.
    pub kind: Kind,
    /// Time that each step may take.
    pub limit: Duration,
    /// Keys into the package table.
    pub packages: Vec<&'static str>,
    /// Runs under this engine only.
    pub engine: Option<&'static str>,
    /// Runs at these levels of emulation besides the default one.
    pub levels: Vec<String>,
    /// Further options of the launcher.
    pub options: Vec<String>,
    /// Must not share the machine with other tests.
    pub alone: bool,
    /// Only root can run it.
    pub needs_root: bool,
    /// Copied into the work directory before each run.
    pub files: Option<PathBuf>,
    /// What it does.
    pub action: Action,
    /// Commands in order.
    pub steps: Vec<Step>,
    /// What must hold.
    pub checks: Checks,
}

impl Test {
    /// A test without steps and with the strictest comparison that needs no `strace`.
    pub fn new(name: &str, kind: Kind, action: Action) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            limit: Duration::from_secs(60),
            packages: Vec::new(),
            engine: None,
            levels: Vec::new(),
            options: Vec::new(),
            alone: false,
            needs_root: false,
            files: None,
            action,
            steps: Vec::new(),
            checks: Checks {
                stderr: true,
                normalise: Vec::new(),
                ignored_files: Vec::new(),
                stdout_has: Vec::new(),
                calls: Calls::Any,
                native_images: Vec::new(),
            },
        }
    }

    /// A test of an unmodified program of the distribution.
    pub fn program(name: &str) -> Self {
        Self::new(name, Kind::Program, Action::Program)
    }

    /// Packages that it needs.
    pub fn needs(mut self, packages: &[&'static str]) -> Self {
        self.packages.extend_from_slice(packages);
        self
    }

    /// Copies `tests/programs/<directory>` into the work directory.
    pub fn with_files(mut self, directory: &str) -> Self {
        self.files = Some(crate::paths::sources().join("programs").join(directory));
        self
    }

    /// Adds a step that runs natively in every pass.
    pub fn prepare(mut self, argv: &[&str]) -> Self {
        self.push(argv, true);
        self
    }

    /// Adds a tested step.
    pub fn run(mut self, argv: &[&str]) -> Self {
        self.push(argv, false);
        self
    }

    fn push(&mut self, argv: &[&str], prepares: bool) {
        self.steps.push(Step {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            stdin: None,
            env: Vec::new(),
            prepares,
            end: End::Exit(0),
        });
    }

    fn last(&mut self, change: impl FnOnce(&mut Step)) {
        if let Some(step) = self.steps.last_mut() {
            change(step);
        }
    }

    /// The step before ends this way.
    pub fn ends(mut self, end: End) -> Self {
        self.last(|step| step.end = end);
        self
    }

    /// The step before reads this.
    pub fn stdin(mut self, text: &str) -> Self {
        self.last(|step| step.stdin = Some(text.to_owned()));
        self
    }

    /// The step before sees this variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.last(|step| step.env.push((name.to_owned(), value.to_owned())));
        self
    }

    /// Each step may take this long.
    pub fn limit_secs(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Its passes under `engine`: at the default level, or at the one that the name `ENGINE+LEVEL` holds, and at the
    /// levels that it asks for.
    ///
    /// Guests and checks of the launcher hold code that hides its calls on purpose: the strict pass is for programs and
    /// servers. It is about code, so it has no levels.
    pub fn passes(&self, engine: &str) -> Vec<String> {
        let (name, level) = engine.split_once('+').map_or((engine, None), |(name, level)| (name, Some(level)));
        let is_strict = name == launch::STRICT;
        let is_wanted = self.engine.is_none_or(|only| only == name);
        if !is_wanted || (is_strict && !matches!(self.kind, Kind::Program | Kind::Server)) {
            return Vec::new();
        }
        let mut passes = vec![engine.to_owned()];
        if level.is_none() && !is_strict {
            passes.extend(self.levels.iter().map(|level| format!("{engine}+{level}")));
        }
        passes
    }

    /// Runs at these levels of emulation as well.
    pub fn at_levels(mut self, levels: &[&str]) -> Self {
        self.levels = levels.iter().map(|&level| level.to_owned()).collect();
        self
    }

    /// Runs at every level of emulation.
    pub fn at_every_level(self) -> Self {
        self.at_levels(&LEVELS)
    }

    /// The launcher gets this option.
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }

    /// Is about one engine.
    pub fn only_under(mut self, engine: &'static str) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Is skipped unless the runner is root.
    pub fn as_root(mut self) -> Self {
        self.needs_root = true;
        self
    }

    /// Runs with nothing beside it.
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Standard error differs from run to run.
    pub fn any_stderr(mut self) -> Self {
        self.checks.stderr = false;
        self
    }

    /// Replaces matches before comparing.
    pub fn normalise(mut self, pattern: &str, with: &str) -> Self {
        self.checks.normalise.push((pattern.to_owned(), with.to_owned()));
        self
    }

    /// Does not compare files whose path begins so.
    pub fn ignore_files(mut self, prefix: &str) -> Self {
        self.checks.ignored_files.push(prefix.to_owned());
        self
    }

    /// Standard output contains this.
    pub fn prints(mut self, text: &str) -> Self {
        self.checks.stdout_has.push(text.to_owned());
        self
    }

    /// The calls by name equal those that `strace -f` saw, `except` these for a reason.
    pub fn calls_equal_except(mut self, except: &[(&str, &str)]) -> Self {
        self.checks.calls = Calls::Equal(except.iter().map(|&(name, why)| (name.to_owned(), why.to_owned())).collect());
        self.packages.push("strace");
        self
    }

    /// The calls by name equal those that `strace -f` saw.
    pub fn calls_equal(self) -> Self {
        self.calls_equal_except(&[])
    }

    /// An image whose path ends so may run natively.
    pub fn native_image(mut self, suffix: &str) -> Self {
        self.checks.native_images.push(suffix.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Kind, Test};

    #[test]
    fn levels_are_further_passes() {
        let test = Test::new("x/y", Kind::Program, Action::Program);
        assert_eq!(test.passes("direct"), ["direct"]);
        let test = test.at_every_level();
        assert_eq!(test.passes("direct"), ["direct", "direct+off", "direct+exact"]);
        assert_eq!(test.passes("direct+off"), ["direct+off"]);
        assert_eq!(test.passes("strict"), ["strict"]);
        assert!(test.only_under("translate").passes("direct+off").is_empty());
    }
}
