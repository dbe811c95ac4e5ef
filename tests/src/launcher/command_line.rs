//! The command line: what it prints, how a program is found, how it ends on bad input.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::bench::{Bench, refused};
use crate::runner::process::End;

pub fn help_and_version(bench: &Bench) -> Result<()> {
    let help = bench.run(&["--help"])?;
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    ensure!(help.end == Some(End::Exit(0)), "--help ended with {:?}", help.end);
    for option in ["--engine", "--emulate", "--trace", "--stats", "--perf-map", "--no-follow", "--version"] {
        ensure!(text.contains(option), "--help does not name {option}");
    }
    let version = bench.run(&["--version"])?;
    let text = String::from_utf8_lossy(&version.stdout).into_owned();
    ensure!(version.end == Some(End::Exit(0)), "--version ended with {:?}", version.end);
    ensure!(text.starts_with("bt-run ") && text.lines().count() == 1, "--version printed {text:?}");
    Ok(())
}

pub fn unknown_options(bench: &Bench) -> Result<()> {
    for arguments in [
        &["--no-such-option", "true"][..],
        &["--engine", "no-such-engine", "true"],
        &["--emulate", "nonsense", "true"],
        &["--engine"],
        &[],
    ] {
        let done = bench.run(arguments)?;
        let text = String::from_utf8_lossy(&done.stderr);
        ensure!(matches!(done.end, Some(End::Exit(code)) if code != 0), "{arguments:?} ended with {:?}", done.end);
        ensure!(!text.trim().is_empty() && !text.contains("panicked"), "{arguments:?} printed {text:?}");
    }
    Ok(())
}

pub fn missing_program(bench: &Bench) -> Result<()> {
    for name in ["no-such-program", "./no-such-program", "/no/such/program"] {
        refused(&bench.program(&[], &[name])?, 127, name)?;
    }
    Ok(())
}

pub fn path_search(bench: &Bench) -> Result<()> {
    let done = bench.program(&[], &["sh", "-c", "echo $0 $1", "zero", "one"])?;
    ensure!(done.stdout == b"zero one\n", "sh printed {:?}", String::from_utf8_lossy(&done.stdout));
    // A file of the work directory is not found without a slash, options end at `--`.
    bench.file("sh2", b"#!/bin/sh\necho found\n", 0o755)?;
    refused(&bench.program(&[], &["sh2"])?, 127, "sh2")?;
    let done = bench.program(&[], &["./sh2"])?;
    ensure!(done.stdout == b"found\n", "./sh2 did not run");
    let done = bench.run(&["echo", "--help"])?;
    ensure!(
        done.stdout == b"--help\n" || String::from_utf8_lossy(&done.stdout).contains("Usage: echo"),
        "options after the program are its own"
    );
    Ok(())
}

pub fn trace(bench: &Bench) -> Result<()> {
    let file = bench.work.join("trace");
    let done = bench.program(&[&format!("--trace={}", file.display())], &["echo", "traced"])?;
    ensure!(done.stdout == b"traced\n", "echo did not run");
    let text = fs::read_to_string(&file).context("--trace wrote no file")?;
    ensure!(
        text.lines().any(|line| line.contains("write(1, \"traced\\n\", 7)") && line.trim_end().ends_with("= 7")),
        "no line for the write:\n{text}"
    );
    ensure!(text.contains("exit_group(0)"), "no line for exit_group:\n{text}");
    ensure!(
        text.lines().any(|line| line.contains("openat(AT_FDCWD, \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC)")),
        "no line for openat:\n{text}"
    );
    Ok(())
}

pub fn no_follow(bench: &Bench) -> Result<()> {
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    let done = bench.program(&["--no-follow", &stats], &["sh", "-c", "/bin/echo child; exit 3"])?;
    ensure!(done.end == Some(End::Exit(3)) && done.stdout == b"child\n", "sh ended with {:?}", done.end);
    let text = fs::read_to_string(&file).context("--stats wrote no file")?;
    let started = text.lines().filter(|line| line.contains("\"event\":\"start\"")).count();
    ensure!(started == 1, "{started} images started under the engine, not one:\n{text}");
    Ok(())
}
