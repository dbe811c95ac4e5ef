//! `cargo xtask kmod`: the kernel module is built for two kernels of Debian and tested in emulated machines.
//!
//! Everything is below `target/kmod`: nothing is loaded into the kernel of this machine, and root is needed for
//! the installation of packages only.

mod bench;
mod build;
mod console;
mod cpio;
mod drivers;
mod initramfs;
mod kernels;
mod machine;
mod programs;
mod section;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use bt_tests::runner::Totals;
use bt_tests::{packages, paths};
use clap::{Args, Subcommand};

use crate::apt;
use kernels::{KERNELS, Kernel, Unpacked};

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Downloads and unpacks the kernels
    Fetch(Common),
    /// Builds the module, every warning an error, and checks it with sparse
    Build(BuildArguments),
    /// Boots every kernel in every flavour and runs the cases
    Test(test::Arguments),
    /// Counts instructions and prints a table
    Bench(bench::Arguments),
}

#[derive(Args)]
struct BuildArguments {
    #[command(flatten)]
    common: Common,
    /// Builds for the kernel with these headers instead (/lib/modules/RELEASE/build), with its own compiler
    #[arg(long)]
    headers: Option<PathBuf>,
}

/// What every command takes.
#[derive(Args)]
struct Common {
    /// Works with this kernel only; may be given several times
    #[arg(long = "kernel", value_parser = KERNELS.iter().map(|kernel| kernel.name).collect::<Vec<_>>())]
    kernels: Vec<String>,
    /// Takes the module's sources from another folder
    #[arg(long)]
    sources: Option<PathBuf>,
    /// Installs no packages, also not as root
    #[arg(long)]
    no_install: bool,
}

impl Common {
    fn kernels(&self) -> impl Iterator<Item = &'static Kernel> {
        KERNELS.iter().filter(|kernel| self.kernels.is_empty() || self.kernels.iter().any(|name| name == kernel.name))
    }

    fn sources(&self) -> PathBuf {
        self.sources.clone().unwrap_or_else(build::sources)
    }
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.command {
        Command::Fetch(common) => fetch(common),
        Command::Build(BuildArguments { common, headers: Some(headers) }) => {
            println!("{}", build::build(&Unpacked::elsewhere(headers), &common.sources())?.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Build(BuildArguments { common, headers: None }) => build_all(common),
        Command::Test(arguments) => {
            let totals = test::run(arguments)?;
            println!("{}", totals.line());
            Ok(if totals.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Bench(arguments) => bench::run(arguments),
    }
}

/// The module's tests as part of the whole suite. Where they cannot run, that is a failure if `strict`.
pub fn suite(filters: &[String], no_install: bool, strict: bool) -> Totals {
    test::run(&test::Arguments::of_suite(filters, no_install)).unwrap_or_else(|error| {
        let mut totals = Totals::default();
        if strict {
            println!("FAIL  kernel module: {error:#}");
            totals.failed.push("kernel module".to_owned());
        } else {
            println!("skip  kernel module: {error:#}");
            totals.skipped = 1;
        }
        totals
    })
}

/// Where everything of these commands is.
fn folder() -> PathBuf {
    let target = paths::target();
    // Commands run in other folders: make in the headers', apt-get where it downloads to.
    std::path::absolute(&target).unwrap_or(target).join("kmod")
}

/// What building the module takes. libelf and libssl are what the kernel's own programs for it are linked with.
const BUILD_PACKAGES: &[&str] = &["gcc-12", "libelf1", "libssl3", "make"];
/// What checking the module's sources takes.
const CHECK_PACKAGES: &[&str] = &["sparse"];
/// What booting and the programs in the machine take, besides those of [`programs`].
const BOOT_PACKAGES: &[&str] =
    &["busybox-static", "gcc", drivers::PACKAGE, "libc6-dev", "qemu-system-x86", "util-linux"];

/// Installs what is missing. Without the right to: says how, and fails when something of `required` is missing.
fn provide_packages(required: &[&'static str], optional: &[&'static str], no_install: bool) -> Result<()> {
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

fn fetch(common: &Common) -> Result<ExitCode> {
    for kernel in common.kernels() {
        let unpacked = kernel.fetch()?;
        println!("{}: {}", unpacked.name, unpacked.release);
    }
    Ok(ExitCode::SUCCESS)
}

fn build_all(common: &Common) -> Result<ExitCode> {
    provide_packages(BUILD_PACKAGES, CHECK_PACKAGES, common.no_install)?;
    let checks = packages::missing(CHECK_PACKAGES).is_empty();
    for kernel in common.kernels() {
        let unpacked = kernel.fetch()?;
        let module = build::build(&unpacked, &common.sources())?;
        println!("{}", module.display());
        if checks {
            for line in build::check(&unpacked, &common.sources())? {
                println!("sparse, {}: {line}", unpacked.name);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A kernel with the file system that it starts with.
struct Prepared {
    kernel: Unpacked,
    initramfs: PathBuf,
}

/// Makes everything ready to boot that is the same for all kernels.
fn prepare(common: &Common) -> Result<()> {
    let required = [BUILD_PACKAGES, BOOT_PACKAGES].concat();
    let optional: Vec<&'static str> = programs::packages().collect();
    provide_packages(&required, &optional, common.no_install)?;
    initramfs::build_parts()
}

/// Makes one kernel ready to boot.
fn prepare_kernel(kernel: &Kernel, common: &Common) -> Result<Prepared> {
    let kernel = kernel.fetch()?;
    let module = build::build(&kernel, &common.sources())?;
    let initramfs = initramfs::compose(&kernel, &module)?;
    Ok(Prepared { kernel, initramfs })
}

/// Adds the outcome of a case to the totals and prints it.
fn record(totals: &mut Totals, prefix: &str, outcome: console::Outcome, took: Duration) {
    let name = format!("{prefix}/{}", outcome.name);
    match outcome.verdict {
        console::Verdict::Passed => {
            println!("ok    {name} {:.1} s", took.as_secs_f64());
            totals.passed += 1;
        }
        console::Verdict::Failed { reason, output } => {
            println!("FAIL  {name} {:.1} s\n  {reason}", took.as_secs_f64());
            for line in output {
                println!("  | {line}");
            }
            totals.failed.push(name);
        }
        console::Verdict::Skipped(why) => {
            println!("skip  {name} ({why})");
            totals.skipped += 1;
        }
    }
}
