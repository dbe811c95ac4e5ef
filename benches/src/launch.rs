//! One run of one command, natively, under bt-run or under a peer.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::os::{self, WaitError};
use crate::programs;
use crate::variant::Variant;

/// Who runs the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The kernel.
    Native,
    /// bt-run.
    BtRun,
    /// DynamoRIO's `drrun`.
    DynamoRio,
}

impl Side {
    /// The name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::BtRun => "bt-run",
            Self::DynamoRio => "drrun",
        }
    }
}

/// Where standard output goes while the time is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// `/dev/null`.
    Null,
    /// A file, for programs that look whether it is /dev/null and then do less (grep).
    File,
}

/// A command as it is measured.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Absolute path.
    pub program: PathBuf,
    /// Arguments without the program's name.
    pub arguments: Vec<String>,
    /// Working folder.
    pub folder: PathBuf,
    /// What stands on standard input, a file in the folder; `/dev/null` where there is none.
    pub input: Option<&'static str>,
    /// Where standard output goes.
    pub output: Output,
}

impl Invocation {
    /// The command as a shell would take it.
    #[must_use]
    pub fn line(&self) -> String {
        let name = self.program.file_name().unwrap_or_default();
        let mut line = name.to_string_lossy().into_owned();
        for argument in &self.arguments {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,".contains(c);
            line.push(' ');
            if !argument.is_empty() && argument.chars().all(plain) {
                line.push_str(argument);
            } else {
                line.push_str(&format!("'{}'", argument.replace('\'', r"'\''")));
            }
        }
        if let Some(input) = self.input {
            line.push_str(" < ");
            line.push_str(input);
        }
        line
    }
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// User and system time of the process tree.
    pub cpu_seconds: f64,
    /// From before the start until the end was seen.
    pub wall_seconds: f64,
    /// Exit code, or the negative number of the signal.
    pub status: i32,
}

/// Why there is no figure.
#[derive(Debug)]
pub enum Failure {
    /// A side did not do what it should; the text says which and what.
    Failed(String),
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(format!("{error:#}"))
    }
}

/// Runs commands; knows the launchers and the scratch folder.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The bt-run under measurement.
    pub bt_run: PathBuf,
    /// How it is started.
    pub variant: Variant,
    /// Where it keeps patched images: nobody else's images are used, nobody's are spoilt.
    pub cache: PathBuf,
    /// `drrun`, where it is installed.
    pub drrun: Option<PathBuf>,
    /// Scratch folder for outputs and inputs.
    pub scratch: PathBuf,
}

impl Launcher {
    /// The same launcher with an image cache of its own, below the scratch folder.
    #[must_use]
    pub fn with_cache(&self, name: &str) -> Self {
        Self { cache: self.scratch.join(name), ..self.clone() }
    }

    /// Makes the image cache empty: the next run of bt-run finds no image.
    ///
    /// # Errors
    /// The folder cannot be emptied or made.
    pub fn empty_cache(&self) -> Result<()> {
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
    ///
    /// # Errors
    /// The side is not installed.
    pub fn words(&self, side: Side, invocation: &Invocation) -> Result<Vec<OsString>> {
        self.words_with(side, invocation, &[])
    }

    fn words_with(&self, side: Side, invocation: &Invocation, options: &[String]) -> Result<Vec<OsString>> {
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
            Side::DynamoRio => {
                words.push(self.drrun.as_ref().context("drrun is not on PATH")?.into());
                words.push("--".into());
            }
        }
        words.push((&invocation.program).into());
        words.extend(invocation.arguments.iter().map(OsString::from));
        Ok(words)
    }

    fn command(&self, side: Side, invocation: &Invocation, options: &[String]) -> Result<Command> {
        let words = self.words_with(side, invocation, options)?;
        let input = match invocation.input.map(|name| invocation.folder.join(name)) {
            Some(path) => Stdio::from(File::open(&path).with_context(|| path.display().to_string())?),
            None => Stdio::null(),
        };
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(&invocation.folder)
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
    pub fn run(
        &self,
        side: Side,
        invocation: &Invocation,
        output: Output,
        options: &[String],
        limit: Duration,
    ) -> Result<Run, Failure> {
        if os::interrupted() {
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
        let ended = os::wait(&child, limit).map_err(|error| match error {
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
    pub fn read_output(&self, side: Side) -> Result<String> {
        let path = self.output_path(side);
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether the last runs of two sides with [`Output::File`] wrote the same.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn outputs_are_equal(&self, one: Side, other: Side) -> Result<bool> {
        Ok(files_are_equal(&self.output_path(one), &self.output_path(other))?)
    }

    /// The first line that the last run wrote to standard error.
    #[must_use]
    pub fn first_error_line(&self, side: Side) -> Option<String> {
        let file = File::open(self.error_path(side)).ok()?;
        let mut line = Vec::new();
        BufReader::new(file).take(300).read_until(b'\n', &mut line).ok()?;
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// A status in words.
#[must_use]
pub fn describe_status(status: i32) -> String {
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
    use crate::engine::Engine;

    #[test]
    fn line_quotes_what_a_shell_would_split() {
        let invocation = Invocation {
            program: "/usr/bin/grep".into(),
            arguments: vec!["-c".into(), "it's a".into(), String::new(), "text".into()],
            folder: "/".into(),
            input: Some("lines"),
            output: Output::File,
        };
        assert_eq!(invocation.line(), r"grep -c 'it'\''s a' '' text < lines");
    }

    fn launcher() -> Launcher {
        Launcher {
            bt_run: "/bt-run".into(),
            variant: Engine::Translate.into(),
            cache: "/cache".into(),
            drrun: None,
            scratch: std::env::temp_dir(),
        }
    }

    #[test]
    fn launcher_is_told_engine_and_cache() {
        let invocation = Invocation {
            program: "/bin/true".into(),
            arguments: vec![],
            folder: "/".into(),
            input: None,
            output: Output::Null,
        };
        let words = launcher().words(Side::BtRun, &invocation).unwrap();
        assert_eq!(words, ["/bt-run", "--engine", "translate", "--cache-dir", "/cache", "--", "/bin/true"]);
        assert_eq!(launcher().words(Side::Native, &invocation).unwrap(), ["/bin/true"]);
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
