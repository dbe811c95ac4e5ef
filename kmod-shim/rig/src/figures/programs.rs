//! Whole programs, from fork to wait, natively and in ring 0.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use bt_tests::runner::process;

use super::report::{report, report_against};
use super::ticks::ticks_of;
use crate::cases::ring0;
use crate::command::{Bench, LAUNCHER, RING0};
use crate::protocol::Target;

/// The target of a loop that reads and writes a byte: a quarter less.
const FEWER: Target = Target::AtLeast(250);

/// A million times a byte read and a byte written.
pub fn read_write_loop(bench: &Bench) -> Result<()> {
    compare(bench, |count| strings(&["/bt/c/calls", "read-write", count]), "1000000", Some(FEWER))
}

/// A million calls that do next to nothing, through the C library.
pub fn getppid_loop(bench: &Bench) -> Result<()> {
    compare(bench, |count| strings(&["/bt/c/calls", "getppid", count]), "1000000", None)
}

/// dd(1), byte by byte.
pub fn dd_bytes(bench: &Bench) -> Result<()> {
    let argv = |count: &str| {
        let count = format!("count={count}");
        strings(&["dd", "if=/dev/zero", "of=/dev/null", "bs=1", &count, "status=none"])
    };
    compare(bench, argv, "300000", None)
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Reports both, what of them is for a program that has nothing to do, and by how much ring 0 has less.
///
/// Each runs once before, for what is kept from one run to the next: pages of files, and the engine's images. That run
/// has statistics, which the console's log keeps.
fn compare(bench: &Bench, argv: impl Fn(&str) -> Vec<String>, count: &str, target: Option<Target>) -> Result<()> {
    let (all, nothing) = (argv(count), argv("0"));
    ring0::compare(bench, &bench.name, &all.iter().map(String::as_str).collect::<Vec<_>>())?;
    let engine = strings(&[LAUNCHER, "--engine", RING0, "--cache-dir", "/tmp/images", "--"]);
    let under_engine = |argv: &[String]| [&engine, argv].concat();
    let (native, ring0) = (run(bench, &all)?, run(bench, &under_engine(&all))?);
    report(bench, "native", native)?;
    report(bench, "native_without_work", run(bench, &nothing)?)?;
    report(bench, "ring0", ring0)?;
    report(bench, "ring0_without_work", run(bench, &under_engine(&nothing))?)?;
    let (key, fewer) = ("per_mille_fewer", (native - ring0) * 1000 / native);
    match target {
        Some(target) => report_against(bench, key, fewer, target),
        None => report(bench, key, fewer),
    }
}

/// Instructions of a run.
fn run(bench: &Bench, argv: &[String]) -> Result<i64> {
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
