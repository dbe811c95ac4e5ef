//! Runs one test: natively first, then under each engine, and compares.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::compare::{Normaliser, Observation, directory_differences, first_difference, tail};
use super::executable::write_executable;
use super::launch::{self, Launch, Pass};
use super::process;
use super::verdict::Verdict;
use crate::launcher::Bench;
use crate::spec::{Action, Calls, End, Step, Test};
use crate::stats::{CallCounts, Stats};
use crate::{paths, strace};

/// Runs `test` natively and under each engine.
pub fn run(test: &Test, engines: &[String]) -> Vec<(String, Verdict, Duration)> {
    let engines: Vec<String> = engines.iter().flat_map(|engine| test.passes(engine)).collect();
    if let Action::Launcher(check) = test.action {
        return engines.iter().map(|engine| launcher(test, check, engine)).collect();
    }
    if matches!(test.action, Action::Sequences { .. } | Action::Mutants { .. } | Action::SeededBugs) {
        let started = Instant::now();
        return match prepare(test) {
            Ok(()) => engines.iter().map(|engine| sequences(test, engine)).collect(),
            Err(error) => vec![("native".to_owned(), Verdict::Failed(format!("{error:#}")), started.elapsed())],
        };
    }
    let started = Instant::now();
    let native = prepare(test).and_then(|()| native_pass(test));
    let native = match native {
        Ok(native) => native,
        Err(error) => {
            let verdict = Verdict::Failed(format!("natively: {error:#}"));
            return vec![("native".to_owned(), verdict, started.elapsed())];
        }
    };
    engines
        .iter()
        .map(|engine| {
            let started = Instant::now();
            let verdict = match engine_pass(test, engine, &native) {
                Ok(()) => Verdict::Passed,
                Err(error) => Verdict::Failed(format!("{error:#}")),
            };
            (engine.clone(), verdict, started.elapsed())
        })
        .collect()
}

/// Runs a check of the launcher.
fn launcher(test: &Test, check: crate::launcher::Check, engine: &str) -> (String, Verdict, Duration) {
    let started = Instant::now();
    let result = prepare(test).and_then(|()| {
        let home = home(test);
        let bench =
            Bench { work: home.join("work"), logs: home.join("logs"), limit: test.limit, pass: engine.to_owned() };
        fs::create_dir_all(&bench.work)?;
        check(&bench)
    });
    let verdict = result.map_or_else(|error| Verdict::Failed(format!("{error:#}")), |()| Verdict::Passed);
    (engine.to_owned(), verdict, started.elapsed())
}

/// Runs random sequences or mutants, which are compared with native ones of their own.
fn sequences(test: &Test, engine: &str) -> (String, Verdict, Duration) {
    let started = Instant::now();
    let result = match test.action {
        Action::Sequences { count } => crate::model::check(engine, count, &home(test)).map(|()| Verdict::Passed),
        Action::Mutants { count } => crate::mutants::check(engine, count, &home(test)).map(|()| Verdict::Passed),
        _ => crate::model::seeded_bugs(&home(test)),
    };
    let verdict = result.unwrap_or_else(|error| Verdict::Failed(format!("{error:#}")));
    (engine.to_owned(), verdict, started.elapsed())
}

/// The native run, kept for comparing.
struct Native {
    observations: Vec<Observation>,
    directory: PathBuf,
    calls: Option<strace::Log>,
}

fn home(test: &Test) -> PathBuf {
    paths::target().join("bt-tests").join(test.name.replace('/', "."))
}

fn prepare(test: &Test) -> Result<()> {
    let home = home(test);
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| home.display().to_string())?;
    }
    match &test.action {
        Action::Guest(build) => build.compile()?,
        Action::Blocks => crate::differential::build()?,
        Action::Sequences { .. } | Action::SeededBugs => crate::model::build()?,
        Action::Mutants { .. } => crate::mutants::build()?,
        _ => {}
    }
    Ok(())
}

fn native_pass(test: &Test) -> Result<Native> {
    let (observations, directory) = pass(test, &Launch::Native)?;
    if matches!(&test.action, Action::Guest(build) if build.prints())
        && observations.iter().all(|seen| seen.bytes.is_empty())
    {
        bail!("printed nothing: a guest says what it found");
    }
    for text in &test.checks.stdout_has {
        let found = observations.iter().any(|seen| String::from_utf8_lossy(&seen.bytes).contains(text.as_str()));
        if !found {
            bail!("nothing printed {text:?}");
        }
    }
    let calls = match test.checks.calls {
        Calls::Any => None,
        Calls::Equal(_) => {
            pass(test, &Launch::Strace).context("under strace")?;
            let mut sum = strace::Log::default();
            let logs = home(test).join("strace.logs");
            for label in tested_labels(test, &logs) {
                let text = fs::read(logs.join(format!("{label}.record")))?;
                let log = strace::parse(&String::from_utf8_lossy(&text));
                sum.images += log.images;
                for (name, count) in log.calls {
                    *sum.calls.entry(name).or_default() += count;
                }
            }
            Some(sum)
        }
    };
    Ok(Native { observations, directory, calls })
}

