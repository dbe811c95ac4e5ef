//! The command lines of `bt-bench`.

mod begin;
mod doctor;
mod emulation;
mod list;
mod run;
mod speed;
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{reporting, suites};

#[derive(Parser)]
#[command(version, about = "Measures bt-run beside native execution")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Suites of benchmarks, native and all engines in turns; rows go to a file
    Run(run::Arguments),
    /// What `run` can run
    List,
    /// Builds the drivers of `run` into a directory, for a machine without gcc
    Drivers {
        /// Where they go
        directory: PathBuf,
    },
    /// What this machine can measure, and what disturbs it
    Doctor,
    /// Compute, start-up, system calls and memory against the project's targets
    Speed(speed::Arguments),
    /// Each level of emulation under each engine: system calls, and whole programs that make many small ones
    Emulation(emulation::Arguments),
    /// Tables, plots and a page from rows that `run`, `speed` and `emulation` wrote
    Report(reporting::command::Arguments),
    /// What changed between two files of rows
    Compare(reporting::compare::Arguments),
    /// Rows of several machines in one table
    Merge(reporting::merge::Arguments),
}

/// Carries out the command line of `bt-bench`; an error is printed in one line.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::List => {
            print!("{}", list::text());
            Ok(ExitCode::SUCCESS)
        }
        Command::Drivers { directory } => suites::drivers::build_all(&directory),
        Command::Doctor => doctor::run(),
        Command::Speed(arguments) => speed::run(&arguments),
        Command::Emulation(arguments) => emulation::run(&arguments),
        Command::Report(arguments) => reporting::command::run(&arguments),
        Command::Compare(arguments) => reporting::compare::run(&arguments),
        Command::Merge(arguments) => reporting::merge::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bt-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
