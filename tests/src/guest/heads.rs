//! Makes tests of the sources, by the lines at their heads.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::build::{Build, Part};
use crate::paths;
use crate::spec::{Action, End, Kind, Test};

/// The topic whose guests run at every level of emulation.
const EMULATION: &str = "emulation";

/// All guests below `tests/guests`, sorted by name.
pub fn collect() -> Result<Vec<Test>> {
    let root = paths::sources().join("guests");
    let mut tests = Vec::new();
    for topic in sorted(&root)? {
        if topic.is_dir() {
            for source in sorted(&topic)? {
                if source.extension().is_some_and(|kind| kind == "c" || kind == "S" || kind == "cc") {
                    tests.extend(from_source(&source).with_context(|| source.display().to_string())?);
                }
            }
        }
    }
    Ok(tests)
}

fn sorted(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    Ok(entries)
}

fn from_source(source: &Path) -> Result<Vec<Test>> {
    let text = fs::read_to_string(source)?;
    let stem = source.file_stem().unwrap_or_default().display().to_string();
    let topic = source.parent().and_then(Path::file_name).unwrap_or_default().display().to_string();
    let heads: Vec<(&str, &str)> = text
        .lines()
        .map_while(|line| line.strip_prefix("//"))
        .filter_map(|line| line.trim().split_once(": "))
        .collect();
    let mut builds: Vec<(Option<&str>, &str)> = Vec::new();
    for &(key, value) in &heads {
        if key == "build" {
            builds.push((None, value));
        } else if let Some(variant) = key.strip_prefix("build[").and_then(|rest| rest.strip_suffix(']')) {
            builds.push((Some(variant), value));
        }
    }
    if builds.is_empty() {
        bail!("has no `build:` line");
    }
    builds
        .into_iter()
        .map(|(variant, flags)| {
            let name = variant.map_or_else(|| stem.clone(), |variant| format!("{stem}.{variant}"));
            let directory = paths::target().join("guests").join(&topic);
            let mut build = Build {
                source: source.to_owned(),
                flags: flags.split_whitespace().map(str::to_owned).collect(),
                output: directory.join(&name),
                parts: Vec::new(),
            };
            let program = build.output.display().to_string();
            let mut arguments = vec![program];
            for &(key, value) in &heads {
                match key {
                    "run" => arguments.extend(value.split_whitespace().map(str::to_owned)),
                    "links" => {
                        let mut words = value.split_whitespace();
                        let output = directory.join(words.next().context("links: name source")?);
                        let part = source.with_file_name(words.next().context("links: name source")?);
                        let mut flags: Vec<String> = words.map(str::to_owned).collect();
                        if flags.is_empty() {
                            flags = ["-shared", "-fPIC", "-O1"].map(str::to_owned).to_vec();
                        }
                        build.parts.push(Part { source: part, flags, output });
                    }
                    _ => {}
                }
            }
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let test = Test::new(&format!("{topic}/{name}"), Kind::Guest, Action::Guest(build))
                .needs(&["gcc", "libc6-dev"])
                .run(&words)
                .limit_secs(30);
            direct(if topic == EMULATION { test.at_every_level() } else { test }, &heads)
        })
        .collect()
}

/// Applies the head lines.
fn direct(mut test: Test, heads: &[(&str, &str)]) -> Result<Test> {
    for &(key, value) in heads {
        test = match key {
            "exit" => test.ends(End::Exit(value.parse()?)),
            "signal" => test.ends(End::Signal(value.parse()?)),
            "env" => {
                let (name, value) = value.split_once('=').context("env: NAME=value")?;
                test.env(name, value)
            }
            "limit" => test.limit_secs(value.parse()?),
            "alone" => test.alone(),
            "levels" => test.at_levels(&value.split_whitespace().collect::<Vec<_>>()),
            "options" => value.split_whitespace().fold(test, Test::option),
            "native" => test.native_image(value.split_whitespace().next().unwrap_or_default()),
            "needs" => test.needs(&[package(value)?]),
            "differs" => {
                let (pattern, with) = value.split_once(" => ").context("differs: regex => text")?;
                test.normalise(pattern, with)
            }
            "stderr" if value == "any" => test.any_stderr(),
            "calls" => {
                let rest = value.strip_prefix("equal").context("calls: equal")?;
                let except: Vec<(&str, &str)> = rest
                    .strip_prefix(" except ")
                    .unwrap_or_default()
                    .split(", ")
                    .filter_map(|part| part.split_once(' '))
                    .collect();
                test.calls_equal_except(&except)
            }
            _ => test,
        };
    }
    Ok(test)
}

fn package(name: &str) -> Result<&'static str> {
    crate::packages::PACKAGES
        .iter()
        .map(|package| package.name)
        .find(|&known| known == name)
        .with_context(|| format!("package {name} is not in the table"))
}
