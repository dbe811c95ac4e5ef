//! The instruction differential as a test: the same random blocks natively and under an engine, compared line by line.
//!
//! `BT_BLOCKS` and `BT_SEED` choose other blocks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::environment::number;
use crate::extent::Extent;
use crate::paths;
use crate::runner::launch::Launch;
use crate::runner::process;
use crate::spec::{Action, Kind, Test};

const BLOCKS: u64 = 300_000;
const SEED: u64 = 1;
/// Blocks of which the whole state is shown.
const SHOWN: usize = 3;

fn program() -> PathBuf {
    paths::target().join("guest/blocks")
}

/// The test.
pub fn test(extent: Extent) -> Result<Test> {
    let program = program().display().to_string();
    let count = number("BT_BLOCKS", extent.share_of(BLOCKS))?.to_string();
    let seed = number("BT_SEED", SEED)?.to_string();
    let arguments = [&program, "--seed", &seed, "--count", &count];
    Ok(Test::new("differential/blocks_end_in_the_same_state", Kind::Guest, Action::Blocks)
        .run(&arguments)
        .prints("coverage: ")
        .limit_secs(600))
}

/// Builds the program.
pub fn build() -> Result<()> {
    let done = Command::new("cargo")
        .args(["build", "--quiet", "--profile", "guest"])
        .args(["-p", "bt-tests", "--bin", "blocks"])
        .current_dir(paths::workspace())
        .output()
        .context("cannot start cargo")?;
    if !done.status.success() {
        bail!("the blocks do not build\n{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

/// What the program printed besides its blocks: seed and coverage.
pub fn summary(home: &Path) -> Result<String> {
    let path = home.join("native.logs/step1.stdout");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(text
        .lines()
        .filter(|line| !line.starts_with(|first: char| first.is_ascii_digit()) || line.contains("blocks:"))
        .map(|line| format!("  {line}\n"))
        .collect())
}

/// Disassembly and both states of the first blocks whose lines differ, from the outputs kept below `home`.
pub fn explain(test: &Test, engine: &str, home: &Path) -> Result<String> {
    let output = |word: &str| {
        let path = home.join(format!("{word}.logs")).join("step1.stdout");
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let (native, ours) = (output("native")?, output(engine)?);
    let is_block = |line: &str| line.starts_with(|first: char| first.is_ascii_digit());
    let mut text = String::new();
    let mut differing = native
        .lines()
        .zip(ours.lines())
        .filter(|(was, is)| was != is && is_block(was))
        .filter_map(|(was, _)| was.split(' ').next());
    for block in differing.by_ref().take(SHOWN) {
        text.push_str(&compare_block(test, engine, home, block)?);
    }
    let more = differing.count();
    if more != 0 {
        text.push_str(&format!("and {more} more blocks\n"));
    }
    Ok(text)
}

fn compare_block(test: &Test, engine: &str, home: &Path, block: &str) -> Result<String> {
    let mut argv = test.steps.first().map(|step| step.argv.clone()).unwrap_or_default();
    argv.extend(["--show".to_owned(), block.to_owned()]);
    let show = |launch: &Launch| -> Result<Vec<String>> {
        let label = format!("block{block}.{}", launch.word());
        let mut command = launch.command(&argv, home, &home.join(format!("{label}.record")));
        let done = process::run(&mut command, None, home, &label, Duration::from_secs(60))?;
        let lines = String::from_utf8_lossy(&done.stdout);
        Ok(lines.lines().map(str::to_owned).collect())
    };
    let native = show(&Launch::Native)?;
    let ours = show(&Launch::engine(engine, &[]))?;
    let mut text = format!("{}\n", argv.join(" "));
    for line in native.iter().skip_while(|line| !line.starts_with("block")) {
        if line.starts_with("after") {
            break;
        }
        text.push_str(&format!("{line}\n"));
    }
    let is_alike = native == ours;
    let after = |lines: &[String]| -> Vec<String> {
        let from = lines.iter().position(|line| line.starts_with("after"));
        lines.get(from.unwrap_or(0)..).unwrap_or_default().to_vec()
    };
    let (native, ours) = (after(&native), after(&ours));
    for (mark, lines, others) in [("native", &native, &ours), (engine, &ours, &native)] {
        for line in lines.iter().filter(|line| !others.contains(line)) {
            text.push_str(&format!("{mark}: {line}\n"));
        }
    }
    if is_alike {
        text.push_str("alone, the block ends alike: what came before it matters\n");
    }
    Ok(text)
}
