//! Builds the module for an unpacked kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use bt_tests::paths;

use super::kernels::{ELSEWHERE, Unpacked};
use super::output::output_directory;
use super::section;

/// Where the module's sources are.
pub fn sources() -> PathBuf {
    paths::workspace().join("kmod-shim/module")
}

/// Builds the module from `sources` with every warning an error; returns its file.
pub fn build(kernel: &Unpacked, sources: &Path) -> Result<PathBuf> {
    let directory = fresh_copy(sources, "build", kernel)?;
    // No BTF: it needs pahole and the kernel's own vmlinux, which the headers do not have.
    let text = make(kernel, &directory, &["W=1", "KCFLAGS=-Werror", "CONFIG_DEBUG_INFO_BTF_MODULES="])?;
    if text.lines().any(is_warning) {
        bail!("the module builds with warnings for {}\n{text}", kernel.release);
    }
    let file = directory.join("btshim.ko");
    let mut elf = fs::read(&file).with_context(|| file.display().to_string())?;
    if section::make_executable(&mut elf, section::CODE_AREA).context("btshim.ko")?.is_some() {
        fs::write(&file, elf)?;
    }
    Ok(file)
}

/// Lines that sparse prints about `sources`; what it says about the kernel's headers is left out.
pub fn check(kernel: &Unpacked, sources: &Path) -> Result<Vec<String>> {
    let directory = fresh_copy(sources, "sparse", kernel)?;
    let text = make(kernel, &directory, &["C=2", "CHECK=sparse", "CONFIG_DEBUG_INFO_BTF_MODULES="])?;
    let prefix = format!("{}/", directory.display());
    Ok(text.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).map(str::to_owned).collect())
}

fn make(kernel: &Unpacked, directory: &Path, variables: &[&str]) -> Result<String> {
    let done = Command::new("make")
        .arg("-C")
        .arg(&kernel.headers)
        .arg(format!("M={}", directory.display()))
        .arg("-j2")
        // Debian's were built with it; another kernel's Makefile knows better.
        .args((kernel.name != ELSEWHERE).then_some("CC=gcc-12"))
        .args(variables)
        .arg("modules")
        // Of a make that has started this one.
        .env_remove("MAKEFLAGS")
        .env("LC_ALL", "C")
        .output()
        .context("cannot start make")?;
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    if !done.status.success() {
        bail!("the module does not build for {}\n{text}", kernel.release);
    }
    Ok(text)
}

/// The compiler's, modpost's and objtool's way to complain.
fn is_warning(line: &str) -> bool {
    line.to_ascii_lowercase().contains("warning:")
}

/// Copies the sources: kbuild writes beside them, and every kernel wants its own objects.
fn fresh_copy(sources: &Path, purpose: &str, kernel: &Unpacked) -> Result<PathBuf> {
    if !sources.join("Kbuild").exists() {
        bail!("{} has no Kbuild", sources.display());
    }
    let directory = output_directory().join(purpose).join(kernel.name);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    copy_tree(sources, &directory)?;
    Ok(directory)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_warning;

    #[test]
    fn warnings_of_every_tool_are_seen() {
        assert!(is_warning("main.c:3:1: warning: unused variable 'x'"));
        assert!(is_warning("WARNING: modpost: missing MODULE_DESCRIPTION() in btshim.o"));
        assert!(is_warning("btshim.o: warning: objtool: bt_enter+0x1: call without frame pointer save/setup"));
        assert!(!is_warning("  CC [M]  main.o"));
    }
}
