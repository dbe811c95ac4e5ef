//! Builds the drivers: small C programs that measure themselves.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::programs;

/// The driver of single operations; `None` where gcc is not installed.
///
/// # Errors
/// It does not build.
pub fn primitives(scratch: &Path) -> Result<Option<PathBuf>> {
    let source = include_str!("../../drivers/primitives.c");
    build(scratch, "primitives", source, &["-fno-inline", "-fno-optimize-sibling-calls"])
}

/// The driver of system calls in loops; `None` where gcc is not installed.
///
/// # Errors
/// It does not build.
pub fn calls(scratch: &Path) -> Result<Option<PathBuf>> {
    build(scratch, "calls", include_str!("../../drivers/calls.c"), &[])
}

fn build(scratch: &Path, name: &str, text: &str, options: &[&str]) -> Result<Option<PathBuf>> {
    let Some(gcc) = programs::find("gcc") else {
        return Ok(None);
    };
    let (source, program) = (scratch.join(format!("{name}.c")), scratch.join(name));
    std::fs::write(&source, text).with_context(|| source.display().to_string())?;
    let done = Command::new(gcc)
        .arg("-O2")
        .args(options)
        .arg("-o")
        .arg(&program)
        .arg(&source)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .context("gcc")?;
    if !done.status.success() {
        let errors = String::from_utf8_lossy(&done.stderr);
        bail!("{name}.c does not build (is libc6-dev installed?): {}", errors.trim());
    }
    Ok(Some(program))
}
