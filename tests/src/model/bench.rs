//! Runs the program on sequences, natively or under the launcher.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::plan::{Manner, Plan};
use super::program::program;
use crate::runner::compare::tail;
use crate::runner::launch::{self, Launch};
use crate::runner::process::{self, End};

/// The output of a run, by sequence, and how the run ended if not well.
#[derive(Debug)]
pub struct Output {
    /// One text for each sequence that was begun.
    pub sequences: Vec<String>,
    /// What went wrong with the program itself.
    pub trouble: Option<String>,
}

impl Output {
    /// The first sequence of `count` in which two runs differ.
    pub fn first_difference(&self, other: &Self, count: usize) -> Option<usize> {
        let difference = (0..count).find(|&index| self.sequences.get(index) != other.sequences.get(index));
        difference.or_else(|| (self.trouble != other.trouble).then_some(count.saturating_sub(1)))
    }
}

/// A place in which one worker runs programs.
#[derive(Debug)]
pub struct Bench<'plan> {
    /// The pass.
    pub plan: &'plan Plan,
    /// Where its files are.
    pub directory: PathBuf,
    /// How its sequences are run.
    pub manner: Manner,
    /// Time that one run may take.
    pub limit: Duration,
}

impl Bench<'_> {
    /// A launch under the launcher.
    pub fn ours(&self) -> Launch {
        let mut options = self.plan.options.clone();
        if self.manner.native_partner {
            options.push("--no-follow".to_owned());
        }
        Launch::Engine { pass: self.plan.pass.clone(), options, launcher: self.plan.launcher.clone() }
    }

    /// Program and arguments for the sequences in `input`.
    pub fn command(&self, input: &Path) -> Vec<String> {
        let memory = format!("/dev/shm/bt-model.{}.{}", std::process::id(), self.slot());
        [
            program().display().to_string(),
            self.manner.word().to_owned(),
            input.display().to_string(),
            self.directory.join("files").display().to_string(),
            memory,
        ]
        .to_vec()
    }

    /// Unique among the workers of this pass.
    fn slot(&self) -> String {
        self.directory.file_name().unwrap_or_default().display().to_string()
    }

    /// A process that ran under another engine, or that none ran. Lines of ends may be cut: a sequence limits the size
    /// of files.
    fn stranger(&self, record: &Path) -> Result<Option<String>> {
        let text = fs::read_to_string(record).with_context(|| record.display().to_string())?;
        let engine = format!("\"engine\":\"{}\"", launch::engine_of(&self.plan.pass));
        let mut starts = text.lines().filter(|line| line.starts_with("{\"event\":\"start\"")).peekable();
        if starts.peek().is_none() {
            return Ok(Some("did not start under the engine".to_owned()));
        }
        Ok(starts.find(|line| !line.contains(&engine)).map(|line| format!("ran otherwise: {line}")))
    }

    /// Runs sequences.
    pub fn run(&self, launch: &Launch, texts: &[String], label: &str) -> Result<Output> {
        let input = self.directory.join(format!("{label}.sequences"));
        fs::write(&input, texts.concat())?;
        let arguments = self.command(&input);
        let record = self.directory.join(format!("{label}.record"));
        let _ = fs::remove_file(&record);
        let mut command = launch.command(&arguments, &self.directory, &record);
        let done = process::run(&mut command, None, &self.directory, label, self.limit)?;
        // A program that was killed left its files.
        for directory in arguments.get(3..).unwrap_or_default() {
            if Path::new(directory).exists() {
                fs::remove_dir_all(directory).with_context(|| directory.clone())?;
            }
        }
        let mut trouble = match done.end {
            Some(End::Exit(0)) => None,
            None => Some(format!("did not end in {} s", self.limit.as_secs())),
            Some(end) => Some(format!("ended with {end:?}\n{}", tail(&done.stderr, 10))),
        };
        if matches!(launch, Launch::Engine { .. }) && trouble.is_none() {
            trouble = self.stranger(&record)?;
        }
        let text = String::from_utf8_lossy(&done.stdout);
        let mut sequences: Vec<String> = Vec::new();
        for line in text.lines() {
            if line.starts_with("seq ") {
                sequences.push(String::new());
            }
            if let Some(last) = sequences.last_mut() {
                last.push_str(line);
                last.push('\n');
            }
        }
        Ok(Output { sequences, trouble })
    }
}
