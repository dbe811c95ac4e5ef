//! `bt-bench`: measures bt-run beside native execution.
#![deny(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use bt_bench::{doctor, emulation, reporting, run, speed, suites};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "Measures bt-run beside native execution")]
struct Cli {
    #[command(subcommand)]
    command: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// Suites of benchmarks, native and all engines in turns; rows go to a file
    Run(run::Arguments),
    /// What `run` can run
    List,
    /// Builds the drivers of `run` into a folder, for a machine without gcc
    Drivers {
        /// Where they go
        folder: PathBuf,
    },
    /// What this machine can measure, and what disturbs it
    Doctor,
    /// Compute, start-up, system calls and memory against the project's targets, in one table
    Speed(speed::Arguments),
    /// Each level of emulation under each engine: system calls, and whole programs that make many small ones
    Emulation(emulation::Arguments),
    /// Tables, plots and a page from rows that `run` wrote
    Report(reporting::Arguments),
    /// What changed between two files of rows
    Compare(reporting::compare::Arguments),
    /// Rows of several machines in one table
    Merge(reporting::merge::Arguments),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Suite::Run(arguments) => run::run(&arguments),
        Suite::List => {
            print!("{}", run::list::text());
            Ok(ExitCode::SUCCESS)
        }
        Suite::Drivers { folder } => suites::drivers::build_all(&folder),
        Suite::Doctor => doctor::run(),
        Suite::Speed(arguments) => speed::run(&arguments),
        Suite::Emulation(arguments) => emulation::run(&arguments),
        Suite::Report(arguments) => reporting::run(&arguments),
        Suite::Compare(arguments) => reporting::compare::run(&arguments),
        Suite::Merge(arguments) => reporting::merge::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bt-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
