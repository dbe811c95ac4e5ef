//! Under limits of memory (setrlimit(2)) a program runs, or one line says why it does not.

use std::process::Command;

use anyhow::{Result, ensure};

use super::bench::Bench;
use crate::paths;
use crate::runner::launch::options_of;
use crate::runner::process::{self, End, Finished};

const SHELL: &[&str] = &["sh", "-c", "echo ok; ls /etc/hostname"];
const PYTHON: &[&str] = &["/usr/bin/python3", "-c", "import json; print(json.dumps([1]))"];

/// Runs a program after `ulimit` in a shell, with the launcher between them if `launched`.
fn limited(bench: &Bench, ulimit: &str, program: &[&str], launched: bool) -> Result<Finished> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {ulimit} && exec \"$@\""), "sh"]).current_dir(&bench.work);
    if launched {
        command.arg(paths::launcher()).args(options_of(&bench.pass)).arg("--");
    }
    command.args(program);
    process::fix_environment(&mut command, &bench.work);
    process::run(&mut command, None, &bench.logs, "limited", bench.limit)
}

/// Where it runs natively it runs, or ends as what finds no memory does: with a line, and no error of ours.
fn runs_or_tells(bench: &Bench, ulimit: &str, program: &[&str]) -> Result<()> {
    let native = limited(bench, ulimit, program, false)?;
    if native.end != Some(End::Exit(0)) {
        return Ok(());
    }
    let done = limited(bench, ulimit, program, true)?;
    let text = String::from_utf8_lossy(&done.stderr);
    ensure!(!text.contains("internal error") && !text.contains("panicked"), "ulimit {ulimit}, {program:?}: {text}");
    match done.end {
        Some(End::Exit(0)) => ensure!(done.stdout == native.stdout, "ulimit {ulimit}, {program:?}: other output"),
        Some(End::Exit(_)) => ensure!(!text.is_empty(), "ulimit {ulimit}, {program:?}: not a word"),
        end => anyhow::bail!("ulimit {ulimit}, {program:?}: ended with {end:?}: {text}"),
    }
    Ok(())
}

/// It runs as natively.
fn runs(bench: &Bench, ulimit: &str, program: &[&str]) -> Result<()> {
    let native = limited(bench, ulimit, program, false)?;
    ensure!(native.end == Some(End::Exit(0)), "ulimit {ulimit}, {program:?}: natively {:?}", native.end);
    let done = limited(bench, ulimit, program, true)?;
    let text = String::from_utf8_lossy(&done.stderr);
    ensure!(done.end == Some(End::Exit(0)), "ulimit {ulimit}, {program:?}: ended with {:?}: {text}", done.end);
    ensure!(done.stdout == native.stdout, "ulimit {ulimit}, {program:?}: other output: {text}");
    Ok(())
}

/// Address space.
pub fn address_space(bench: &Bench) -> Result<()> {
    for kib in [2700, 3000, 3300, 3600, 4000, 5000, 6000, 8000, 12_000, 16_000] {
        runs_or_tells(bench, &format!("-v {kib}"), SHELL)?;
    }
    for kib in [18_000, 22_000, 26_000, 30_000] {
        runs_or_tells(bench, &format!("-v {kib}"), PYTHON)?;
    }
    for kib in [24_000, 40_000, 70_000, 100_000, 140_000] {
        runs(bench, &format!("-v {kib}"), SHELL)?;
        runs(bench, &format!("-v {}", 2 * kib), PYTHON)?;
    }
    Ok(())
}

/// Data: none of bt-run's is the program's.
pub fn data(bench: &Bench) -> Result<()> {
    for kib in [1000, 1500, 2500, 5000, 20_000] {
        runs(bench, &format!("-d {kib}"), SHELL)?;
        runs(bench, "-d unlimited", &["sh", "-c", &format!("ulimit -d {kib}; echo ok; ls /etc/hostname")])?;
    }
    // Less than bt-run itself begins with: natively.
    for kib in [500, 700] {
        runs(bench, "-d unlimited", &["sh", "-c", &format!("ulimit -d {kib}; echo ok; ls /etc/hostname")])?;
    }
    for kib in [6000, 10_000, 20_000] {
        runs(bench, &format!("-d {kib}"), PYTHON)?;
    }
    Ok(())
}

/// Locked memory of a user who locks everything, now and later.
pub fn locked_memory(bench: &Bench) -> Result<()> {
    let source = "import ctypes, os\n\
        if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n\
        libc = ctypes.CDLL(None)\n\
        print(libc.mlockall(2))\n\
        import json\n\
        print(len(json.dumps(list(range(1000)))))\n";
    for kib in [500, 2000, 8000] {
        runs_or_tells(bench, &format!("-l {kib}"), &["/usr/bin/python3", "-c", source])?;
    }
    Ok(())
}
