//! What a case reports: how it ends, and how often it says each of the words that suites use.

use std::collections::BTreeMap;
use std::fmt;

use crate::runner::process::{End, Finished};

/// Words of the Linux Test Project, of the Open POSIX Test Suite, and of others.
const WORDS: [&str; 14] = [
    "TPASS",
    "TFAIL",
    "TBROK",
    "TCONF",
    "TWARN",
    "PASS",
    "PASSED",
    "FAIL",
    "FAILED",
    "SKIP",
    "UNRESOLVED",
    "UNSUPPORTED",
    "UNTESTED",
    "XFAIL",
];

/// What a case reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `None` if the time limit ended it.
    end: Option<End>,
    words: BTreeMap<&'static str, usize>,
}

impl Outcome {
    /// Of a run.
    pub fn of(done: &Finished) -> Self {
        let mut words = BTreeMap::new();
        for bytes in [&done.stdout, &done.stderr] {
            let text = String::from_utf8_lossy(bytes);
            for line in text.lines().filter(|line| !is_summary(line)) {
                for word in without_colours(line).split(|byte: char| !byte.is_ascii_alphanumeric()) {
                    if let Some(word) = WORDS.into_iter().find(|&known| known == word) {
                        *words.entry(word).or_default() += 1;
                    }
                }
            }
        }
        Self { end: done.end, words }
    }
}

/// A line without the escape sequences of colours, which end in a letter that is no part of the next word.
fn without_colours(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    first
        + &pieces
            .map(|piece| {
                piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').get(1..).unwrap_or_default()
            })
            .collect::<String>()
}

/// A summary repeats what was said before.
fn is_summary(line: &str) -> bool {
    line.starts_with("Summary")
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(End::Exit(code)) => write!(out, "exit {code}")?,
            Some(End::Signal(signal)) => write!(out, "signal {signal}")?,
            None => write!(out, "no end in time")?,
        }
        for (word, count) in &self.words {
            write!(out, " {word} {count}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(stdout: &str, stderr: &str) -> String {
        let (stdout, stderr) = (stdout.as_bytes().to_vec(), stderr.as_bytes().to_vec());
        Outcome::of(&Finished { end: Some(End::Exit(1)), stdout, stderr }).to_string()
    }

    #[test]
    fn words_are_counted_by_themselves() {
        assert_eq!(
            outcome("a.c:7: \u{1b}[1;32mTPASS: \u{1b}[0mit works\nTest PASSED\nCOMPASS\n", "a.c:9: TFAIL: x\nTPASS"),
            "exit 1 PASSED 1 TFAIL 1 TPASS 2"
        );
    }

    #[test]
    fn a_case_without_words_has_its_end() {
        assert_eq!(outcome("nothing\n", ""), "exit 1");
    }
}
