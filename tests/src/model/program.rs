//! The program that runs sequences: `tests/model`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::paths;

/// The built program.
pub fn program() -> PathBuf {
    paths::target().join("guests/model")
}

/// Builds the program.
pub fn build() -> Result<()> {
    let directory = paths::sources().join("model");
    let mut sources: Vec<PathBuf> = std::fs::read_dir(&directory)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "c"))
        .collect();
    sources.sort();
    let output = program();
    if let Some(parent) = output.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let done = Command::new("gcc")
        .args(["-O1", "-g", "-Wall", "-Wextra", "-pthread", "-o"])
        .arg(&output)
        .args(&sources)
        .output()
        .context("cannot start gcc")?;
    if !done.status.success() {
        bail!("gcc failed\n{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}
