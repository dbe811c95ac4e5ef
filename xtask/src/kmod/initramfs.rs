//! Composes the file system that a machine starts with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use bt_tests::paths;

use super::cpio::Archive;
use super::drivers;
use super::kernels::Unpacked;
use super::output::output_directory;
use super::programs;

/// The first program. The machine ends with it: a panic ends it too, with the kernel's `panic=-1`.
const INIT: &str = "#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
busybox mkdir -p /dev/pts /dev/shm
busybox mount -t devpts devpts /dev/pts
busybox mount -t tmpfs tmpfs /dev/shm
busybox mount -t tmpfs tmpfs /tmp
busybox mount -t debugfs debugfs /sys/kernel/debug
busybox ip link set lo up
/bt/bt-vm \"$@\"
busybox poweroff -f
";

/// Users and groups that servers change to.
const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n";

/// Builds what the machine runs besides the module: `bt-vm`, bt-run, `bt-bench` and the C programs.
pub fn build_parts() -> Result<()> {
    crate::launcher::build_launcher()?;
    build(&["--profile", "guest", "-p", "bt-kmod-rig", "--bin", "bt-vm"])?;
    // As the suite's tests have it: most of it is compiled then. What is for a debugger stays here.
    build(&["-p", "bt-bench", "--bin", "bt-bench"])?;
    let program = paths::target().join("debug/bt-bench");
    run(Command::new(&program).arg("drivers").arg(bench_drivers()))?;
    run(Command::new("strip").arg("-o").arg(bench_program()).arg(program))?;
    bt_tests::differential::build()?;
    for directory in C_DIRECTORIES {
        for source in c_sources(directory)? {
            compile(directory, &source)?;
        }
    }
    Ok(())
}

fn build(arguments: &[&str]) -> Result<()> {
    run(Command::new(env!("CARGO")).args(["build", "--quiet"]).args(arguments).current_dir(paths::workspace()))
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().display().to_string();
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if status.success() { Ok(()) } else { bail!("{command:?} failed: {status}") }
}

/// `bt-bench` as the machine has it.
fn bench_program() -> PathBuf {
    output_directory().join("programs/bt-bench")
}

/// The drivers that `bt-bench` uses in the machine, where there is no gcc.
fn bench_drivers() -> PathBuf {
    output_directory().join("programs/drivers")
}

/// Writes the archive with `module` for `kernel`; returns its file.
pub fn compose(kernel: &Unpacked, module: &Path) -> Result<PathBuf> {
    let mut archive = Archive::default();
    for path in
        ["dev", "proc", "sys", "tmp", "root", "run", "var/log", "var/tmp", "etc", "bt/c", "bt/device", "bt/drivers"]
    {
        archive.directory(path);
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        archive.link(name, &format!("usr/{name}"));
    }
    // The kernel opens it for the first program before that mounts anything.
    archive.character_device("dev/console", 0o600, 5, 1);
    archive.file("init", 0o755, INIT.into());
    archive.file("etc/passwd", 0o644, PASSWD.into());
    archive.file("etc/group", 0o644, GROUP.into());
    archive.file("etc/hosts", 0o644, b"127.0.0.1 localhost\n".to_vec());
    programs::add_all(&mut archive)?;
    drivers::list(kernel)?;
    drivers::add_all(&mut archive, kernel)?;
    programs::add_executable(&mut archive, &bench_program(), "bt/bt-bench")?;
    for name in ["bt-vm", "blocks"] {
        programs::add_executable(&mut archive, &paths::target().join("guest").join(name), &format!("bt/{name}"))?;
    }
    for entry in fs::read_dir(bench_drivers())? {
        let path = entry?.path();
        if path.extension().is_none() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            programs::add_executable(&mut archive, &path, &format!("bt/drivers/{name}"))?;
        }
    }
    programs::add_executable(&mut archive, &paths::launcher(), "bt/bt-run")?;
    for directory in C_DIRECTORIES {
        for source in c_sources(directory)? {
            let program = c_program(directory, &source)?;
            let name = program.file_name().unwrap_or_default().to_string_lossy();
            programs::add_executable(&mut archive, &program, &format!("bt/{}/{name}", directory.name))?;
        }
    }
    archive.file("bt/btshim.ko", 0o644, fs::read(module).with_context(|| module.display().to_string())?);
    let file = output_directory().join("initramfs").join(format!("{}.cpio", kernel.name));
    fs::create_dir_all(file.parent().unwrap_or(&file))?;
    // Not compressed: the emulated machine takes longer to decompress than to copy.
    fs::write(&file, archive.bytes())?;
    Ok(file)
}

/// C programs of the machine.
struct CDirectory {
    /// Its name in the machine, below `/bt`.
    name: &'static str,
    /// Below the rig's own directory.
    sources: &'static str,
    /// More for the compiler.
    options: &'static [&'static str],
}

/// Programs that are guests, and those that use the device themselves.
const C_DIRECTORIES: &[CDirectory] = &[
    CDirectory { name: "c", sources: "c", options: &["-O2", "-pthread"] },
    CDirectory { name: "device", sources: "c/device", options: &["-O1", "-pthread", "-static"] },
];

fn c_sources(directory: &CDirectory) -> Result<Vec<PathBuf>> {
    let directory = paths::workspace().join("kmod-shim/rig").join(directory.sources);
    let mut sources = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

fn c_program(directory: &CDirectory, source: &Path) -> Result<PathBuf> {
    Ok(output_directory()
        .join("programs")
        .join(directory.name)
        .join(source.file_stem().context("source without a name")?))
}

fn compile(directory: &CDirectory, source: &Path) -> Result<()> {
    let program = c_program(directory, source)?;
    fs::create_dir_all(program.parent().unwrap_or(&program))?;
    let done = Command::new("gcc")
        .args(["-g", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(super::build::sources().join("uapi"))
        .args(directory.options)
        .arg("-o")
        .arg(&program)
        .arg(source)
        .output()
        .context("cannot start gcc")?;
    if !done.status.success() {
        bail!("{} does not compile\n{}", source.display(), String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}
