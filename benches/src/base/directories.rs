//! Where cargo puts what it makes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The directory in which cargo put this program's profile: `target` in most cases.
///
/// # Errors
/// The kernel does not say where this program is.
pub(crate) fn target() -> Result<PathBuf> {
    let program = std::env::current_exe().context("own path")?;
    let directory = program.parent().and_then(Path::parent);
    Ok(directory.context("own path has no directory")?.to_owned())
}
