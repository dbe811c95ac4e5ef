//! Compiles guests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::paths;

/// How one variant of a guest is built.
#[derive(Clone, Debug)]
pub struct Build {
    pub(super) source: PathBuf,
    pub(super) flags: Vec<String>,
    pub(super) output: PathBuf,
    pub(super) parts: Vec<Part>,
}

/// Another file that a guest needs.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) source: PathBuf,
    pub(super) flags: Vec<String>,
    pub(super) output: PathBuf,
}

impl Build {
    /// Whether it prints what it found; assembly has an exit code only.
    pub fn prints(&self) -> bool {
        self.source.extension().is_some_and(|kind| kind != "S")
    }

    /// Compiles unless the output is newer than the sources.
    pub fn compile(&self) -> Result<()> {
        for part in &self.parts {
            compile(&part.source, &part.flags, &part.output)?;
        }
        compile(&self.source, &self.flags, &self.output)
    }
}

fn compile(source: &Path, flags: &[String], output: &Path) -> Result<()> {
    let common = paths::sources().join("guests");
    let stamp = output.with_extension(format!("{}.flags", output.extension().unwrap_or_default().display()));
    let line = flags.join(" ");
    let built = output.metadata().and_then(|meta| meta.modified()).ok();
    // Headers lie beside the source and one directory up.
    let directories = [Some(common.as_path()), source.parent()];
    let newest = directories
        .into_iter()
        .flatten()
        .flat_map(|directory| fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()))
        .filter(|path| path == source || path.extension().is_some_and(|kind| kind == "h"))
        .filter_map(|path| path.metadata().and_then(|meta| meta.modified()).ok())
        .max();
    if built.is_some() && built > newest && fs::read_to_string(&stamp).is_ok_and(|known| known == line) {
        return Ok(());
    }
    if let Some(directory) = output.parent() {
        fs::create_dir_all(directory)?;
    }
    let compiler = if source.extension().is_some_and(|kind| kind == "cc") { "g++" } else { "gcc" };
    let done = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-g", "-I"])
        .arg(&common)
        .arg("-o")
        .arg(output)
        .arg(source)
        .args(flags)
        .output()
        .with_context(|| format!("cannot start {compiler}"))?;
    if !done.status.success() {
        bail!("{compiler} failed\n{}", String::from_utf8_lossy(&done.stderr));
    }
    fs::write(stamp, line)?;
    Ok(())
}
