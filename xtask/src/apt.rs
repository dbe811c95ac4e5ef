//! Installs Debian packages without starting the servers they bring.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// What was at [`POLICY`] before; put back when dropped.
struct PolicyGuard {
    before: Option<(Vec<u8>, fs::Permissions)>,
}

impl PolicyGuard {
    /// Forbids maintainer scripts to start services: 101 is "action not allowed".
    fn install() -> Result<Self> {
        let before = match fs::read(POLICY) {
            Ok(text) => Some((text, fs::metadata(POLICY)?.permissions())),
            Err(_) => None,
        };
        let guard = Self { before };
        fs::write(POLICY, "#!/bin/sh\nexit 101\n").context(POLICY)?;
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        Ok(guard)
    }

    fn restore(&self) -> std::io::Result<()> {
        match &self.before {
            None => fs::remove_file(POLICY),
            Some((text, permissions)) => {
                fs::write(POLICY, text)?;
                fs::set_permissions(POLICY, permissions.clone())
            }
        }
    }
}

impl Drop for PolicyGuard {
    fn drop(&mut self) {
        if let Err(error) = self.restore() {
            eprintln!("warning: {POLICY} was not restored: {error}");
        }
    }
}

/// The line that a user types.
pub fn line(packages: &[&str]) -> String {
    format!("sudo apt-get install --no-install-recommends {}", packages.join(" "))
}

/// Installs `packages`; needs root.
pub fn install(packages: &[&str]) -> Result<()> {
    let _policy = PolicyGuard::install()?;
    update()?;
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
    arguments.extend_from_slice(packages);
    apt(&arguments)
}

/// Reads the lists of packages anew; needs root.
pub fn update() -> Result<()> {
    apt(&["update", "-q"])
}

fn apt(arguments: &[&str]) -> Result<()> {
    let done = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .context("cannot start apt-get")?;
    if !done.status.success() {
        bail!("apt-get {} failed\n{}", arguments.join(" "), String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

/// Whether this process may install packages.
pub fn may_install() -> bool {
    // The owner of a process's directory is its effective user.
    std::os::unix::fs::MetadataExt::uid(&match fs::metadata("/proc/self") {
        Ok(meta) => meta,
        Err(_) => return false,
    }) == 0
        && Path::new("/usr/bin/apt-get").exists()
}
