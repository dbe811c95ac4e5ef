//! The commands and their arguments.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use bt_tests::packages;
use bt_tests::runner::Totals;
use clap::{Args, Subcommand};

use super::common::Common;
use super::kernels::Unpacked;
use super::prepare::{BUILD_PACKAGES, CHECK_PACKAGES, provide_packages};
use super::{bench, build, test};

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
