//! Programs of the host that the machine gets, with what they load.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use bt_tests::paths;

use super::cpio::Archive;

/// A program that cases run.
struct Program {
    command: &'static str,
    package: &'static str,
    /// Files and directories that it reads.
    data: &'static [&'static str],
}

const fn program(command: &'static str, package: &'static str) -> Program {
    Program { command, package, data: &[] }
}

/// The table. What busybox has as an applet is here when a case wants the real one.
const PROGRAMS: &[Program] = &[
    program("bash", "bash"),
    program("busybox", "busybox-static"),
    program("cat", "coreutils"),
    program("cp", "coreutils"),
    program("dash", "dash"),
    program("dd", "coreutils"),
    program("find", "findutils"),
    program("grep", "grep"),
    program("gzip", "gzip"),
    program("head", "coreutils"),
    program("ip", "iproute2"),
    program("ls", "coreutils"),
    program("md5sum", "coreutils"),
    program("modprobe", "kmod"),
    program("nginx", "nginx"),
    Program { command: "perl", package: "perl", data: &["/usr/lib/x86_64-linux-gnu/perl-base"] },
    program("redis-benchmark", "redis-tools"),
    program("redis-cli", "redis-tools"),
    program("redis-server", "redis-server"),
    program("sed", "sed"),
    program("sort", "coreutils"),
    program("sqlite3", "sqlite3"),
    program("strace", "strace"),
    program("tar", "tar"),
    program("true", "coreutils"),
    program("wc", "coreutils"),
    program("wrk", "wrk"),
];

/// Packages of the programs.
pub fn packages() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().map(|program| program.package)
}

/// Adds every program that is installed.
pub fn add_all(archive: &mut Archive) -> Result<()> {
    for program in PROGRAMS {
        let Some(path) = paths::find_command(program.command) else {
            println!("{} is not installed: cases that need it are skipped", program.command);
            continue;
        };
        add_executable(archive, &path, &inside(&path)?)?;
        for data in program.data {
            add_tree(archive, Path::new(data))?;
        }
    }
    Ok(())
}

/// Adds an executable under the path `inside`, and the libraries that it needs where it looks for them.
pub fn add_executable(archive: &mut Archive, path: &Path, inside_path: &str) -> Result<()> {
    add_file(archive, path, inside_path)?;
    for library in libraries(path)? {
        let library = Path::new(&library);
        add_file(archive, library, &inside(library)?)?;
    }
    Ok(())
}

fn add_file(archive: &mut Archive, path: &Path, inside_path: &str) -> Result<()> {
    if archive.has(inside_path) {
        return Ok(());
    }
    let name = || path.display().to_string();
    let permissions = fs::metadata(path).with_context(name)?.permissions().mode() & 0o755;
    archive.file(inside_path, permissions, fs::read(path).with_context(name)?);
    Ok(())
}

fn add_tree(archive: &mut Archive, path: &Path) -> Result<()> {
    if !path.is_dir() {
        return add_file(archive, path, &inside(path)?);
    }
    for entry in fs::read_dir(path)? {
        add_tree(archive, &entry?.path())?;
    }
    Ok(())
}

/// The path in the archive: `/bin` and `/lib` are links there as on the host, the file itself is stored where they
/// lead. The last part is kept: a library is looked up by the name of its link.
fn inside(path: &Path) -> Result<String> {
    let parent = path.parent().context("path without a directory")?;
    let parent = fs::canonicalize(parent).with_context(|| parent.display().to_string())?;
    let path = parent.join(path.file_name().context("path without a name")?);
    Ok(path.to_string_lossy().trim_start_matches('/').to_owned())
}

/// The interpreter and the libraries of an executable, ldd(1); none for a static one.
fn libraries(path: &Path) -> Result<Vec<String>> {
    let done = Command::new("ldd").arg(path).env("LC_ALL", "C").output().context("cannot start ldd")?;
    Ok(String::from_utf8_lossy(&done.stdout).lines().filter_map(library).collect())
}

/// The path in a line `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)` or `/lib64/ld-linux-x86-64.so.2 (0x…)`.
fn library(line: &str) -> Option<String> {
    let line = line.trim();
    let path = line.split_once(" => ").map_or(line, |(_, path)| path);
    let (path, _) = path.split_once(" (0x")?;
    path.starts_with('/').then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::library;

    #[test]
    fn interpreter_and_libraries_are_read() {
        assert_eq!(library("\tlibm.so.6 => /lib/libm.so.6 (0x00007f)").as_deref(), Some("/lib/libm.so.6"));
        assert_eq!(library("\t/lib64/ld-linux-x86-64.so.2 (0x7f)").as_deref(), Some("/lib64/ld-linux-x86-64.so.2"));
        assert_eq!(library("\tlinux-vdso.so.1 (0x00007ffd)"), None);
        assert_eq!(library("\tstatically linked"), None);
    }
}
