//! The random test has to find bugs that were put in for it: builds of the launcher with the feature `seeded-bugs` take
//! an option that brings one of them to life.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::plan::{BATCH, Plan, SEED};
use super::search::search;
use crate::environment::number;
use crate::paths;
use crate::runner::Verdict;
use crate::spec::Action;

/// The names that `--seeded-bug` takes, each with the pass in which it must be found.
const BUGS: &[(&str, &str)] = &[
    ("keep-fact-over-change", "direct"),
    ("drop-offset-hand-back", "direct"),
    ("forget-dup", "direct"),
    ("keep-ring-over-fork", "direct"),
];
/// Bugs that a guest has to find, which passes without them.
const BUGS_OF_GUESTS: &[(&str, &str)] = &[
    ("forget-last-writes", "emulation/messages_follow_the_writes"),
    ("offset-without-lock", "emulation/threads_share_an_offset"),
    ("bury-at-once", "emulation/threads_meet_changes"),
    ("skip-mount-watch", "emulation/mounts_hide_names"),
    ("skip-directory-watch", "emulation/absent_names_appear"),
    ("trust-names-while-arming", "emulation/absent_names_appear"),
    ("trust-names-while-arming", "emulation/no_look_up_is_late"),
];
/// The feature of the runtime.
const FEATURE: &str = "seeded-bugs";
/// Sequences in which a bug has to show.
const BUDGET: u64 = 4_000;

/// The launcher with the bugs: `$BT_SEEDED_RUN`, else a build of its own; nothing while the runtime has no such
/// feature.
fn launcher() -> Result<Option<PathBuf>> {
    if let Some(path) = std::env::var_os("BT_SEEDED_RUN") {
        return Ok(Some(PathBuf::from(path)));
    }
    let manifest = paths::workspace().join("runtime/Cargo.toml");
    let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    if !text.lines().any(|line| line.starts_with(FEATURE)) {
        return Ok(None);
    }
    let target = paths::target().join("seeded");
    let done = Command::new("cargo")
        .args(["build", "--quiet", "--release", "-p", "bt-run", "--features", FEATURE, "--target-dir"])
        .arg(&target)
        .current_dir(paths::workspace())
        .output()
        .context("cannot start cargo")?;
    if !done.status.success() {
        bail!("the launcher with bugs does not build\n{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(Some(target.join("release/bt-run")))
}

/// Searches for each bug.
pub fn check(home: &Path) -> Result<Verdict> {
    let Some(launcher) = launcher()? else {
        return Ok(Verdict::Skipped(format!("the runtime has no feature {FEATURE}")));
    };
    let mut missed = Vec::new();
    for (bug, pass) in BUGS {
        // A launcher that does not know the name would differ in everything.
        let known = Command::new(&launcher).args(["--seeded-bug", bug, "--", "true"]).status().context("launcher")?;
        if !known.success() {
            bail!("the launcher does not know the bug {bug}");
        }
        let plan = Plan {
            pass: (*pass).to_owned(),
            number: 0,
            seed: number("BT_SEED", SEED)?,
            batches: BUDGET / BATCH,
            batch: BATCH,
            launcher: Some(launcher.clone()),
            options: vec!["--seeded-bug".to_owned(), (*bug).to_owned()],
            makes_simpler: false,
            home: home.join(bug),
        };
        let started = Instant::now();
        match search(&plan)? {
            None => missed.push(format!("{bug} was not found in {BUDGET} sequences")),
            Some(difference) => {
                // What showed it stays beside the outputs.
                fs::write(plan.home.join("difference"), difference)?;
                println!("  {bug}: found in {:.1} s", started.elapsed().max(Duration::from_millis(1)).as_secs_f64());
            }
        }
    }
    for (bug, guest) in BUGS_OF_GUESTS {
        if is_missed(&launcher, bug, guest, &home.join(bug).join("guest"))? {
            missed.push(format!("{bug} was not found by {guest}"));
        }
    }
    if missed.is_empty() {
        return Ok(Verdict::Passed);
    }
    bail!("{}", missed.join("\n"))
}

/// The guest ends with a bug as it does without.
fn is_missed(launcher: &Path, bug: &str, name: &str, home: &Path) -> Result<bool> {
    let tests = crate::guest::collect()?;
    let test = tests.iter().find(|test| test.name == name).with_context(|| format!("no guest {name}"))?;
    let Action::Guest(build) = &test.action else { bail!("{name} is no guest") };
    build.compile()?;
    let ends_well = |options: &[&str]| -> Result<bool> {
        if home.exists() {
            fs::remove_dir_all(home)?;
        }
        fs::create_dir_all(home).with_context(|| home.display().to_string())?;
        let done = Command::new(launcher)
            .args(["--no-follow", "--emulate-after", "256"])
            .args(options)
            .arg(paths::target().join("guests").join(name))
            .current_dir(home)
            .output()
            .context("launcher")?;
        Ok(done.status.success())
    };
    if !ends_well(&[])? {
        bail!("{name} fails without a bug");
    }
    let is_missed = ends_well(&["--seeded-bug", bug])?;
    if !is_missed {
        println!("  {bug}: found by {name}");
    }
    Ok(is_missed)
}
