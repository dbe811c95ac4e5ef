//! `bt-vm`: started by `/init` with the words that follow `--` on the kernel's command line.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use bt_kmod_rig::case;
use bt_kmod_rig::cases::CASES;
use bt_kmod_rig::figures::FIGURES;
use bt_kmod_rig::runner;

fn main() -> Result<ExitCode> {
    // The kernel puts parameters that it does not know before those that are for us.
    let words: Vec<String> = std::env::args().skip(1).skip_while(|word| !word.starts_with("--")).collect();
    let (mode, rest) = words.split_first().context("usage: bt-vm --test|--bench [NAME...] or bt-vm --case NAME")?;
    match mode.as_str() {
        "--test" => runner::run(&case::select(CASES, rest))?,
        "--bench" => runner::run(&case::select(FIGURES, rest))?,
        "--case" => {
            let name = rest.first().context("--case needs a name")?;
            let case = CASES.iter().chain(FIGURES).find(|case| case.name == name).context("no case of that name")?;
            return runner::run_here(case);
        }
        other => bail!("unknown mode {other}"),
    }
    Ok(ExitCode::SUCCESS)
}
