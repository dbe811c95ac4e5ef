//! The programs of `tests/mutants`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::paths;

const PLAIN: [&str; 5] =
    ["-O1", "-nostdlib", "-fno-stack-protector", "-fasynchronous-unwind-tables", "-Wl,--build-id=sha1"];
/// Names of the programs that are mutated, and what makes them so.
const BASES: [(&str, &[&str]); 3] = [
    ("tiny.static", &["-static", "-fno-pie", "-no-pie"]),
    ("tiny.static-pie", &["-static-pie", "-fpie"]),
    ("tiny.dynamic", &["-fpie", "-pie", "-DRELOCATED"]),
];

fn place(name: &str) -> PathBuf {
    paths::target().join("guests/mutants").join(name)
}

/// The program that executes mutants.
pub fn batch() -> PathBuf {
    place("batch")
}

/// The bytes of the programs that are mutated.
pub fn bases() -> Result<Vec<Vec<u8>>> {
    BASES.iter().map(|(name, _)| std::fs::read(place(name)).with_context(|| (*name).to_owned())).collect()
}

/// Builds them.
pub fn build() -> Result<()> {
    let directory = paths::sources().join("mutants");
    std::fs::create_dir_all(place(""))?;
    for (name, flags) in BASES {
        gcc(&[&PLAIN, flags].concat(), &directory.join("tiny.c"), &place(name))?;
    }
    gcc(&["-O1", "-Wall", "-Wextra", "-static"], &directory.join("batch.c"), &batch())
}

fn gcc(flags: &[&str], source: &std::path::Path, output: &std::path::Path) -> Result<()> {
    let done =
        Command::new("gcc").args(flags).arg("-o").arg(output).arg(source).output().context("cannot start gcc")?;
    if !done.status.success() {
        bail!("gcc failed\n{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}
