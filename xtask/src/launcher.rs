//! The launcher under test.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use bt_tests::paths;

/// Builds the launcher, unless `$BT_RUN` names one.
pub fn build_launcher() -> Result<()> {
    if std::env::var_os("BT_RUN").is_none() {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "-p", "bt-run"])
            .current_dir(paths::workspace())
            .status()
            .context("cannot start cargo")?;
        if !status.success() {
            bail!("bt-run does not build");
        }
    }
    let launcher = paths::launcher();
    if !launcher.exists() {
        bail!("{} does not exist", launcher.display());
    }
    Ok(())
}
