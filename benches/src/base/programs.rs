//! Finding the distribution's programs, and the one line that installs those that are missing.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where programs are looked for and what they see as PATH: the distribution's own, not the
/// user's wrappers.
pub(crate) const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

/// A program and the Debian package that brings it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// File name, `cc1` being looked up by gcc.
    pub name: &'static str,
    /// Debian package.
    pub package: &'static str,
}

/// The programs of this benchmark.
#[rustfmt::skip]
pub(crate) const ALL: &[Program] = &[
    Program { name: "xz",        package: "xz-utils" },
    Program { name: "gzip",      package: "gzip" },
    Program { name: "bzip2",     package: "bzip2" },
    Program { name: "zstd",      package: "zstd" },
    Program { name: "sha512sum", package: "coreutils" },
    Program { name: "sort",      package: "coreutils" },
    Program { name: "true",      package: "coreutils" },
    Program { name: "grep",      package: "grep" },
    Program { name: "gcc",       package: "gcc" },
    Program { name: "cc1",       package: "gcc" },
    Program { name: "sqlite3",   package: "sqlite3" },
    Program { name: "python3",   package: "python3" },
    Program { name: "perl",      package: "perl" },
    Program { name: "lua5.4",    package: "lua5.4" },
    Program { name: "bash",      package: "bash" },
    Program { name: "node",      package: "nodejs" },
    Program { name: "dd",        package: "coreutils" },
    Program { name: "tar",       package: "tar" },
    Program { name: "sed",       package: "sed" },
    Program { name: "dash",      package: "dash" },
    Program { name: "busybox",   package: "busybox" },
];

/// What only some suites of `run` need.
#[rustfmt::skip]
pub(crate) const OTHERS: &[Program] = &[
    Program { name: "make",         package: "make" },
    Program { name: "ar",           package: "binutils" },
    Program { name: "awk",          package: "gawk" },
    Program { name: "find",         package: "findutils" },
    Program { name: "xargs",        package: "findutils" },
    Program { name: "uniq",         package: "coreutils" },
    Program { name: "seq",          package: "coreutils" },
    Program { name: "wc",           package: "coreutils" },
    Program { name: "zcat",         package: "gzip" },
    Program { name: "nginx",        package: "nginx-light" },
    Program { name: "lighttpd",     package: "lighttpd" },
    Program { name: "apache2",      package: "apache2" },
    Program { name: "redis-server", package: "redis-server" },
    Program { name: "memcached",    package: "memcached" },
    Program { name: "valgrind",     package: "valgrind" },
    Program { name: "qemu-x86_64",  package: "qemu-user" },
    Program { name: "strace",       package: "strace" },
    Program { name: "proot",        package: "proot" },
    Program { name: "mono",         package: "mono-runtime" },
    Program { name: "mcs",          package: "mono-mcs" },
    Program { name: "ghc",          package: "ghc" },
    Program { name: "rustc",        package: "rustc" },
    Program { name: "cargo",        package: "cargo" },
    Program { name: "postgres",     package: "postgresql" },
    Program { name: "setpriv",      package: "util-linux" },
    Program { name: "dpkg",         package: "dpkg" },
    Program { name: "dpkg-query",   package: "dpkg" },
    Program { name: "sshd",         package: "openssh-server" },
    Program { name: "ssh-keygen",   package: "openssh-client" },
];

/// The path of a program.
#[must_use]
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    match name {
        "cc1" => find_cc1(),
        "postgres" => find_postgres(),
        _ => find_in(PATH, name),
    }
}

/// The path of a program on a PATH.
#[must_use]
pub(crate) fn find_in(path: &str, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|directory| directory.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Of several versions the last.
fn find_postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin/postgres")).collect();
    found.sort();
    found.into_iter().rev().find(|file| is_executable(file))
}

fn find_cc1() -> Option<PathBuf> {
    let output = Command::new(find_in(PATH, "gcc")?).arg("-print-prog-name=cc1").stderr(Stdio::null()).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    is_executable(&path).then_some(path)
}

/// The command that installs what is missing.
#[must_use]
pub(crate) fn apt_line(missing: &[&str]) -> String {
    let packages: BTreeSet<&str> = ALL
        .iter()
        .chain(OTHERS)
        .filter(|program| missing.contains(&program.name))
        .map(|program| program.package)
        .collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    format!("sudo apt-get install --no-install-recommends {}", packages.join(" "))
}

/// The first line that a program says about its version.
#[must_use]
pub(crate) fn version(name: &str) -> Option<String> {
    let argument = match name {
        "lua5.4" => "-v",
        "busybox" => "--help",
        // It has no such option, and an error with a digit in it.
        "dash" => return None,
        _ => "--version",
    };
    let output = Command::new(find(name)?).arg(argument).env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    first_line_with_digit(&output.stdout).or_else(|| first_line_with_digit(&output.stderr))
}

/// The same of a program at a path that takes `--version`.
#[must_use]
pub(crate) fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| first_line_with_digit(&output.stdout)).flatten()
}

fn first_line_with_digit(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| line.bytes().any(|byte| byte.is_ascii_digit()))?;
    Some(line.chars().take(100).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apt_line_names_each_package_once() {
        assert_eq!(
            apt_line(&["sort", "sha512sum", "node"]),
            "sudo apt-get install --no-install-recommends coreutils nodejs"
        );
    }

    #[test]
    fn version_is_the_first_line_with_a_digit() {
        assert_eq!(first_line_with_digit(b"\nThis is\nperl 5, version 36\n").as_deref(), Some("perl 5, version 36"));
        assert_eq!(first_line_with_digit(b"none\n"), None);
    }

    #[test]
    fn directories_are_not_programs() {
        assert_eq!(find_in("/", "usr"), None);
        assert!(find_in(PATH, "sh").is_some());
    }
}
