//! Whole programs, from fork to wait, natively and in ring 0.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use bt_tests::runner::process;

use super::{report, report_against, ticks_of};
use crate::command::{Bench, LAUNCHER, RING0};
use crate::module;
use crate::protocol::Target;

/// What the issue asks of a loop that reads and writes a byte.
const FEWER: Target = Target::AtLeast(25);

/// A million times a byte read and a byte written.
pub fn read_write_loop(bench: &Bench) -> Result<()> {
    compare(bench, &["/bt/c/calls", "read-write", "1000000"], Some(FEWER))
}

/// A million calls that do next to nothing, through the C library.
pub fn getppid_loop(bench: &Bench) -> Result<()> {
    compare(bench, &["/bt/c/calls", "getppid", "1000000"], None)
}

/// dd(1), byte by byte.
pub fn dd_bytes(bench: &Bench) -> Result<()> {
    compare(bench, &["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=300000", "status=none"], Some(FEWER))
}

/// Reports both, and by how many percent ring 0 has fewer. Each runs once before, for what is kept from one run to the next:
/// pages of files, and the engine's images.
fn compare(bench: &Bench, argv: &[&str], target: Option<Target>) -> Result<()> {
    module::ensure_loaded()?;
    let under_engine = [&[LAUNCHER, "--engine", RING0, "--cache-dir", "/tmp/images", "--"], argv].concat();
    run(bench, argv)?;
    let native = run(bench, argv)?;
    run(bench, &under_engine)?;
    let ring0 = run(bench, &under_engine)?;
    report(bench, "native", native)?;
    report(bench, "ring0", ring0)?;
    let fewer = (native - ring0) * 100 / native;
    match target {
        Some(target) => report_against(bench, "percent_fewer", fewer, target),
        None => report(bench, "percent_fewer", fewer),
    }
}

/// Instructions of a run.
fn run(bench: &Bench, argv: &[&str]) -> Result<i64> {
    let (program, arguments) = argv.split_first().context("empty command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).current_dir(&bench.work);
    process::fix_environment(&mut command, &bench.work);
    let mut status = None;
    let ticks = ticks_of(|| status = Some(command.status()));
    match status {
        Some(Ok(status)) if status.success() => Ok(ticks),
        other => bail!("{}: {other:?}", argv.join(" ")),
    }
}
