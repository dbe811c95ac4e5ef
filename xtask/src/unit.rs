//! Runs `cargo test` for the crates and counts.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use bt_tests::runner::Totals;

/// Crates whose own tests are run, one build each: cargo unifies features over one build, and the
/// freestanding crates must not get another's.
pub const CRATES: &[&str] =
    &["bt-shim", "bt-translator", "bt-units", "bt-run", "bt-tests", "bt-bench", "bt-kmod-rig", "xtask"];

/// Those of [`CRATES`] that the launcher is made of.
pub const FREESTANDING: &[&str] = &["bt-shim", "bt-translator", "bt-units", "bt-run"];

/// Runs the unit tests of `crates` whose names match a filter; all without filters.
pub fn run(crates: &[&str], filters: &[String]) -> Result<Totals> {
    let mut totals = Totals::default();
    for &name in crates {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--quiet", "--no-fail-fast", "-p", name, "--"]).args(filters);
        // The test harness prints the results on standard output, cargo its own on standard error.
        let mut child = command
            .current_dir(bt_tests::paths::workspace())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start cargo")?;
        let mut counted = Totals::default();
        let mut tail = Vec::new();
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines() {
                let line = line?;
                match count(&line) {
                    Some((passed, failed, ignored)) => {
                        counted.passed += passed;
                        counted.failed.extend((0..failed).map(|_| format!("cargo test -p {name}")));
                        counted.skipped += ignored;
                    }
                    None => tail.push(line),
                }
            }
        }
        let good = child.wait()?.success();
        if !good && counted.failed.is_empty() {
            counted.failed.push(format!("cargo test -p {name} (did not build or run)"));
        }
        if !good {
            println!("{}", tail.join("\n"));
        }
        println!("{}  cargo test -p {name}: {}", if good { "ok  " } else { "FAIL" }, counted.line());
        totals.add(counted);
    }
    Ok(totals)
}

/// Numbers of a line `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn count(line: &str) -> Option<(usize, usize, usize)> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |word: &str| -> Option<usize> {
        rest.split(['.', ';']).find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
    };
    Some((number("passed")?, number("failed")?, number("ignored")?))
}

#[cfg(test)]
mod tests {
    use super::{CRATES, FREESTANDING, count};

    #[test]
    fn freestanding_crates_are_among_all() {
        assert!(FREESTANDING.iter().all(|name| CRATES.contains(name)));
    }

    #[test]
    fn result_line_is_counted() {
        let line = "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(count(line), Some((3, 2, 1)));
        assert_eq!(count("running 3 tests"), None);
    }
}
