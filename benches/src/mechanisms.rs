//! Other ways to get between a program and its system calls, as far as they are installed here.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::launch::Invocation;
use crate::rows::Unit;
use crate::variant::Variant;
use crate::{programs, report, stats};

/// A program that runs another one.
#[derive(Clone, Copy, Debug)]
pub struct Mechanism {
    /// File name, looked up in the user's PATH.
    pub program: &'static str,
    /// What stands between it and the command.
    pub options: &'static [&'static str],
}

/// Those that are looked for.
#[rustfmt::skip]
pub const ALL: &[Mechanism] = &[
    Mechanism { program: "valgrind",    options: &["--tool=none", "-q"] },
    Mechanism { program: "qemu-x86_64", options: &[] },
    Mechanism { program: "strace",      options: &["-f", "-o", "/dev/null"] },
    Mechanism { program: "drrun",       options: &["--"] },
];

impl Mechanism {
    /// Its path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<PathBuf> {
        programs::find_in(path, self.program)
    }

    /// What a user types before the command.
    #[must_use]
    pub fn line(&self) -> String {
        [&[self.program], self.options].concat().join(" ")
    }

    /// The command under it.
    #[must_use]
    pub fn wrap(&self, found: PathBuf, invocation: &Invocation) -> Invocation {
        let own = self.options.iter().map(|&option| option.to_owned());
        let words = [invocation.program.to_string_lossy().into_owned()];
        let arguments = own.chain(words).chain(invocation.arguments.iter().cloned()).collect();
        Invocation { program: found, arguments, ..invocation.clone() }
    }
}

/// The mechanisms of a PATH with their places, and the names of those that are not there.
#[must_use]
pub fn look_for(path: Option<&OsString>) -> (Vec<(&'static Mechanism, PathBuf)>, Vec<&'static str>) {
    let path = path.and_then(|path| path.to_str()).unwrap_or(programs::PATH);
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for mechanism in ALL {
        match mechanism.find(path) {
            Some(place) => found.push((mechanism, place)),
            None => missing.push(mechanism.program),
        }
    }
    (found, missing)
}

/// What one of them took for one row.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// How bt-run is started.
    #[serde(flatten)]
    pub variant: Variant,
    /// When it was measured.
    pub date: String,
    /// The row of the main table that runs the same command, as group/name.
    pub compared_row: String,
    /// What was typed before the command; `native` for nothing.
    pub mechanism: String,
    /// A unit of wall time, also where the row's own figure is CPU time.
    pub unit: Unit,
    /// Every run.
    pub figures: Vec<f64>,
    /// Why there are no more.
    pub failure: Option<String>,
}

impl Figures {
    fn cell(&self) -> String {
        match (&self.failure, stats::median(&self.figures)) {
            (None, Some(median)) => format!("{} {}", report::number(median), self.unit.symbol()),
            _ => "failed".to_owned(),
        }
    }
}

/// The second table; empty where nothing was measured.
#[must_use]
pub fn table(all: &[Figures], missing: &[&str], variant: Variant) -> String {
    let (mut rows, mut ways): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for figures in all {
        for (names, name) in [(&mut rows, &figures.compared_row), (&mut ways, &figures.mechanism)] {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let cell = |row: &str, way: &str| {
        let figures = all.iter().find(|figures| figures.compared_row == row && figures.mechanism == way);
        figures.map_or_else(|| "–".to_owned(), Figures::cell)
    };
    let line = |row: &&str| [(*row).to_owned()].into_iter().chain(ways.iter().map(|way| cell(row, way))).collect();
    let lines: Vec<Vec<String>> = rows.iter().map(line).collect();
    let titles: Vec<&str> = ["row"].into_iter().chain(ways.iter().copied()).collect();
    let runs = all.iter().map(|figures| figures.figures.len()).max().unwrap_or(0);
    let mut text = format!(
        "Other mechanisms on this machine, beside bt-run {variant}: medians of {runs} runs, wall time.\n\n{}",
        report::grid(&titles, &lines)
    );
    let failures = all.iter().filter_map(|figures| Some((figures, figures.failure.as_ref()?)));
    for (figures, reason) in failures {
        let _ = writeln!(text, "\n{} under {}: {reason}.", figures.compared_row, figures.mechanism);
    }
    if !missing.is_empty() {
        let _ = writeln!(text, "\nNot found on PATH: {}.", missing.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::launch::Output;

    fn figures(row: &str, mechanism: &str, values: &[f64]) -> Figures {
        Figures {
            variant: Engine::Direct.into(),
            date: String::new(),
            compared_row: row.to_owned(),
            mechanism: mechanism.to_owned(),
            unit: Unit::Milliseconds,
            figures: values.to_vec(),
            failure: None,
        }
    }

    #[test]
    fn options_stand_between_mechanism_and_command() {
        let command = Invocation {
            program: "/bin/bash".into(),
            arguments: vec!["-c".into(), "true".into()],
            folder: "/".into(),
            input: None,
            output: Output::Null,
        };
        let wrapped = ALL[0].wrap("/usr/bin/valgrind".into(), &command);
        assert_eq!(wrapped.line(), "valgrind --tool=none -q /bin/bash -c true");
        assert_eq!(ALL[3].line(), "drrun --");
    }

    #[test]
    fn what_is_not_on_path_is_named() {
        let (found, missing) = look_for(Some(&"/nonexistent".into()));
        assert!(found.is_empty());
        assert_eq!(missing, ["valgrind", "qemu-x86_64", "strace", "drrun"]);
    }

    #[test]
    fn table_has_medians_failures_and_what_was_not_found() {
        let mut failed = figures("startup/bash", "drrun --", &[]);
        failed.failure = Some("exit 1".to_owned());
        let all = [
            figures("startup/true", "native", &[1.0, 3.0, 2.0]),
            figures("startup/true", "drrun --", &[8.0]),
            figures("startup/bash", "native", &[4.0]),
            failed,
        ];
        let text = table(&all, &["strace"], Engine::Direct.into());
        for part in [
            "--engine direct: medians of 3 runs",
            "| startup/true | 2.00 ms | 8.00 ms  |",
            "| startup/bash | 4.00 ms | failed   |",
            "startup/bash under drrun --: exit 1.",
            "Not found on PATH: strace.",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(table(&[], &["strace"], Engine::Direct.into()), "");
    }
}
