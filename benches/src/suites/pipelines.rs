//! Pipelines of small programs, as shells run them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::benchmark::{Benchmark, Place, Program, Quantity, Setting, Suite, scaled};
use super::c_source;
use super::invocation::{Invocation, Output};
use crate::base::inputs;
use crate::base::programs;
use crate::base::stats::Random;
use crate::rows::result::Unit;

/// The suite, as the module describes it.
pub(super) const SUITE: Suite = Suite {
    name: "pipelines",
    about: "wall time of pipelines of small programs that bash starts, on all CPUs",
    benchmarks,
};

struct Pipeline {
    name: &'static str,
    about: &'static str,
    needs: &'static [&'static str],
    /// For bash; `$1` is a count that grows with the work.
    script: &'static str,
}

#[rustfmt::skip]
const ALL: &[Pipeline] = &[
    Pipeline { name: "zcat-sort-uniq", needs: &["zcat", "grep", "sort", "uniq"],
        about: "zcat | grep | sort | uniq -c | sort: the frequent words of a packed text",
        script: "zcat words.gz | grep -v '^x' | sort | uniq -c | sort -rn | sed -n 1,20p" },
    Pipeline { name: "find-xargs", needs: &["find", "xargs", "grep"],
        about: "find | xargs grep, 10 files for each grep, in a tree of small files",
        script: "find tree -name '*.c' -print0 | sort -z | xargs -0 -n 10 grep -c long | sort" },
    Pipeline { name: "tar-gzip", needs: &["tar", "gzip", "wc"],
        about: "tar | gzip | wc of a tree of small files",
        script: "tar --sort=name -cf - tree | gzip -1 | wc -c" },
    Pipeline { name: "seq-awk", needs: &["seq", "awk"],
        about: "seq | awk: the sum of many numbers",
        script: "seq 1 $1 | awk '{ sum += $1 } END { print sum }'" },
    Pipeline { name: "command-substitution", needs: &["seq", "wc"],
        about: "a loop of $(… | …): three processes each time round",
        script: "for ((i = 0; i < $1 / 10000; i++)); do n=$(seq $i | wc -l); done; echo $n" },
];

fn benchmarks() -> Vec<Benchmark> {
    let benchmark = |pipeline: &'static Pipeline| {
        let program = Program {
            needs: [&["bash", "gzip"], pipeline.needs].concat(),
            quantity: Quantity::Wall,
            prepare: Box::new(|setting| {
                let sizes = if setting.quick { &QUICK } else { &FULL };
                let arguments = ["-c", pipeline.script, "bash", &sizes.numbers.to_string()].map(str::to_owned).to_vec();
                let program = programs::find("bash").context("bash")?;
                Ok(Invocation {
                    program,
                    arguments,
                    directory: directory(setting, sizes)?,
                    input: None,
                    output: Output::Null,
                })
            }),
        };
        let expected_ms = scaled(900, 250);
        Benchmark::program(pipeline.name, pipeline.about, Unit::Milliseconds, program, expected_ms).on(Place::All)
    };
    ALL.iter().map(benchmark).collect()
}

#[derive(Debug)]
struct Sizes {
    directory: &'static str,
    words: usize,
    files: usize,
    numbers: usize,
}

const FULL: Sizes = Sizes { directory: "pipelines-full", words: 1_500_000, files: 800, numbers: 3_000_000 };
const QUICK: Sizes = Sizes { directory: "pipelines-quick", words: 300_000, files: 160, numbers: 600_000 };

fn directory(setting: &Setting, sizes: &Sizes) -> Result<PathBuf> {
    let directory = setting.scratch.join(sizes.directory);
    inputs::make_once(&directory, &format!("{sizes:?} {}", include_str!("pipelines.rs")), || make(&directory, sizes))?;
    Ok(directory)
}

fn make(directory: &Path, sizes: &Sizes) -> Result<()> {
    let mut random = Random::new(5);
    let mut text = String::new();
    for _ in 0..sizes.words {
        // Small numbers are more frequent, as short words are.
        let number = random.below(1 + random.clone().below(5000));
        let _ = writeln!(text, "{}{number}", ["word", "x", "name"][number % 3]);
    }
    std::fs::write(directory.join("words"), text)?;
    let gzip = programs::find("gzip").context("gzip")?;
    let status = Command::new(gzip).args(["-n", "-f", "words"]).current_dir(directory).stdin(Stdio::null()).status()?;
    if !status.success() {
        bail!("gzip: {status}");
    }
    for number in 0..sizes.files {
        let below = directory.join(format!("tree/{}", number % 20));
        std::fs::create_dir_all(&below)?;
        std::fs::write(below.join(format!("file{number}.c")), c_source::program(1 + number % 3))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_a_script_are_all_needed() {
        for pipeline in ALL {
            for program in pipeline.needs {
                assert!(pipeline.script.contains(program), "{} in {}", program, pipeline.name);
            }
        }
    }
}
