//! The module itself: loading, its device node, unloading.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};

use anyhow::{Context as _, Result, bail};

use crate::command::Bench;
use crate::kmsg::Mark;
use crate::module;

/// The module loads and brings a device node that only root may open.
pub fn loads(_: &Bench) -> Result<()> {
    module::ensure_unloaded()?;
    let mut log = Mark::now()?;
    module::load()?;
    println!("{}", log.lines()?.join("\n"));
    let line = module::proc_line()?.context("/proc/modules does not name the module")?;
    println!("{line}");
    let meta = fs::metadata(module::DEVICE).context(module::DEVICE)?;
    let mode = meta.permissions().mode() & 0o7777;
    if !meta.file_type().is_char_device() || mode != 0o600 {
        bail!("{} is not a character device of mode 0600, its mode is {mode:o}", module::DEVICE);
    }
    Ok(())
}

/// The module unloads, also several times, and leaves neither name nor node.
pub fn unloads(_: &Bench) -> Result<()> {
    for _ in 0..3 {
        module::ensure_loaded()?;
        module::unload()?;
        if let Some(line) = module::proc_line()? {
            bail!("/proc/modules still has {line}");
        }
        if module::has_device() {
            bail!("{} is still there", module::DEVICE);
        }
    }
    Ok(())
}
