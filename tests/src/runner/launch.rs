//! The ways a step is run: natively, under `strace`, under an engine of the launcher.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths;

/// The pass under engine `direct` in which no call may come from a site that the scan has missed.
pub const STRICT: &str = "strict";

/// The engine of a pass.
#[must_use]
pub fn engine_of(pass: &str) -> &str {
    if pass == STRICT { "direct" } else { pass }
}

/// How the tested commands of one pass are started.
#[derive(Clone, Debug)]
pub enum Launch {
    /// As they are.
    Native,
    /// Natively, with the calls logged.
    Strace,
    /// `bt-run --engine NAME`, or `--strict` for the name `strict`.
    Engine(String),
}

impl Launch {
    /// Name of the pass in folders and reports.
    pub fn word(&self) -> &str {
        match self {
            Self::Native => "native",
            Self::Strace => "strace",
            Self::Engine(name) => name,
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
            Self::Engine(engine) => {
                let mut stats = std::ffi::OsString::from("--stats=");
                stats.push(record);
                let mut command = Command::new(paths::launcher());
                // Not in the home folder, which is compared with that of the native run.
                let images = paths::target().join("images");
                if engine == STRICT {
                    command.arg("--strict");
                }
                command
                    .args(["--engine", engine_of(engine), "--cache-dir"])
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
    /// The work folder; its path is the same in each pass, programs print it.
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
