//! The Debian packages that tests need, and how to see that one is there.

use crate::paths::find_command;

/// A package and the file or command that proves it.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// Name for apt.
    pub name: &'static str,
    /// A command, or a file when it begins with `/`.
    pub proof: &'static str,
}

/// Every package that some test names.
pub const PACKAGES: &[Package] = &[
    package("apache2", "apache2"),
    package("bash", "bash"),
    package("binutils", "ld"),
    package("bubblewrap", "bwrap"),
    package("busybox-static", "busybox"),
    package("bzip2", "bzip2"),
    package("chromium", "chromium"),
    package("coreutils", "ls"),
    package("crun", "crun"),
    package("dash", "dash"),
    package("diffutils", "diff"),
    package("e2fsprogs", "mkfs.ext4"),
    package("erlang-base", "erl"),
    package("findutils", "find"),
    package("firefox-esr", "firefox-esr"),
    package("g++", "g++"),
    package("gawk", "gawk"),
    package("gcc", "gcc"),
    package("gcc-12", "gcc-12"),
    package("git", "git"),
    package("golang-go", "go"),
    package("grep", "grep"),
    package("gzip", "gzip"),
    package("haproxy", "haproxy"),
    package("iproute2", "ip"),
    package("kmod", "modprobe"),
    package("libc6-dev", "/usr/include/stdio.h"),
    package("libelf1", "/usr/lib/x86_64-linux-gnu/libelf.so.1"),
    package("libssl3", "/usr/lib/x86_64-linux-gnu/libssl.so.3"),
    package("lua5.4", "lua5.4"),
    package("luajit", "luajit"),
    package("make", "make"),
    package("man-db", "man"),
    package("memcached", "memcached"),
    package("mono-mcs", "mcs"),
    package("mono-runtime", "mono"),
    package("mount", "losetup"),
    package("nginx", "nginx"),
    package("nodejs", "node"),
    package("openjdk-17-jdk-headless", "javac"),
    package("openssh-client", "ssh-keygen"),
    package("openssh-server", "sshd"),
    package("openssl", "openssl"),
    package("perl", "perl"),
    package("php-cli", "php"),
    package("postgresql-15", "/usr/lib/postgresql/15/bin/pgbench"),
    package("procps", "ps"),
    package("python3", "python3"),
    package("qemu-system-x86", "qemu-system-x86_64"),
    package("redis-server", "redis-server"),
    package("redis-tools", "redis-benchmark"),
    package("runc", "runc"),
    package("sbcl", "sbcl"),
    package("sed", "sed"),
    package("sparse", "sparse"),
    package("sqlite3", "sqlite3"),
    package("strace", "strace"),
    package("tar", "tar"),
    package("util-linux", "unshare"),
    package("valgrind", "valgrind"),
    package("wrk", "wrk"),
    package("xz-utils", "xz"),
    package("zstd", "zstd"),
];

const fn package(name: &'static str, proof: &'static str) -> Package {
    Package { name, proof }
}

impl Package {
    /// Whether it can be used.
    pub fn is_there(self) -> bool {
        if self.proof.starts_with('/') {
            std::path::Path::new(self.proof).exists()
        } else {
            find_command(self.proof).is_some()
        }
    }
}

/// Those of `names` that are not there. A name that is not in the table counts as missing.
pub fn missing(names: &[&'static str]) -> Vec<&'static str> {
    let mut missing: Vec<_> = names
        .iter()
        .copied()
        .filter(|&name| !PACKAGES.iter().any(|package| package.name == name && package.is_there()))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

#[cfg(test)]
mod tests {
    use super::{PACKAGES, missing};

    #[test]
    fn table_is_sorted_and_without_repeats() {
        assert!(PACKAGES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn every_named_package_is_in_the_table() {
        for test in crate::all_tests(crate::extent::Extent::Whole).expect("tests are collected") {
            for name in test.packages {
                assert!(PACKAGES.iter().any(|package| package.name == name), "{name} is not in the table");
            }
        }
    }

    #[test]
    fn unknown_name_is_missing() {
        assert_eq!(missing(&["no-such-package"]), ["no-such-package"]);
    }
}
