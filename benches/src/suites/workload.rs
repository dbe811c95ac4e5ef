//! The compute workloads: commands, sizes and inputs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::c_source;
use super::invocation::{Invocation, Output};
use crate::base::inputs;
use crate::base::programs;

/// How much work each workload does.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// Directory of the inputs.
    directory: &'static str,
    big_bytes: usize,
    small_bytes: usize,
    lines: usize,
    text_lines: usize,
    c_functions: usize,
    sha512_files: usize,
    sqlite_rows: usize,
    sqlite_steps: usize,
    python_steps: usize,
    perl_steps: usize,
    lua_steps: usize,
    words: usize,
    bash_steps: usize,
    node_items: usize,
    node_rounds: usize,
    /// Taken from the depths of the recursive functions; 3 is about a quarter of the calls.
    fib_less: usize,
}

/// Some seconds of native time each.
pub(crate) const FULL: Sizes = Sizes {
    directory: "full",
    big_bytes: 40_000_000,
    small_bytes: 12_000_000,
    lines: 4_000_000,
    text_lines: 500_000,
    c_functions: 260,
    sha512_files: 8,
    sqlite_rows: 1_200_000,
    sqlite_steps: 4_000_000,
    python_steps: 8_000_000,
    perl_steps: 14_000_000,
    lua_steps: 30_000_000,
    words: 2_000_000,
    bash_steps: 1_000_000,
    node_items: 300_000,
    node_rounds: 20,
    fib_less: 0,
};

/// About a fifth of the work.
pub(crate) const QUICK: Sizes = Sizes {
    directory: "quick",
    big_bytes: 8_000_000,
    small_bytes: 2_400_000,
    lines: 800_000,
    text_lines: 100_000,
    c_functions: 52,
    sha512_files: 8,
    sqlite_rows: 240_000,
    sqlite_steps: 800_000,
    python_steps: 1_600_000,
    perl_steps: 2_800_000,
    lua_steps: 6_000_000,
    words: 400_000,
    bash_steps: 200_000,
    node_items: 60_000,
    node_rounds: 4,
    fib_less: 3,
};

/// The sizes of a run.
#[must_use]
pub(crate) fn sizes(quick: bool) -> &'static Sizes {
    if quick { &QUICK } else { &FULL }
}

/// One compute workload.
pub(crate) struct Workload {
    /// The row's name.
    pub name: &'static str,
    /// The program, as [`programs::find`] takes it.
    pub program: &'static str,
    /// Where its output goes.
    pub output: Output,
    arguments: fn(&Sizes) -> Vec<String>,
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// The fourteen.
#[rustfmt::skip]
pub(crate) const ALL: &[Workload] = &[
    Workload { name: "xz", program: "xz", output: Output::Null,
        arguments: |_| words("-9 -T1 -k -c small") },
    Workload { name: "gzip", program: "gzip", output: Output::Null,
        arguments: |_| words("-9 -c big") },
    Workload { name: "bzip2", program: "bzip2", output: Output::Null,
        arguments: |_| words("-k -c big") },
    Workload { name: "zstd", program: "zstd", output: Output::Null,
        arguments: |_| words("-q -19 --single-thread -c small") },
    Workload { name: "sha512", program: "sha512sum", output: Output::Null,
        arguments: |sizes| vec!["big".to_owned(); sizes.sha512_files] },
    Workload { name: "sort", program: "sort", output: Output::Null,
        arguments: |_| words("--parallel=1 -S 800M lines") },
    Workload { name: "grep", program: "grep", output: Output::File,
        arguments: |_| ["-ciE", r"([a-z])\1[a-z]*([a-z])\2 .*q", "text"].map(str::to_owned).to_vec() },
    Workload { name: "gcc-cc1", program: "cc1", output: Output::Null,
        arguments: |_| words("-quiet -w -fpreprocessed -O2 program.i -o /dev/null") },
    Workload { name: "sqlite", program: "sqlite3", output: Output::Null,
        arguments: sqlite_arguments },
    Workload { name: "python", program: "python3", output: Output::Null,
        arguments: |sizes| words(&format!("python.py {} {} {}", sizes.python_steps, sizes.words, 34 - sizes.fib_less)) },
    Workload { name: "perl", program: "perl", output: Output::Null,
        arguments: |sizes| words(&format!("perl.pl {} {} {}", sizes.perl_steps, sizes.words, 30 - sizes.fib_less)) },
    Workload { name: "lua", program: "lua5.4", output: Output::Null,
        arguments: |sizes| words(&format!("lua.lua {} {}", sizes.lua_steps, 38 - sizes.fib_less)) },
    Workload { name: "bash", program: "bash", output: Output::Null,
        arguments: |sizes| words(&format!("bash.sh {}", sizes.bash_steps)) },
    Workload { name: "node", program: "node", output: Output::Null,
        arguments: |sizes| words(&format!("node.js {} {} {}", sizes.node_items, sizes.node_rounds, 41 - sizes.fib_less)) },
];

fn sqlite_arguments(sizes: &Sizes) -> Vec<String> {
    vec![
        ":memory:".to_owned(),
        format!(".parameter set :rows {}", sizes.sqlite_rows),
        format!(".parameter set :steps {}", sizes.sqlite_steps),
        ".read sqlite.sql".to_owned(),
    ]
}

impl Workload {
    /// The command for a size, if its program is installed.
    #[must_use]
    pub(crate) fn invocation(&self, sizes: &Sizes, inputs: &Path) -> Option<Invocation> {
        Some(Invocation {
            program: programs::find(self.program)?,
            arguments: (self.arguments)(sizes),
            directory: inputs.to_owned(),
            input: None,
            output: self.output,
        })
    }
}

/// The workload of a name.
#[must_use]
pub(crate) fn find(name: &str) -> Option<&'static Workload> {
    ALL.iter().find(|workload| workload.name == name)
}

