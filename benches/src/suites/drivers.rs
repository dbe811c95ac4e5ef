//! Builds the drivers: small C programs that measure themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::base::programs;

/// A driver: its name, its source and gcc's options.
struct Driver {
    name: &'static str,
    text: &'static str,
    options: &'static [&'static str],
}

#[rustfmt::skip]
const ALL: &[Driver] = &[
    Driver { name: "singularity",     text: include_str!("../../drivers/singularity.c"), options: &["-pthread"] },
    Driver { name: "vmware",          text: include_str!("../../drivers/vmware.c"),      options: &[] },
    Driver { name: "switch",          text: include_str!("../../drivers/switch.c"),      options: &["-pthread"] },
    Driver { name: "interpose",       text: include_str!("../../drivers/interpose.c"),   options: &[] },
    Driver { name: "load",            text: include_str!("../../drivers/load.c"),        options: &[] },
    Driver { name: "nothing-bare",    text: include_str!("../../drivers/bare.c"),        options: &["-static", "-nostdlib"] },
    Driver { name: "nothing-dynamic", text: include_str!("../../drivers/nothing.c"),     options: &[] },
    Driver { name: "nothing-static",  text: include_str!("../../drivers/nothing.c"),     options: &["-static"] },
    Driver { name: "calls",           text: include_str!("../../drivers/calls.c"),       options: &[] },
    Driver { name: "noted",           text: include_str!("../../drivers/noted.c"),       options: &["-pthread"] },
    Driver { name: "pieces",          text: include_str!("../../drivers/pieces.c"),      options: &["-pthread"] },
    Driver { name: "primitives",      text: include_str!("../../drivers/primitives.c"),  options: &["-fno-inline", "-fno-optimize-sibling-calls"] },
];

/// What they include.
const HEADER: &str = include_str!("../../drivers/measure.h");

/// The source of a driver.
#[cfg(test)]
#[must_use]
pub(crate) fn source(name: &str) -> Option<&'static str> {
    Some(ALL.iter().find(|driver| driver.name == name)?.text)
}

/// The drivers that are in `directory`.
#[must_use]
pub(crate) fn built_in(directory: &Path) -> BTreeMap<&'static str, PathBuf> {
    let paths = ALL.iter().map(|driver| (driver.name, directory.join(driver.name)));
    paths.filter(|(_, path)| path.is_file()).collect()
}

/// Builds every driver into `directory`.
///
/// # Errors
/// One does not build.
pub(crate) fn build_all(directory: &Path) -> Result<ExitCode> {
    std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for driver in ALL {
        if build(directory, driver.name)?.is_none() {
            bail!("gcc is not installed: {}", programs::apt_line(&["gcc"]));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds a driver by its name in `scratch`; `None` where gcc is not installed.
///
/// # Errors
/// There is no such driver, or it does not build.
pub fn build(scratch: &Path, name: &str) -> Result<Option<PathBuf>> {
    let driver = ALL.iter().find(|driver| driver.name == name).with_context(|| format!("no driver {name}"))?;
    let header = scratch.join("measure.h");
    std::fs::write(&header, HEADER).with_context(|| header.display().to_string())?;
    compile(scratch, driver.name, driver.text, driver.options)
}

fn compile(scratch: &Path, name: &str, text: &str, options: &[&str]) -> Result<Option<PathBuf>> {
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
