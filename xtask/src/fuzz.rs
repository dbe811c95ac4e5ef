//! Runs the fuzz targets of `fuzz/`: coverage-guided where the nightly toolchain and a C++ compiler are there, else by the
//! plain driver, which calls the same functions.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use bt_tests::runner::Totals;

use crate::check::totals_of;

/// What has LLVM record which code an input reached, and what it compared, for libFuzzer. As `cargo fuzz` sets it.
const COVERAGE_FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// Inputs that a new corpus begins with, and the bytes of each.
const SEEDS: usize = 256;
const SEED_BYTES: usize = 512;
/// Bytes of an input at most.
const MAX_LEN: usize = 8192;

/// What to run.
#[derive(clap::Args)]
pub struct Arguments {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// This target only
    #[arg(long)]
    target: Option<String>,
    /// Targets at a time [default: as many as there are CPUs]
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// Use the plain driver, which needs neither the nightly toolchain nor a C++ compiler
    #[arg(long)]
    plain: bool,
}

/// Runs the targets.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let problems = problems_found(arguments)?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A minute of each target as one test of the suite, one target at a time.
pub fn test() -> Totals {
    let arguments = Arguments { seconds: 60, target: None, plain: false, jobs: Some(NonZero::<usize>::MIN) };
    let problems = problems_found(&arguments).unwrap_or_else(|error| vec![format!("{error:#}")]);
    totals_of("cargo xtask fuzz", &problems)
}

/// Runs the targets, as many at a time as the arguments say; one line for each that failed.
fn problems_found(arguments: &Arguments) -> Result<Vec<String>> {
    let names = targets()?;
    let wanted: Vec<&String> =
        names.iter().filter(|name| arguments.target.as_ref().is_none_or(|t| t == *name)).collect();
    ensure!(!wanted.is_empty(), "there is no such target: the targets are {}", names.join(", "));
    let programs = if arguments.plain { None } else { build_guided(&names) };
    let run = |name: &str| match &programs {
        Some(programs) => run_guided(programs, name, arguments.seconds),
        None => run_plain(name, arguments.seconds),
    };
    let jobs = arguments.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let mut problems = Vec::new();
    for group in wanted.chunks(jobs) {
        std::thread::scope(|scope| {
            let running: Vec<_> = group.iter().map(|name| scope.spawn(|| run(name))).collect();
            for target in running {
                match target.join() {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => problems.push(format!("{error:#}")),
                    Err(_) => problems.push("a target could not be watched".to_owned()),
                }
            }
        });
    }
    Ok(problems)
}

fn directory() -> PathBuf {
    bt_tests::paths::workspace().join("fuzz")
}

/// Output of all kinds, in the workspace's target directory.
fn output(kind: &str) -> PathBuf {
    bt_tests::paths::workspace().join("target/fuzz").join(kind)
}

/// Names of the targets, one file each.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory().join("fuzz_targets"))? {
        names.extend(entry?.path().file_stem().and_then(|name| name.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Builds the targets for libFuzzer; where they are. `None`, with the reason printed, if that is not possible here.
fn build_guided(names: &[String]) -> Option<PathBuf> {
    let has_nightly = Command::new("rustup")
        .args(["run", "nightly", "rustc", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_nightly {
        println!("no nightly toolchain: without coverage");
        return None;
    }
    let builds = output("guided");
    let built = Command::new("rustup")
        .args([
            "run",
            "nightly",
            "cargo",
            "build",
            "--quiet",
            "--release",
            "--features",
            "libfuzzer",
            "--target",
            TRIPLE,
        ])
        .args(names.iter().flat_map(|name| ["--bin", name]))
        .arg("--target-dir")
        .arg(&builds)
        .env("RUSTFLAGS", COVERAGE_FLAGS)
        .current_dir(directory())
        .status()
        .is_ok_and(|status| status.success());
    if !built {
        println!("libFuzzer cannot be built: without coverage");
        return None;
    }
    Some(builds.join(TRIPLE).join("release"))
}

/// Runs one target under libFuzzer. Its corpus stays for the next time.
fn run_guided(programs: &Path, name: &str, seconds: u64) -> Result<()> {
    let (corpus, artifacts) = (output("corpus").join(name), output("artifacts"));
    std::fs::create_dir_all(&artifacts)?;
    let program = programs.join(name);
    if !corpus.exists() {
        seed(&corpus, &program)?;
    }
    let status = Command::new(&program)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={MAX_LEN}"))
        .arg(format!("-artifact_prefix={}/{name}-", artifacts.display()))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .arg(&corpus)
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(status.success(), "{name} failed: the input is in {}", artifacts.display());
    println!("ok    {name}: {seconds} s, guided by coverage");
    Ok(())
}

/// Begins a corpus: pieces of the program itself, which is an ELF file with code in it.
fn seed(corpus: &Path, program: &Path) -> Result<()> {
    let bytes = std::fs::read(program)?;
    std::fs::create_dir_all(corpus)?;
    std::fs::write(corpus.join("beginning"), bytes.get(..MAX_LEN).unwrap_or(&bytes))?;
    let step = (bytes.len() / SEEDS).max(SEED_BYTES);
    for (number, piece) in bytes.chunks(step).enumerate() {
        std::fs::write(corpus.join(format!("piece-{number}")), piece.get(..SEED_BYTES).unwrap_or(piece))?;
    }
    Ok(())
}

/// Runs one target by the plain driver.
fn run_plain(name: &str, seconds: u64) -> Result<()> {
    let artifacts = output("artifacts");
    std::fs::create_dir_all(&artifacts)?;
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--release", "--bin", "drive", "--manifest-path"]);
    command.arg(directory().join("Cargo.toml")).arg("--target-dir").arg(output("plain"));
    command.args(["--", "--seconds", &seconds.to_string(), "--target", name]);
    let status = command.current_dir(&artifacts).status().context("cannot start cargo")?;
    ensure!(status.success(), "{name} failed: the input is in {}", artifacts.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    /// `cargo fuzz` and this file find targets by their files; cargo builds those in the manifest.
    #[test]
    fn every_fuzz_target_is_a_program() {
        let manifest = std::fs::read_to_string(super::directory().join("Cargo.toml")).unwrap();
        let body = std::fs::read_to_string(super::directory().join("src/lib.rs")).unwrap();
        for name in super::targets().unwrap() {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
            assert!(body.contains(&format!("name: \"{name}\"")), "{name}");
        }
    }
}
