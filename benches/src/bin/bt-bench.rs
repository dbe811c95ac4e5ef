//! `bt-bench`: measures bt-run beside native execution.
#![deny(unsafe_code)]

use std::process::ExitCode;

use bt_bench::speed;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "Measures bt-run beside native execution")]
struct Cli {
    #[command(subcommand)]
    command: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// Compute, start-up, system calls and memory against the project's targets, in one table
    Speed(speed::Arguments),
}

fn main() -> ExitCode {
    let Suite::Speed(arguments) = Cli::parse().command;
    match speed::run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bt-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
