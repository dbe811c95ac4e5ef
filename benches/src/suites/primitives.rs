//! Builds the driver of single operations, `drivers/primitives.c`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::programs;

const SOURCE: &str = include_str!("../../drivers/primitives.c");

/// The driver; `None` where gcc is not installed.
///
/// # Errors
/// It does not build.
pub fn build(scratch: &Path) -> Result<Option<PathBuf>> {
    let Some(gcc) = programs::find("gcc") else {
        return Ok(None);
    };
    let (source, program) = (scratch.join("primitives.c"), scratch.join("primitives"));
    std::fs::write(&source, SOURCE).with_context(|| source.display().to_string())?;
    let done = Command::new(gcc)
        .args(["-O2", "-fno-inline", "-fno-optimize-sibling-calls", "-o"])
        .arg(&program)
        .arg(&source)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .context("gcc")?;
    if !done.status.success() {
        let errors = String::from_utf8_lossy(&done.stderr);
        bail!("primitives.c does not build (is libc6-dev installed?): {}", errors.trim());
    }
    Ok(Some(program))
}
