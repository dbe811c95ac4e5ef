//! Runs programs natively and under bt-run, and compares.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bt_tests::runner::compare::{first_difference, tail};
use bt_tests::runner::process::{self, Finished};
use bt_tests::spec::End;
use bt_tests::stats::Stats;
use serde_json::Value;

use crate::limits;

/// The launcher's file in the initramfs.
pub const LAUNCHER: &str = "/bt/bt-run";
/// The engine that runs code in the kernel.
pub const RING0: &str = "ring0";

/// Runs commands of one case: each has a time limit, standard streams in files and nothing left behind.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The case.
    pub name: String,
    /// Current directory of the commands, empty at first.
    pub work: PathBuf,
    /// Outputs and statistics.
    pub logs: PathBuf,
    /// Time limit of a command.
    pub limit: Duration,
}

/// A run under an engine.
#[derive(Debug)]
pub struct EngineRun {
    /// How it ended and what it wrote.
    pub finished: Finished,
    /// The statistics as the test suite reads them.
    pub stats: Stats,
    /// The statistics' lines, whole: figures of the engine are read from here.
    pub events: Vec<Value>,
}

impl Bench {
    /// A bench for the case `name`.
    pub fn new(name: &str) -> Result<Self> {
        let root = Path::new("/tmp/cases").join(name);
        let bench = Self {
            name: name.to_owned(),
            work: root.join("work"),
            logs: root.join("logs"),
            limit: limits::of_command(name),
        };
        std::fs::create_dir_all(&bench.work).context("work directory")?;
        std::fs::create_dir_all(&bench.logs).context("logs")?;
        Ok(bench)
    }

    /// Runs `argv` natively; `label` names its files in the logs.
    pub fn native(&self, label: &str, argv: &[&str]) -> Result<Finished> {
        let (program, arguments) = argv.split_first().context("empty command")?;
        let mut command = Command::new(program);
        command.args(arguments);
        self.run(label, &mut command)
    }

    /// The command that starts `argv` under `engine`; statistics go to the log `label`.
    pub fn under(&self, engine: &str, label: &str, argv: &[&str]) -> Command {
        let mut command = Command::new(LAUNCHER);
        command.args(["--engine", engine, "--cache-dir", "/tmp/images"]);
        command.arg(format!("--stats={}", self.stats_file(label).display()));
        command.arg("--").args(argv);
        command
    }

    /// Runs `argv` under `engine`.
    pub fn engine(&self, engine: &str, label: &str, argv: &[&str]) -> Result<EngineRun> {
        let finished = self.run(label, &mut self.under(engine, label, argv))?;
        let file = self.stats_file(label);
        Ok(EngineRun { finished, stats: Stats::read(&file)?, events: events(&file)? })
    }

    /// Runs `argv` natively and under `engine`: standard output and status have to be the same, every
    /// process has to run under the engine.
    pub fn compare(&self, engine: &str, label: &str, argv: &[&str]) -> Result<EngineRun> {
        let native = self.native(&format!("{label}.native"), argv).context("natively")?;
        let run = self.engine(engine, &format!("{label}.{engine}"), argv)?;
        let mut complaints = Vec::new();
        if native.end != run.finished.end {
            complaints.push(format!("natively {:?}, under {engine} {:?}", native.end, run.finished.end));
        }
        complaints.extend(first_difference(
            "stdout",
            &String::from_utf8_lossy(&native.stdout),
            &String::from_utf8_lossy(&run.finished.stdout),
        ));
        complaints.extend(run.stats.strangers(engine, &[]));
        if complaints.is_empty() {
            return Ok(run);
        }
        bail!("{}: {}\n{}", argv.join(" "), complaints.join("\n"), tail(&run.finished.stderr, 20));
    }

    /// Runs a prepared command to its end or the time limit.
    pub fn run(&self, label: &str, command: &mut Command) -> Result<Finished> {
        command.current_dir(&self.work);
        process::fix_environment(command, &self.work);
        let finished = process::run(command, None, &self.logs, label, self.limit)?;
        if finished.end.is_none() {
            bail!("{label}: not over after {} s\n{}", self.limit.as_secs(), tail(&finished.stderr, 20));
        }
        Ok(finished)
    }

    fn stats_file(&self, label: &str) -> PathBuf {
        self.logs.join(format!("{label}.stats"))
    }
}

/// What the host says of the runs of this boot: the number after `bt.NAME=` on the kernel's command line.
pub fn parameter(name: &str) -> Result<u64> {
    let line = std::fs::read_to_string("/proc/cmdline").context("/proc/cmdline")?;
    let prefix = format!("bt.{name}=");
    let value = line.split_ascii_whitespace().find_map(|word| word.strip_prefix(&prefix));
    value.with_context(|| format!("no {prefix} on the kernel's command line"))?.parse().context(prefix)
}

/// Fails, with what was written on standard error, unless the command exited with 0.
pub fn expect_success(what: &str, finished: &Finished) -> Result<()> {
    if finished.end == Some(End::Exit(0)) {
        return Ok(());
    }
    bail!("{what}: {:?}\n{}{}", finished.end, tail(&finished.stdout, 20), tail(&finished.stderr, 20));
}

/// The JSON lines of a file of statistics; none when nothing wrote it.
pub fn events(file: &Path) -> Result<Vec<Value>> {
    let text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other.context("statistics")?,
    };
    text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("statistics line {line:?}"))).collect()
}

/// Sum of the number at `path` (as `/ring0/calls`, RFC 6901) over all events that have it.
pub fn sum(events: &[Value], path: &str) -> u64 {
    events.iter().filter_map(|event| event.pointer(path)?.as_u64()).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::sum;

    #[test]
    fn numbers_are_summed_over_events() {
        let events =
            [json!({"event": "start"}), json!({"ring0": {"calls": 3}}), json!({"ring0": {"calls": 4, "exits": 1}})];
        assert_eq!(sum(&events, "/ring0/calls"), 7);
        assert_eq!(sum(&events, "/ring0/none"), 0);
    }
}
