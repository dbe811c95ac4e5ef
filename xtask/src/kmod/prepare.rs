//! Makes kernels ready to boot: packages, the module, the file system that the kernel starts with.

use std::path::PathBuf;

use anyhow::{Result, bail};
use bt_tests::packages;

use super::common::Common;
use super::kernels::{Kernel, Unpacked};
use super::{build, drivers, initramfs, programs};
use crate::apt;

/// What building the module takes. libelf and libssl are what the kernel's own programs for it are linked with.
pub const BUILD_PACKAGES: &[&str] = &["gcc-12", "libelf1", "libssl3", "make"];
/// What checking the module's sources takes.
pub const CHECK_PACKAGES: &[&str] = &["sparse"];
/// What booting and the programs in the machine take, besides those of [`programs`].
const BOOT_PACKAGES: &[&str] =
    &["busybox-static", "gcc", drivers::PACKAGE, "libc6-dev", "qemu-system-x86", "util-linux"];

/// Installs what is missing. Without the right to: says how, and fails when something of `required` is missing.
pub fn provide_packages(required: &[&'static str], optional: &[&'static str], no_install: bool) -> Result<()> {
    let missing = packages::missing(&[required, optional].concat());
    if missing.is_empty() {
        return Ok(());
    }
    if !no_install && apt::may_install() {
        println!("installing {}", missing.join(" "));
        return apt::install(&missing);
    }
    if !packages::missing(required).is_empty() {
        bail!("packages are missing. To install them:\n  {}", apt::line(&missing));
    }
    println!("Cases that need missing packages are skipped. To run them:\n  {}", apt::line(&missing));
    Ok(())
}

/// A kernel with the file system that it starts with.
pub struct Prepared {
    /// The kernel.
    pub kernel: Unpacked,
    /// The file system.
    pub initramfs: PathBuf,
}

/// Makes everything ready to boot that is the same for all kernels.
pub fn prepare(common: &Common) -> Result<()> {
    let required = [BUILD_PACKAGES, BOOT_PACKAGES].concat();
    let optional: Vec<&'static str> = programs::packages().collect();
    provide_packages(&required, &optional, common.no_install)?;
    initramfs::build_parts()
}

/// Makes one kernel ready to boot.
pub fn prepare_kernel(kernel: &Kernel, common: &Common) -> Result<Prepared> {
    let kernel = kernel.fetch()?;
    let module = build::build(&kernel, &common.sources())?;
    let initramfs = initramfs::compose(&kernel, &module)?;
    Ok(Prepared { kernel, initramfs })
}
