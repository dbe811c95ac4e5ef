//! The notes in a row file.
//!
//! ```text
//! //: name other_name: One sentence or two, which may go on
//! //:     in indented lines.
//! //:     test: directory/test directory/other
//! __NR_name: …
//! ```
//!
//! A call has one note, among the rows of its file. The names of tests end a note and may go on in indented lines, too;
//! `test: none` says that no test shows it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};

/// What is said of some calls.
#[derive(Debug, Default)]
pub struct Note {
    /// Where it begins in the file.
    pub line: usize,
    /// The calls it is about.
    pub calls: Vec<String>,
    /// What becomes of them.
    pub text: String,
    /// Tests that show it.
    pub tests: Vec<String>,
    /// It says that there is none.
    pub says_no_test: bool,
}

/// All notes.
#[derive(Debug)]
pub struct Notes {
    /// In the order of the file.
    pub all: Vec<Note>,
}

impl Notes {
    /// Reads a row file.
    pub fn parse(text: &str) -> Result<Self> {
        let mut all: Vec<Note> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let Some(line) = line.trim_start().strip_prefix("//: ") else { continue };
            if line.starts_with(' ') {
                let note = all.last_mut().with_context(|| format!("line {number} continues no note"))?;
                note.add(line.trim());
                continue;
            }
            all.push(Note { line: number, text: line.trim().to_owned(), ..Note::default() });
        }
        for note in &mut all {
            let whole = std::mem::take(&mut note.text);
            let (names, text) = whole
                .split_once(':')
                .with_context(|| format!("line {}: no colon after the calls' names", note.line))?;
            note.calls = names.split_whitespace().map(str::to_owned).collect();
            text.trim().clone_into(&mut note.text);
        }
        let mut seen = BTreeSet::new();
        for note in &all {
            if let Some(name) = note.calls.iter().find(|&name| !seen.insert(name)) {
                bail!("line {}: {name} has a note already", note.line);
            }
            if note.text.is_empty() {
                bail!("line {}: the note is empty", note.line);
            }
        }
        Ok(Self { all })
    }

    /// The note about a call.
    pub fn of(&self, name: &str) -> Option<&Note> {
        self.all.iter().find(|note| note.calls.iter().any(|call| call == name))
    }
}

impl Note {
    fn add(&mut self, line: &str) {
        match line.strip_prefix("test:") {
            Some(tests) if tests.trim() == "none" => self.says_no_test = true,
            None if self.tests.is_empty() => {
                self.text.push(' ');
                self.text.push_str(line);
            }
            tests => self.tests.extend(tests.unwrap_or(line).split_whitespace().map(str::to_owned)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Notes;

    #[test]
    fn a_note_covers_its_calls() {
        let notes = Notes::parse(
            "//! Kinds.\n  //: dup\n  //:     dup2: Followed: the\n  //:     lane too.\n  //:     test: a/b\n  //:         c/d\n\n//: bpf: Passed on.\n",
        );
        let notes = notes.unwrap();
        let note = notes.of("dup2").unwrap();
        assert_eq!((note.line, note.text.as_str()), (2, "Followed: the lane too."));
        assert_eq!(note.tests, ["a/b", "c/d"]);
        assert!(!note.says_no_test && notes.of("dup3").is_none());
    }

    #[test]
    fn mistakes_are_named_by_line() {
        for (text, message) in [
            ("//:     alone\n", "line 1 continues no note"),
            ("//: dup\n//:     dup2\n", "line 1: no colon after the calls' names"),
            ("//: dup: A.\n\n//: dup2 dup: B.\n", "line 3: dup has a note already"),
            ("//: dup:\n//:     test: none\n", "line 1: the note is empty"),
        ] {
            assert_eq!(Notes::parse(text).unwrap_err().to_string(), message);
        }
    }
}
