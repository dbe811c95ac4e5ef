//! Wall time of whole programs that talk to the kernel in small pieces, unmodified and on all CPUs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::benchmark::{Benchmark, Place, Program, Quantity, Suite, scaled};
use super::invocation::{Invocation, Output};
use crate::base::stats::Random;
use crate::base::{inputs, programs};
use crate::rows::result::Unit;

/// The suite of `bt-bench emulation`.
pub(super) const SUITE: Suite = Suite {
    name: "program",
    about: "wall time of programs that read or write in small pieces, on all CPUs",
    benchmarks: || ALL.iter().map(benchmark).collect(),
};

/// How much work the programs do.
#[derive(Debug)]
struct Sizes {
    directory: &'static str,
    /// Bytes that dd copies one by one.
    single_bytes: usize,
    /// The file that is read in pieces of 512 bytes, by itself and in an archive.
    block_mib: usize,
    /// Lines of the file that is read byte by byte: numbers from 1 on.
    lines: usize,
    table_rows: usize,
    selects: usize,
}

const FULL: Sizes = Sizes {
    directory: "full",
    single_bytes: 2_000_000,
    block_mib: 200,
    lines: 300_000,
    table_rows: 50_000,
    selects: 200_000,
};

const QUICK: Sizes = Sizes {
    directory: "quick",
    single_bytes: 400_000,
    block_mib: 40,
    lines: 60_000,
    table_rows: 50_000,
    selects: 40_000,
};

struct Talker {
    name: &'static str,
    program: &'static str,
    arguments: fn(&Sizes) -> Vec<String>,
    input: Option<&'static str>,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

const PYTHON_SCRIPT: &str = "\
file = open('lines', 'rb', 0)
count = 0
while file.read(1): count += 1
print(count)";

#[rustfmt::skip]
const ALL: &[Talker] = &[
    Talker { name: "dd-zero-null", program: "dd", input: None,
        arguments: |sizes| words(&["bs=1", &format!("count={}", sizes.single_bytes), "if=/dev/zero", "of=/dev/null"]) },
    Talker { name: "dd-512-file-null", program: "dd", input: None,
        arguments: |_| words(&["bs=512", "if=blocks", "of=/dev/null"]) },
    Talker { name: "sqlite-selects", program: "sqlite3", input: Some("selects.sql"),
        arguments: |_| words(&["table.db"]) },
    Talker { name: "perl-sysread", program: "perl", input: None,
        arguments: |_| words(&["-e", r#"open F, "<", "lines"; $n++ while sysread F, $b, 1; print "$n\n""#]) },
    Talker { name: "python-unbuffered", program: "python3", input: None,
        arguments: |_| words(&["-c", PYTHON_SCRIPT]) },
    Talker { name: "dash-read", program: "dash", input: None,
        arguments: |_| words(&["-c", "while read -r line; do last=$line; done <lines; echo $last"]) },
    Talker { name: "sed-unbuffered", program: "sed", input: None,
        arguments: |_| words(&["-u", "-n", "/99999$/p", "lines"]) },
    Talker { name: "busybox-dd", program: "busybox", input: None,
        arguments: |_| words(&["dd", "bs=1", "if=lines", "of=/dev/null"]) },
    Talker { name: "tar-512", program: "tar", input: None,
        arguments: |_| words(&["-b1", "-xOf", "blocks.tar"]) },
];

fn benchmark(talker: &'static Talker) -> Benchmark {
    let program = Program {
        needs: vec![talker.program],
        quantity: Quantity::Wall,
        prepare: Box::new(|setting| {
            let sizes = if setting.quick { &QUICK } else { &FULL };
            let directory = setting.files.join(sizes.directory);
            let made_by = ["tar", "sqlite3"].map(programs::find);
            let recipe = format!("{sizes:?} {made_by:?} {}", include_str!("small_pieces.rs"));
            inputs::make_once(&directory, &recipe, || make_inputs(sizes, &directory))?;
            Ok(Invocation {
                program: programs::find(talker.program).context("not installed")?,
                arguments: (talker.arguments)(sizes),
                directory,
                input: talker.input,
                output: Output::Null,
            })
        }),
    };
    let about = "wall time of a whole run";
    Benchmark::program(talker.name, about, Unit::Milliseconds, program, scaled(600, 130)).on(Place::All).rounds(9, 3)
}

fn make_inputs(sizes: &Sizes, directory: &Path) -> Result<()> {
    let mut lines = String::new();
    for number in 1..=sizes.lines {
        let _ = writeln!(lines, "{number}");
    }
    fs::write(directory.join("lines"), lines)?;
    write_blocks(&directory.join("blocks"), sizes.block_mib)?;
    if let Some(tar) = programs::find("tar") {
        done(Command::new(tar).args(["-b1", "-cf", "blocks.tar", "blocks"]).current_dir(directory))?;
    }
    if let Some(sqlite) = programs::find("sqlite3") {
        make_table(&sqlite, sizes, directory)?;
    }
    Ok(())
}

/// Bytes that no file system can leave out.
fn write_blocks(path: &Path, mebibytes: usize) -> Result<()> {
    let mut random = Random::new(5);
    let block: Vec<u8> = (0..1 << 20).map(|_| u8::try_from(random.below(256)).unwrap_or(0)).collect();
    let mut file = fs::File::create(path).with_context(|| path.display().to_string())?;
    for _ in 0..mebibytes {
        file.write_all(&block)?;
    }
    Ok(())
}

fn make_table(sqlite: &PathBuf, sizes: &Sizes, directory: &Path) -> Result<()> {
    let database = directory.join("table.db");
    if database.exists() {
        fs::remove_file(&database)?;
    }
    let fill = format!(
        "create table t(id integer primary key, text text);
         with recursive r(i) as (select 1 union all select i + 1 from r where i < {})
         insert into t select i, printf('%080d', i * 7919) from r;",
        sizes.table_rows
    );
    done(Command::new(sqlite).arg(&database).arg(fill))?;
    let (mut random, mut selects) = (Random::new(3), String::new());
    for _ in 0..sizes.selects {
        let _ = writeln!(selects, "select text from t where id = {};", 1 + random.below(sizes.table_rows));
    }
    fs::write(directory.join("selects.sql"), selects)?;
    Ok(())
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_a_package() {
        for row in ALL {
            assert!(programs::ALL.iter().any(|program| program.name == row.program), "{}", row.program);
        }
    }

    #[test]
    fn file_that_is_read_byte_by_byte_is_about_as_long_as_dd_counts() {
        for sizes in [FULL, QUICK] {
            let digits: usize = (1..=sizes.lines).map(|number| number.to_string().len() + 1).sum();
            assert!(digits.abs_diff(sizes.single_bytes) < sizes.single_bytes / 5, "{digits}");
        }
    }
}
