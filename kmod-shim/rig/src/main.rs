//! `bt-vm`: started by `/init` with the words that follow `--` on the kernel's command line.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use bt_kmod_rig::cases::{self, CASES};
use bt_kmod_rig::figures::FIGURES;
use bt_kmod_rig::runner;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (table, filters) = match arguments.split_first() {
        Some((first, rest)) if first == "--case" => {
            let name = rest.first().context("--case needs a name")?;
            let case = CASES.iter().chain(FIGURES).find(|case| case.name == name).context("no case of that name")?;
            return runner::run_here(case);
        }
        Some((first, rest)) if first == "--bench" => (FIGURES, rest),
        _ => (CASES, arguments.as_slice()),
    };
    runner::run(&cases::select(table, filters))?;
    Ok(ExitCode::SUCCESS)
}
