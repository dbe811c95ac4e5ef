//! Wall time of whole programs that talk to the kernel in small pieces, unmodified and on all CPUs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::levels::{Contest, Levels};
use super::{Stop, check_native, check_ours, timed};
use crate::inputs;
use crate::launch::{Invocation, Output, Side};
use crate::programs;
use crate::rows::Unit;
use crate::stats::Random;

/// The group of these rows.
pub const GROUP: &str = "program";

/// How much work the programs do.
#[derive(Debug)]
struct Sizes {
    folder: &'static str,
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
    folder: "full",
    single_bytes: 2_000_000,
    block_mib: 200,
    lines: 300_000,
    table_rows: 50_000,
    selects: 200_000,
};

const QUICK: Sizes =
    Sizes { folder: "quick", single_bytes: 400_000, block_mib: 40, lines: 60_000, table_rows: 50_000, selects: 40_000 };

struct Program {
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
const ALL: &[Program] = &[
    Program { name: "dd-zero-null", program: "dd", input: None,
        arguments: |sizes| words(&["bs=1", &format!("count={}", sizes.single_bytes), "if=/dev/zero", "of=/dev/null"]) },
    Program { name: "dd-512-file-null", program: "dd", input: None,
        arguments: |_| words(&["bs=512", "if=blocks", "of=/dev/null"]) },
    Program { name: "sqlite-selects", program: "sqlite3", input: Some("selects.sql"),
        arguments: |_| words(&["table.db"]) },
    Program { name: "perl-sysread", program: "perl", input: None,
        arguments: |_| words(&["-e", r#"open F, "<", "lines"; $n++ while sysread F, $b, 1; print "$n\n""#]) },
    Program { name: "python-unbuffered", program: "python3", input: None,
        arguments: |_| words(&["-c", PYTHON_SCRIPT]) },
    Program { name: "dash-read", program: "dash", input: None,
        arguments: |_| words(&["-c", "while read -r line; do last=$line; done <lines; echo $last"]) },
    Program { name: "sed-unbuffered", program: "sed", input: None,
        arguments: |_| words(&["-u", "-n", "/99999$/p", "lines"]) },
    Program { name: "busybox-dd", program: "busybox", input: None,
        arguments: |_| words(&["dd", "bs=1", "if=lines", "of=/dev/null"]) },
    Program { name: "tar-512", program: "tar", input: None,
        arguments: |_| words(&["-b1", "-xOf", "blocks.tar"]) },
];

/// The names of the rows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|program| program.name).collect()
}

/// Measures the programs that are wanted.
///
/// # Errors
/// See [`Stop`].
pub fn run(levels: &mut Levels, contest: &Contest) -> Result<(), Stop> {
    let wanted: Vec<&Program> = ALL.iter().filter(|program| levels.plan().wants(GROUP, program.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let sizes = if levels.plan().quick { &QUICK } else { &FULL };
    let folder = levels.folder.join(sizes.folder);
    let recipe = format!("{sizes:?} {:?} {}", ["tar", "sqlite3"].map(programs::find), include_str!("small_pieces.rs"));
    inputs::make_once(&folder, &recipe, || make_inputs(sizes, &folder))?;
    for program in wanted {
        measure_one(levels, contest, program, sizes, &folder)?;
    }
    Ok(())
}

fn measure_one(
    levels: &mut Levels,
    contest: &Contest,
    program: &Program,
    sizes: &Sizes,
    folder: &Path,
) -> Result<(), Stop> {
    let mut rows = Levels::rows(contest, GROUP, program.name, Unit::Milliseconds);
    let Some(path) = programs::find(program.program) else {
        return levels.push_not_installed(rows, program.program);
    };
    let invocation = Invocation {
        program: path,
        arguments: (program.arguments)(sizes),
        folder: folder.to_owned(),
        input: program.input,
        output: Output::Null,
    };
    rows.iter_mut().for_each(|row| row.command = invocation.line());
    let limit = std::cell::Cell::new(Duration::ZERO);
    let pairs = levels.plan().pairs(9, 3);
    let end = levels.measure(
        contest,
        &mut rows,
        pairs,
        |runner| match runner.side {
            Side::Native => check_native(&runner.launcher, &invocation).map(|found| limit.set(found)),
            _ => check_ours(&runner.launcher, &invocation, limit.get()),
        },
        |runner| Ok(timed(&runner.launcher, runner.side, &invocation, limit.get())?.wall_seconds * 1e3),
    );
    levels.push(rows)?;
    end
}

fn make_inputs(sizes: &Sizes, folder: &Path) -> Result<()> {
    let mut lines = String::new();
    for number in 1..=sizes.lines {
        let _ = writeln!(lines, "{number}");
    }
    fs::write(folder.join("lines"), lines)?;
    write_blocks(&folder.join("blocks"), sizes.block_mib)?;
    if let Some(tar) = programs::find("tar") {
        done(Command::new(tar).args(["-b1", "-cf", "blocks.tar", "blocks"]).current_dir(folder))?;
    }
    if let Some(sqlite) = programs::find("sqlite3") {
        make_table(&sqlite, sizes, folder)?;
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

fn make_table(sqlite: &PathBuf, sizes: &Sizes, folder: &Path) -> Result<()> {
    let database = folder.join("table.db");
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
    fs::write(folder.join("selects.sql"), selects)?;
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
