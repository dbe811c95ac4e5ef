//! The kernel's own modules that cases load, with modprobe(8).

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::cpio::Archive;
use super::kernels::Unpacked;

/// Package of depmod(8) and modprobe(8).
pub const PACKAGE: &str = "kmod";

/// Modules by name, without those that they depend on: IPsec with AES in vector registers, and where that has its
/// random numbers from. Where one of them is built in, it is not a file.
const MODULES: &[&str] = &[
    "aesni-intel",
    "crypto_null",
    "ctr",
    "drbg",
    "esp4",
    "gcm",
    "ghash-generic",
    "jitterentropy_rng",
    "seqiv",
    "sha512_generic",
    "xfrm_user",
];

/// Adds [`MODULES`], what they depend on, and the lists that modprobe(8) reads.
pub fn add_all(archive: &mut Archive, kernel: &Unpacked) -> Result<()> {
    let directory = &kernel.modules;
    let inside = format!("usr/lib/modules/{}", kernel.release);
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("modules.") {
            archive.file(&format!("{inside}/{}", name.to_string_lossy()), 0o644, fs::read(entry.path())?);
        }
    }
    let list = fs::read_to_string(directory.join("modules.dep")).context("modules.dep")?;
    for file in list.lines().filter_map(files_of_wanted).flatten() {
        let path = format!("{inside}/{file}");
        if !archive.has(&path) {
            archive.file(&path, 0o644, fs::read(directory.join(file)).with_context(|| file.to_owned())?);
        }
    }
    Ok(())
}

/// The files of a line `FILE: FILE...` of modules.dep if the first is one of [`MODULES`].
fn files_of_wanted(line: &str) -> Option<impl Iterator<Item = &str>> {
    let (file, others) = line.split_once(':')?;
    let (_, name) = file.rsplit_once('/')?;
    let (name, _) = name.split_once(".ko")?;
    MODULES.contains(&name).then(|| std::iter::once(file).chain(others.split_ascii_whitespace()))
}

/// Makes the lists that the package's installation would make, depmod(8).
pub fn list(kernel: &Unpacked) -> Result<()> {
    if kernel.modules.join("modules.dep").exists() {
        return Ok(());
    }
    let base = kernel.modules.ancestors().nth(3).context("directory of modules")?;
    let done =
        Command::new("depmod").arg("-b").arg(base).arg(&kernel.release).output().context("cannot start depmod")?;
    if !done.status.success() {
        bail!("depmod failed\n{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::files_of_wanted;

    #[test]
    fn a_module_comes_with_what_it_depends_on() {
        let files: Vec<&str> =
            files_of_wanted("kernel/net/esp4.ko.xz: kernel/a.ko.xz kernel/b.ko.xz").unwrap().collect();
        assert_eq!(files, ["kernel/net/esp4.ko.xz", "kernel/a.ko.xz", "kernel/b.ko.xz"]);
        assert!(files_of_wanted("kernel/net/esp4_offload.ko: kernel/net/esp4.ko").is_none());
    }
}
