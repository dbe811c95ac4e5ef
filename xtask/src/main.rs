//! `cargo xtask`: the project's own commands.

mod apt;
mod check;
mod docs;
mod fuzz;
mod kmod;
mod launcher;
mod layers;
mod licences;
mod paper;
mod test;
mod unit;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs what the tests need, builds bt-run and runs every test
    Test(test::Arguments),
    /// Makes docs/syscalls.md, which says what becomes of each system call
    Docs(docs::Arguments),
    /// Runs the fuzz targets: random and mutated code, files and hand-offs for what reads them
    Fuzz(fuzz::Arguments),
    /// Builds the kernel module and tests it in emulated machines
    Kmod(kmod::Arguments),
    /// Checks that files import from their own layer and below only, and never in a circle
    Layers,
    /// Checks that every crate that the project is built from has a licence of a short list
    Licences,
    /// Makes the paper's tables, plots and figures from the committed rows, and the paper
    Paper(paper::Arguments),
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Docs(arguments) => docs::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Kmod(arguments) => kmod::run(&arguments),
        Command::Layers => layers::run(),
        Command::Licences => licences::run(),
        Command::Paper(arguments) => paper::run(&arguments),
    }
}