const SCRIPTS: &[(&str, &str)] = &[
    ("bash.sh", include_str!("../../workloads/bash.sh")),
    ("lua.lua", include_str!("../../workloads/lua.lua")),
    ("node.js", include_str!("../../workloads/node.js")),
    ("perl.pl", include_str!("../../workloads/perl.pl")),
    ("python.py", include_str!("../../workloads/python.py")),
    ("sqlite.sql", include_str!("../../workloads/sqlite.sql")),
];

const MAKE_INPUTS: &str = include_str!("../../workloads/make-inputs.sh");

/// Makes the scripts and inputs of a size below `scratch`, unless they are there, and says where.
///
/// # Errors
/// The directory cannot be written, or the generator fails.
pub(crate) fn prepare(sizes: &Sizes, scratch: &Path) -> Result<PathBuf> {
    let directory = scratch.join(sizes.directory);
    fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    for (name, text) in SCRIPTS {
        fs::write(directory.join(name), text)?;
    }
    fs::write(directory.join("program.i"), c_source::program(sizes.c_functions))?;
    inputs::make_once(&directory, &format!("{sizes:?}\n{MAKE_INPUTS}"), || generate(sizes, &directory))?;
    Ok(directory)
}

fn generate(sizes: &Sizes, directory: &Path) -> Result<()> {
    let script = directory.join("make-inputs.sh");
    fs::write(&script, MAKE_INPUTS)?;
    let counts = [sizes.big_bytes, sizes.small_bytes, sizes.lines, sizes.text_lines];
    let done = Command::new("bash")
        .arg(&script)
        .args(counts.map(|count| count.to_string()))
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .context("bash")?;
    if !done.status.success() {
        let errors = String::from_utf8_lossy(&done.stderr);
        bail!("make-inputs.sh failed: {}", errors.trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_a_package() {
        for workload in ALL {
            let known = programs::ALL.iter().any(|program| program.name == workload.program);
            assert!(known, "{}", workload.program);
        }
    }

    #[test]
    fn every_script_that_a_command_names_is_carried() {
        for workload in ALL {
            for argument in (workload.arguments)(&FULL) {
                let script = argument.trim_start_matches(".read ");
                if [".py", ".pl", ".lua", ".sh", ".js", ".sql"].iter().any(|end| script.ends_with(end)) {
                    assert!(SCRIPTS.iter().any(|(name, _)| *name == script), "{script}");
                }
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|workload| workload.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