fn engine_pass(test: &Test, engine: &str, native: &Native) -> Result<()> {
    let (observations, directory) = pass(test, &Launch::engine(engine, &test.options))?;
    let rules = Normaliser::new(&test.checks.normalise)?;
    let mut complaints = Vec::new();
    for (was, is) in native.observations.iter().zip(&observations) {
        complaints.extend(first_difference(&was.label, &rules.apply(&was.bytes), &rules.apply(&is.bytes)));
    }
    if native.observations.len() != observations.len() {
        complaints.push("the passes made different steps".to_owned());
    }
    complaints.extend(directory_differences(&native.directory, &directory, &test.checks.ignored_files, &rules)?);
    complaints.extend(check_statistics(test, engine, native.calls.as_ref())?);
    if matches!(test.action, Action::Blocks) {
        print!("{}", crate::differential::summary(&home(test))?);
    }
    if !complaints.is_empty() && matches!(test.action, Action::Blocks) {
        let home = home(test);
        complaints.push(crate::differential::explain(test, engine, &home)?);
    }
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("{}", complaints.join("\n"));
}

/// Asserts on the statistics of every tested step.
fn check_statistics(test: &Test, engine: &str, native: Option<&strace::Log>) -> Result<Vec<String>> {
    let logs = home(test).join(format!("{engine}.logs"));
    let mut complaints = Vec::new();
    let mut calls = CallCounts::new();
    let mut images = 0;
    for label in tested_labels(test, &logs) {
        let stats = Stats::read(&logs.join(format!("{label}.record")))?;
        complaints.extend(stats.strangers(launch::engine_of(engine), &test.checks.native_images));
        if engine == launch::STRICT && stats.missed_sites() != 0 {
            complaints.push(format!("{} sites were missed by the scan", stats.missed_sites()));
        }
        for (name, count) in stats.calls() {
            *calls.entry(name).or_default() += count;
        }
        images += stats.images();
        if native.is_some() {
            complaints.extend(stats.unended().iter().map(|pid| format!("process {pid} wrote no end event")));
        }
    }
    if let (Some(native), Calls::Equal(except)) = (native, &test.checks.calls) {
        if images != native.images {
            complaints.push(format!("images executed: native {}, ours {images}", native.images));
        }
        let differences = strace::differences(&native.calls, &calls, except);
        if !differences.is_empty() {
            complaints.push(format!("system calls differ: {}", differences.join("; ")));
        }
    }
    Ok(complaints)
}

fn tested_labels(test: &Test, logs: &Path) -> Vec<String> {
    match &test.action {
        // Clients that ran under the engine as well left records of their own.
        Action::Server(_) => {
            let mut labels = vec!["server".to_owned()];
            let records = fs::read_dir(logs).into_iter().flatten().flatten();
            labels.extend(records.filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                name.strip_suffix(".record").filter(|label| *label != "server").map(str::to_owned)
            }));
            labels
        }
        _ => (0..test.steps.len())
            .filter(|&index| test.steps.get(index).is_some_and(|step| !step.prepares))
            .map(step_label)
            .collect(),
    }
}

fn step_label(index: usize) -> String {
    format!("step{}", index + 1)
}

/// Runs all steps in a fresh work directory and moves it aside afterwards.
fn pass(test: &Test, launch: &Launch) -> Result<(Vec<Observation>, PathBuf)> {
    let home = home(test);
    let work = home.join("work");
    let kept = home.join(launch.word());
    fs::create_dir_all(&work)?;
    if let Some(files) = &test.files {
        copy_directory(files, &work)?;
    }
    let pass = Pass { launch: launch.clone(), work: work.clone(), logs: home.join(format!("{}.logs", launch.word())) };
    fs::create_dir_all(&pass.logs)?;
    let observations = match &test.action {
        Action::Server(check) => check(&pass, test.limit),
        _ => run_steps(test, &pass),
    };
    fs::rename(&work, &kept)?;
    Ok((observations?, kept))
}

fn run_steps(test: &Test, pass: &Pass) -> Result<Vec<Observation>> {
    let mut observations = Vec::new();
    for (index, step) in test.steps.iter().enumerate() {
        let label = step_label(index);
        let mut command = step_command(step, pass, &label);
        let done = process::run(&mut command, step.stdin.as_deref(), &pass.logs, &label, test.limit)?;
        if done.end != Some(step.end) {
            bail!(
                "{} {}, not {}\n{}{}",
                step.argv.join(" "),
                done.end.map_or_else(|| format!("was killed after {} s", test.limit.as_secs()), describe),
                describe(step.end),
                tail(&done.stdout, 15),
                tail(&done.stderr, 25),
            );
        }
        if !step.prepares {
            observations.push(Observation::new(format!("{label} standard output"), done.stdout));
            if test.checks.stderr {
                observations.push(Observation::new(format!("{label} standard error"), done.stderr));
            }
        }
    }
    Ok(observations)
}

fn step_command(step: &Step, pass: &Pass, label: &str) -> Command {
    let launch = if step.prepares { &Launch::Native } else { &pass.launch };
    let mut command = launch.command(&step.argv, &pass.work, &pass.record(label));
    command.envs(step.env.iter().map(|(name, value)| (name, value)));
    command
}

fn describe(end: End) -> String {
    match end {
        End::Exit(code) => format!("exited with {code}"),
        End::Signal(signal) => format!("died by signal {signal}"),
    }
}

fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        let target = to.join(name);
        if path.is_dir() {
            fs::create_dir_all(&target)?;
            copy_directory(&path, &target)?;
        } else {
            let mode = path.metadata()?.permissions().mode();
            if mode & 0o111 == 0 {
                fs::copy(&path, &target)?;
            } else {
                write_executable(&target, &fs::read(&path)?, mode)?;
            }
        }
    }
    Ok(())
}
