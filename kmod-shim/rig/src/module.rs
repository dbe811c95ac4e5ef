//! Loads and unloads the module under test.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use nix::kmod::{DeleteModuleFlags, ModuleInitFlags, delete_module, finit_module};

use crate::kmsg::Mark;

/// Name of the module.
pub const NAME: &str = "btshim";
/// Its file in the initramfs.
pub const FILE: &str = "/bt/btshim.ko";
/// Its device node.
pub const DEVICE: &str = "/dev/btshim";

/// The line of `/proc/modules`: name, size, use count, users, state, address, taints.
pub fn proc_line() -> Result<Option<String>> {
    let text = fs::read_to_string("/proc/modules").context("/proc/modules")?;
    Ok(text.lines().find(|line| line.split(' ').next() == Some(NAME)).map(str::to_owned))
}

/// Loads the module, insmod(8).
pub fn load() -> Result<()> {
    let mut mark = Mark::now()?;
    let file = File::open(FILE).context(FILE)?;
    if let Err(error) = finit_module(&file, c"", ModuleInitFlags::empty()) {
        bail!("{FILE} does not load: {error}\n{}", mark.lines()?.join("\n"));
    }
    Ok(())
}

/// Loads the module unless it is loaded.
pub fn ensure_loaded() -> Result<()> {
    if proc_line()?.is_none() { load() } else { Ok(()) }
}

/// Unloads the module, rmmod(8); an error when somebody uses it.
pub fn unload() -> Result<()> {
    if let Err(error) = delete_module(c"btshim", DeleteModuleFlags::O_NONBLOCK) {
        bail!("{NAME} does not unload: {error} ({})", proc_line()?.unwrap_or_default());
    }
    Ok(())
}

/// Unloads the module when it is loaded.
pub fn ensure_unloaded() -> Result<()> {
    if proc_line()?.is_some() { unload() } else { Ok(()) }
}

/// Whether the device node is there.
pub fn has_device() -> bool {
    Path::new(DEVICE).exists()
}
