//! `cargo xtask docs`: `docs/syscalls.md` from the table of `bt-run calls`, the files of the calls' rows, and the page's
//! beginning (`docs/syscalls-intro.md`).
//!
//! The row files say to which family a call belongs, what the family is called, and by a note above the rows what
//! becomes of each call and why.

mod notes;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use bt_tests::extent::Extent;
use bt_tests::runner::Totals;
use bt_tests::{all_tests, paths};
use clap::Args;

use crate::check::totals_of;
use crate::launcher::build_launcher;
use notes::{Note, Notes};

const PAGE: &str = "docs/syscalls.md";
const INTRO: &str = "docs/syscalls-intro.md";
const ROWS: &str = "runtime/src/calls";
/// The row files, in the order in which the page shows them.
const FAMILIES: [&str; 10] = ["files", "io", "memory", "process", "signal", "net", "time", "ipc", "system", "legacy"];

#[derive(Args)]
pub struct Arguments {
    /// Writes nothing; fails unless the page is current and every call has its note
    #[arg(long)]
    check: bool,
}

/// A line of `bt-run calls`.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    name: String,
    treatment: String,
    level: Option<String>,
    hands_back: Vec<String>,
}

/// Calls that one file of rows describes.
struct Family {
    name: &'static str,
    title: String,
    calls: Vec<String>,
    notes: Notes,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    build_launcher()?;
    let problems = problems_of_page(arguments.check);
    for problem in &problems {
        eprintln!("{problem}");
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `--check` as one test of the suite. The launcher has been built.
pub fn test() -> Totals {
    totals_of("cargo xtask docs --check", &problems_of_page(true))
}

/// Makes the page and writes it, or compares it with the page that is there; one line for each thing that is wrong.
fn problems_of_page(only_check: bool) -> Vec<String> {
    let path = paths::workspace().join(PAGE);
    let (page, mut problems) = match make() {
        Ok(made) => made,
        Err(error) => return vec![format!("{error:#}")],
    };
    if only_check {
        problems.extend(outdated(&path, &page));
    } else if problems.is_empty() {
        problems.extend(fs::write(&path, page).err().map(|error| format!("{PAGE}: {error}")));
    }
    problems
}

fn outdated(path: &Path, page: &str) -> Option<String> {
    let is_current = fs::read_to_string(path).is_ok_and(|text| text == page);
    (!is_current).then(|| format!("{PAGE} is not current: run cargo xtask docs"))
}

/// The page, and what is wrong with what it is made from.
fn make() -> Result<(String, Vec<String>)> {
    let root = paths::workspace();
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    let calls = calls()?;
    let families: Vec<Family> =
        FAMILIES.into_iter().map(|name| family(name, &read(&file_of(name))?)).collect::<Result<_>>()?;
    let tests: BTreeSet<String> = all_tests(Extent::Whole)?.into_iter().map(|test| test.name).collect();
    let problems = problems(&calls, &families, &tests);
    Ok((render(&read(INTRO)?, &calls, &families), problems))
}

/// What the launcher says of each call.
fn calls() -> Result<Vec<Call>> {
    let launcher = paths::launcher();
    let done = Command::new(&launcher).arg("calls").output().with_context(|| launcher.display().to_string())?;
    if !done.status.success() {
        bail!("{} calls failed: {}", launcher.display(), String::from_utf8_lossy(&done.stderr));
    }
    String::from_utf8(done.stdout)?.lines().skip(1).map(parse_call).collect()
}

fn parse_call(line: &str) -> Result<Call> {
    let mut fields = line.split('\t');
    let (Some(_), Some(name), Some(treatment), Some(level), Some(hands_back), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        bail!("bt-run calls printed \"{line}\": five fields are expected");
    };
    Ok(Call {
        name: name.to_owned(),
        treatment: treatment.to_owned(),
        level: (level != "-").then(|| level.to_owned()),
        hands_back: hands_back.split(',').filter(|word| *word != "-").map(str::to_owned).collect(),
    })
}

fn file_of(family: &str) -> String {
    format!("{ROWS}/{family}.rs")
}

/// Reads a row file: the title is its first line, the rows begin with the constant of the number.
fn family(name: &'static str, source: &str) -> Result<Family> {
    let title = source.lines().next().and_then(|line| line.strip_prefix("//! ")).unwrap_or(name);
    let calls = source
        .lines()
        .filter_map(|line| Some(line.trim_start().strip_prefix("__NR_")?.split_once(':')?.0.to_owned()))
        .collect();
    let notes = Notes::parse(source).with_context(|| file_of(name))?;
    Ok(Family { name, title: title.trim_end_matches('.').to_owned(), calls, notes })
}

fn problems(calls: &[Call], families: &[Family], tests: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for call in calls {
        let name = &call.name;
        let Some(family) = families.iter().find(|family| family.calls.contains(name)) else {
            found.push(format!("{name} has a row in none of the families of xtask/src/docs.rs"));
            continue;
        };
        let file = file_of(family.name);
        let Some(note) = family.notes.of(name) else {
            found.push(format!("{file}: {name} has no note"));
            continue;
        };
        if note.tests.is_empty() && !note.says_no_test && (call.level.is_some() || call.treatment != "passthrough") {
            found.push(format!("{file}: {name} is answered or rewritten; its note needs `test:` (or `test: none`)"));
        }
    }
    for family in families {
        let file = file_of(family.name);
        for note in &family.notes.all {
            for name in note.calls.iter().filter(|&name| !family.calls.contains(name)) {
                found.push(format!("{file}, line {}: there is no row of {name} here", note.line));
            }
            for test in note.tests.iter().filter(|&test| !tests.contains(test)) {
                found.push(format!("{file}, line {}: cargo xtask test --list has no test {test}", note.line));
            }
        }
    }
    found
}

fn render(intro: &str, calls: &[Call], families: &[Family]) -> String {
    let mut page = format!("<!-- Made by cargo xtask docs from {INTRO} and {ROWS}. -->\n\n{}\n", intro.trim());
    for family in families {
        let _ = write!(page, "\n## {}\n\n", family.title);
        let _ = writeln!(page, "`{ROWS}/{}.rs`\n", family.name);
        page.push_str(
            "| call | treatment | level | handed back | what becomes of it | test |\n|---|---|---|---|---|---|\n",
        );
        for name in &family.calls {
            let (Some(call), Some(note)) = (calls.iter().find(|call| call.name == *name), family.notes.of(name)) else {
                continue;
            };
            page.push_str(&row(call, note));
        }
    }
    page
}

fn row(call: &Call, note: &Note) -> String {
    let treatment = match call.level {
        Some(_) => format!("emulated, else {}", call.treatment),
        None => call.treatment.clone(),
    };
    let hands_back: Vec<&str> = call.hands_back.iter().map(|word| hands_back(word)).collect();
    let tests: Vec<String> = note.tests.iter().map(|test| format!("`{test}`")).collect();
    let tests = if note.says_no_test { "none".to_owned() } else { tests.join(", ") };
    format!(
        "| `{}` | {treatment} | {} | {} | {} | {tests} |\n",
        call.name,
        call.level.as_deref().unwrap_or(""),
        hands_back.join(", "),
        note.text.replace('|', "\\|"),
    )
}

/// The page's words for what the launcher prints.
fn hands_back(word: &str) -> &str {
    match word {
        "descriptor" => "the descriptor it names",
        "descriptors" => "all descriptors",
        "all" => "everything",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: [&str; 2] = ["0\tread\tpassthrough\texact\tdescriptor", "9\tmmap\trewritten\t-\t-"];

    fn found(notes: &str) -> Vec<String> {
        let calls: Vec<Call> = CALLS.into_iter().map(|line| parse_call(line).unwrap()).collect();
        let rows = "//! Reading.\n    __NR_read: (Fd) -> Int;\n    __NR_mmap: () -> Int;\n";
        let families = [family("io", &format!("{rows}{notes}")).unwrap()];
        let tests = BTreeSet::from(["emulation/reads".to_owned()]);
        problems(&calls, &families, &tests)
    }

    #[test]
    fn lines_of_the_table_are_read() {
        let call = parse_call("308\tsetns\trewritten\t-\tdescriptor,all").unwrap();
        assert_eq!((call.name.as_str(), call.level), ("setns", None));
        assert_eq!(call.hands_back, ["descriptor", "all"]);
        assert!(parse_call("308\tsetns").is_err());
    }

    #[test]
    fn families_are_read_from_their_rows() {
        let family =
            family("time", "//! Clocks and timers.\n\n    //: time: Told.\n    __NR_time: (Out(Time)) -> Time;\n")
                .unwrap();
        assert_eq!((family.title.as_str(), family.calls), ("Clocks and timers", vec!["time".to_owned()]));
    }

    #[test]
    fn notes_that_are_whole_have_no_problem() {
        assert!(
            found("//: read: Text.\n//:     test: emulation/reads\n//: mmap: Text.\n//:     test: none\n").is_empty()
        );
    }

    #[test]
    fn each_problem_has_its_line() {
        let missing = found("//: read: Text.\n//:     test: emulation/reads\n");
        assert_eq!(missing, ["runtime/src/calls/io.rs: mmap has no note"]);
        let wrong = found("//: read: Text.\n//:     test: emulation/gone\n//: mmap tread: Text.\n");
        assert!(wrong[0].contains("mmap is answered or rewritten"), "{wrong:?}");
        assert!(wrong[1].contains("line 4: cargo xtask test --list has no test emulation/gone"), "{wrong:?}");
        assert!(wrong[2].contains("line 6: there is no row of tread here"), "{wrong:?}");
    }

    #[test]
    fn an_answered_call_says_what_it_is_otherwise() {
        let notes = Notes::parse("//: read: One | two.\n//:     test: emulation/reads\n").unwrap();
        let line = row(&parse_call(CALLS[0]).unwrap(), notes.of("read").unwrap());
        assert_eq!(
            line,
            "| `read` | emulated, else passthrough | exact | the descriptor it names | One \\| two. | `emulation/reads` |\n"
        );
    }
}
