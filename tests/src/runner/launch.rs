//! The ways a step is run: natively, under `strace`, under an engine of the launcher.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths;

/// The pass under engine `direct` in which no call may come from a site that the scan has missed.
pub const STRICT: &str = "strict";

/// The engine of a pass.
#[must_use]
pub fn engine_of(pass: &str) -> &str {
    let engine = pass.split('+').next().unwrap_or(pass);
    if engine == STRICT { "direct" } else { engine }
}

/// The level of emulation of a pass `ENGINE+LEVEL`; any other has the default one.
#[must_use]
pub fn level_of(pass: &str) -> Option<&str> {
    pass.split_once('+').map(|(_, level)| level)
}

/// What a pass asks of the launcher.
#[must_use]
pub fn options_of(pass: &str) -> Vec<&str> {
    let mut options = vec!["--engine", engine_of(pass)];
    if pass.split('+').next() == Some(STRICT) {
        options.push("--strict");
    }
    if let Some(level) = level_of(pass) {
        options.extend(["--emulate", level]);
    }
    // What others are spared until it pays is tested from the first look on.
    options.extend(["--emulate-after", "256"]);
    options
}

/// How the tested commands of one pass are started.
#[derive(Clone, Debug)]
pub enum Launch {
    /// As they are.
    Native,
    /// Natively, with the calls logged.
    Strace,
    /// Under the launcher.
    Engine {
        /// `ENGINE` or `ENGINE+LEVEL`; the engine `strict` is `direct` with `--strict`.
        pass: String,
        /// Further options.
        options: Vec<String>,
        /// Another launcher than the one under test.
        launcher: Option<PathBuf>,
    },
}

impl Launch {
    /// Under the launcher, with further options.
    #[must_use]
    pub fn engine(pass: &str, options: &[String]) -> Self {
        Self::Engine { pass: pass.to_owned(), options: options.to_vec(), launcher: None }
    }

    /// Name of the pass in directories and reports.
    pub fn word(&self) -> &str {
        match self {
            Self::Native => "native",
            Self::Strace => "strace",
            Self::Engine { pass, .. } => pass,
        }
    }

    /// A command for `argv` in `work`; a log or statistics go to `record`.
    pub fn command(&self, argv: &[String], work: &Path, record: &Path) -> Command {
        let (program, rest) = argv.split_first().map_or(("true", &[][..]), |(first, rest)| (first.as_str(), rest));
        let mut command = match self {
            Self::Native => Command::new(program),
            Self::Strace => {
                let mut command = Command::new("strace");
                command.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(record).arg("--").arg(program);
                command
            }
            Self::Engine { pass, options, launcher } => {
                let mut stats = std::ffi::OsString::from("--stats=");
                stats.push(record);
                let mut command = Command::new(launcher.clone().unwrap_or_else(paths::launcher));
                // Not in the home directory, which is compared with that of the native run.
                let images = paths::target().join("images");
                command
                    .args(options_of(pass))
                    .args(options)
                    .arg("--cache-dir")
                    .arg(images)
                    .arg(stats)
                    .arg("--")
                    .arg(program);
                command
            }
        };
        command.args(rest).current_dir(work);
        super::process::fix_environment(&mut command, work);
        command
    }
}

/// Files of one pass of one test.
#[derive(Clone, Debug)]
pub struct Pass {
    /// How commands are started.
    pub launch: Launch,
    /// The work directory; its path is the same in each pass, programs print it.
    pub work: PathBuf,
    /// Outputs, logs and statistics.
    pub logs: PathBuf,
}

impl Pass {
    /// Where the log or the statistics of a step go.
    pub fn record(&self, label: &str) -> PathBuf {
        self.logs.join(format!("{label}.record"))
    }
}

#[cfg(test)]
mod tests {
    use super::options_of;

    #[test]
    fn names_of_passes_choose_engine_and_level() {
        let early = ["--emulate-after", "256"];
        assert_eq!(options_of("translate"), [["--engine", "translate"], early].concat());
        assert_eq!(options_of("strict"), [&["--engine", "direct", "--strict"][..], &early].concat());
        assert_eq!(options_of("direct+exact"), [["--engine", "direct"], ["--emulate", "exact"], early].concat());
    }
}
