//! One run of one command, natively or under bt-run.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use thiserror::Error;

use crate::base::process::{self, WaitError};
use crate::base::programs;
use crate::rows::engine::Variant;
use crate::suites::invocation::{Invocation, Output};

/// Who runs the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The kernel.
    Native,
    /// bt-run.
    BtRun,
}

impl Side {
    /// The name in messages.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::BtRun => "bt-run",
        }
    }
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// User and system time of the process tree.
    pub cpu_seconds: f64,
    /// From before the start until the end was seen.
    pub wall_seconds: f64,
    /// Exit code, or the negative number of the signal.
    pub status: i32,
}

/// Why there is no figure.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// A side did not do what it should; the text says which and what.
    #[error("{0}")]
    Failed(String),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(format!("{error:#}"))
    }
}

/// Runs commands; knows the launcher and the scratch directory.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    /// The bt-run under measurement.
    pub bt_run: PathBuf,
    /// How it is started.
    pub variant: Variant,
    /// Where it keeps patched images: nobody else's images are used, nobody's are spoilt.
    pub cache: PathBuf,
    /// Scratch directory for outputs and inputs.
    pub scratch: PathBuf,
}

impl Launcher {
    /// The same launcher with an image cache of its own, below the scratch directory.
    #[must_use]
    pub(crate) fn with_cache(&self, name: &str) -> Self {
        Self { cache: self.scratch.join(name), ..self.clone() }
    }

    /// Makes the image cache empty: the next run of bt-run finds no image.
    ///
    /// # Errors
    /// The directory cannot be emptied or made.
    pub(crate) fn empty_cache(&self) -> Result<()> {
        let name = || self.cache.display().to_string();
        if self.cache.exists() {
            std::fs::remove_dir_all(&self.cache).with_context(name)?;
        }
        // bt-run ignores a cache that others can read or write.
        std::fs::DirBuilder::new().mode(0o700).create(&self.cache).with_context(name)
    }

    fn output_path(&self, side: Side) -> PathBuf {
        self.scratch.join(format!("stdout.{}", side.name()))
    }

    fn error_path(&self, side: Side) -> PathBuf {
        self.scratch.join(format!("stderr.{}", side.name()))
    }

    /// The whole command of a side: the launcher, if any, the program, its arguments.
    #[must_use]
    pub(crate) fn words(&self, side: Side, invocation: &Invocation) -> Vec<OsString> {
        self.words_with(side, invocation, &[])
    }

    fn words_with(&self, side: Side, invocation: &Invocation, options: &[String]) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        match side {
            Side::Native => {}
            Side::BtRun => {
                words.push((&self.bt_run).into());
                words.extend(self.variant.options().into_iter().map(OsString::from));
                words.push("--cache-dir".into());
                words.push((&self.cache).into());
                words.extend(options.iter().map(OsString::from));
                words.push("--".into());
            }
        }
        words.push((&invocation.program).into());
        words.extend(invocation.arguments.iter().map(OsString::from));
        words
    }

    fn command(&self, side: Side, invocation: &Invocation, options: &[String]) -> Result<Command> {
        let words = self.words_with(side, invocation, options);
        let input = match invocation.input.map(|name| invocation.directory.join(name)) {
            Some(path) => Stdio::from(File::open(&path).with_context(|| path.display().to_string())?),
            None => Stdio::null(),
        };
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(&invocation.directory)
            .env_clear()
            .env("PATH", programs::PATH)
            .env("HOME", &self.scratch)
            .env("LC_ALL", "C")
            .stdin(input)
            .process_group(0);
        Ok(command)
    }

    /// Runs the command once; `options` go to bt-run only.
    ///
    /// # Errors
    /// It could not be started, took longer than `limit`, or the user stopped it. A bad exit
    /// status is not an error here.
    pub(crate) fn run(
        &self,
        side: Side,
        invocation: &Invocation,
        output: Output,
        options: &[String],
        limit: Duration,
    ) -> Result<Run, Failure> {
        if process::interrupted() {
            return Err(Failure::Interrupted);
        }
        let mut command = self.command(side, invocation, options)?;
        let create = |path: PathBuf| File::create(&path).with_context(|| path.display().to_string());
        command.stderr(create(self.error_path(side))?);
        match output {
            Output::Null => command.stdout(Stdio::null()),
            Output::File => command.stdout(create(self.output_path(side))?),
        };
        let start = Instant::now();
        let child =
            command.spawn().map_err(|error| Failure::Failed(format!("{}: cannot start: {error}", side.name())))?;
        let ended = process::wait(&child, limit).map_err(|error| match error {
            WaitError::Interrupted => Failure::Interrupted,
            WaitError::TimeOut => Failure::Failed(format!("{}: not done after {} s", side.name(), limit.as_secs())),
            WaitError::Os(error) => Failure::Failed(format!("{}: wait: {error}", side.name())),
        })?;
        Ok(Run { cpu_seconds: ended.cpu_seconds, wall_seconds: start.elapsed().as_secs_f64(), status: ended.status })
    }

    /// The output that the last run with [`Output::File`] left.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read_output(&self, side: Side) -> Result<String> {
        let path = self.output_path(side);
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether the last runs of two sides with [`Output::File`] wrote the same.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn outputs_are_equal(&self, one: Side, other: Side) -> Result<bool> {
        Ok(files_are_equal(&self.output_path(one), &self.output_path(other))?)
    }

    /// The first line that the last run wrote to standard error.
    #[must_use]
    pub(crate) fn first_error_line(&self, side: Side) -> Option<String> {
        let file = File::open(self.error_path(side)).ok()?;
        let mut line = Vec::new();
        BufReader::new(file).take(300).read_until(b'\n', &mut line).ok()?;
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// A status in words.
#[must_use]
pub(crate) fn describe_status(status: i32) -> String {
    if status < 0 { format!("signal {}", -status) } else { format!("exit {status}") }
}

fn files_are_equal(one: &Path, other: &Path) -> std::io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let len = one.read(&mut left)?;
        if len == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..len])?;
        if left[..len] != right[..len] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::engine::Engine;

    fn launcher() -> Launcher {
        Launcher {
            bt_run: "/bt-run".into(),
            variant: Engine::Translate.into(),
            cache: "/cache".into(),
            scratch: std::env::temp_dir(),
        }
    }

    #[test]
    fn launcher_is_told_engine_and_cache() {
        let invocation = Invocation {
            program: "/bin/true".into(),
            arguments: vec![],
            directory: "/".into(),
            input: None,
            output: Output::Null,
        };
        let words = launcher().words(Side::BtRun, &invocation);
        assert_eq!(words, ["/bt-run", "--engine", "translate", "--cache-dir", "/cache", "--", "/bin/true"]);
        assert_eq!(launcher().words(Side::Native, &invocation), ["/bin/true"]);
    }

    #[test]
    fn emptied_cache_is_there_without_images_and_for_us_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let launcher = launcher().with_cache(&format!("bt-bench-test-{}", std::process::id()));
        launcher.empty_cache().unwrap();
        std::fs::write(launcher.cache.join("some.img"), "text").unwrap();
        launcher.empty_cache().unwrap();
        assert_eq!(std::fs::read_dir(&launcher.cache).unwrap().count(), 0);
        let mode = std::fs::metadata(&launcher.cache).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::remove_dir(&launcher.cache).unwrap();
    }

    #[test]
    fn statuses_are_told_in_words() {
        assert_eq!(describe_status(3), "exit 3");
        assert_eq!(describe_status(-11), "signal 11");
    }
}
