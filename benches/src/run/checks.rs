//! Runs that are not timed: whether a side does what it should, and what bt-run says of itself.

use std::time::Duration;

use super::launch::{Failure, Launcher, Run, Side, describe_status};
use crate::suites::invocation::{Invocation, Output};

/// Native runs that nothing is known of have no other limit.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// How long a run with `--stats` may take.
const STATS_LIMIT: Duration = Duration::from_secs(600);

/// An untimed native run, which must exit 0; what it writes is what the other side must write.
///
/// # Errors
/// It did not exit 0, or the user stopped it.
pub(super) fn check_native(launcher: &Launcher, invocation: &Invocation) -> Result<(), Failure> {
    let native = launcher.run(Side::Native, invocation, Output::File, &[], HOUR)?;
    succeeded(launcher, Side::Native, native).map(drop)
}

/// An untimed run of bt-run, after the native one: it must exit 0 and write the same.
///
/// # Errors
/// It did not, or the user stopped it.
pub(super) fn check_ours(launcher: &Launcher, invocation: &Invocation, limit: Duration) -> Result<(), Failure> {
    let ours = launcher.run(Side::BtRun, invocation, Output::File, &[], limit)?;
    succeeded(launcher, Side::BtRun, ours)?;
    if launcher.outputs_are_equal(Side::Native, Side::BtRun)? {
        Ok(())
    } else {
        Err(Failure::Failed("bt-run: output differs from native's".to_owned()))
    }
}

/// The lines that bt-run writes with `--stats` in an untimed run.
///
/// # Errors
/// It failed or wrote nothing, or the user stopped it.
pub(super) fn stats_of(launcher: &Launcher, invocation: &Invocation) -> Result<String, Failure> {
    let file = launcher.scratch.join("stats.jsonl");
    let _ = std::fs::remove_file(&file);
    let option = format!("--stats={}", file.display());
    let run = launcher.run(Side::BtRun, invocation, Output::Null, &[option], STATS_LIMIT)?;
    succeeded(launcher, Side::BtRun, run)?;
    std::fs::read_to_string(&file).map_err(|error| Failure::Failed(format!("bt-run: --stats wrote nothing: {error}")))
}

/// A timed run, which must exit 0 as the checked one did.
///
/// # Errors
/// It did not, or the user stopped it.
pub(super) fn timed(launcher: &Launcher, side: Side, invocation: &Invocation, limit: Duration) -> Result<Run, Failure> {
    let run = launcher.run(side, invocation, invocation.output, &[], limit)?;
    succeeded(launcher, side, run)
}

/// The run, if it exited 0; otherwise what it said.
///
/// # Errors
/// It did not exit 0.
pub(super) fn succeeded(launcher: &Launcher, side: Side, run: Run) -> Result<Run, Failure> {
    if run.status == 0 {
        return Ok(run);
    }
    let said = launcher.first_error_line(side).map_or_else(String::new, |line| format!(": {line}"));
    let native = if side == Side::Native { "" } else { " (native: exit 0)" };
    Err(Failure::Failed(format!("{}: {}{native}{said}", side.name(), describe_status(run.status))))
}
