//! The lines that `bt-vm` prints on the console and the host reads.
//!
//! They go through `/dev/kmsg`: the kernel's log then holds its own messages and ours in one order, and no
//! message is printed into the middle of a line of ours, as happens when a program writes to the terminal.

use std::fmt;

/// What every line begins with.
const MARK: &str = "@bt ";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A case starts.
    Begin {
        /// The case.
        name: String,
    },
    /// A line that the case printed.
    Output {
        /// Without its line end.
        text: String,
    },
    /// Everything held.
    Pass {
        /// The case.
        name: String,
    },
    /// Something did not.
    Fail {
        /// The case.
        name: String,
        /// What did not hold, one line.
        reason: String,
    },
    /// The case could not run.
    Skip {
        /// The case.
        name: String,
        /// Why, one line.
        reason: String,
    },
    /// A number that the case measured.
    Figure {
        /// The case.
        name: String,
        /// What was measured; no spaces.
        key: String,
        /// The number.
        value: i64,
        /// What it should be.
        target: Option<Target>,
    },
    /// All cases were run.
    Done,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// This or less.
    AtMost(i64),
    /// This or more.
    AtLeast(i64),
}

impl Target {
    /// Whether `value` is as it should be.
    pub const fn is_met(self, value: i64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let (sign, limit) = word.split_at_checked(2)?;
        match sign {
            "<=" => Some(Self::AtMost(limit.parse().ok()?)),
            ">=" => Some(Self::AtLeast(limit.parse().ok()?)),
            _ => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(out, "<={limit}"),
            Self::AtLeast(limit) => write!(out, ">={limit}"),
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(MARK)?;
        match self {
            Self::Begin { name } => write!(out, "begin {name}"),
            Self::Output { text } => write!(out, "| {text}"),
            Self::Pass { name } => write!(out, "pass {name}"),
            Self::Fail { name, reason } => write!(out, "fail {name}: {reason}"),
            Self::Skip { name, reason } => write!(out, "skip {name}: {reason}"),
            Self::Figure { name, key, value, target } => {
                write!(out, "figure {name} {key} {value}")?;
                target.map_or(Ok(()), |target| write!(out, " {target}"))
            }
            Self::Done => out.write_str("done"),
        }
    }
}

impl Message {
    /// Reads a line of the console; nothing when it is not one of ours.
    pub fn parse(line: &str) -> Option<Self> {
        let line = without_time(line).strip_prefix(MARK)?;
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let reasoned = || rest.split_once(": ").map(|(name, reason)| (name.to_owned(), reason.to_owned()));
        match word {
            "begin" => Some(Self::Begin { name: rest.to_owned() }),
            "|" => Some(Self::Output { text: rest.to_owned() }),
            "pass" => Some(Self::Pass { name: rest.to_owned() }),
            "fail" => reasoned().map(|(name, reason)| Self::Fail { name, reason }),
            "skip" => reasoned().map(|(name, reason)| Self::Skip { name, reason }),
            "figure" => {
                let mut words = rest.split(' ');
                let (name, key, value) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
                let target = words.next().map(|word| Target::parse(word).ok_or(())).transpose().ok()?;
                Some(Self::Figure { name: name.to_owned(), key: key.to_owned(), value, target })
            }
            "done" => Some(Self::Done),
            _ => None,
        }
    }
}

/// A line of the kernel's log without its `[    1.234567] `.
pub fn without_time(line: &str) -> &str {
    line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(line, |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::{Message, Target};

    #[test]
    fn every_message_is_read_as_it_was_written() {
        let name = || "module_loads".to_owned();
        let reason = || "exit 1: no such file".to_owned();
        for message in [
            Message::Begin { name: name() },
            Message::Output { text: "  indented: text".to_owned() },
            Message::Output { text: String::new() },
            Message::Pass { name: name() },
            Message::Fail { name: name(), reason: reason() },
            Message::Skip { name: name(), reason: reason() },
            Message::Figure { name: name(), key: "ring3".to_owned(), value: -244, target: None },
            Message::Figure { name: name(), key: "ring0".to_owned(), value: 2, target: Some(Target::AtMost(25)) },
            Message::Figure { name: name(), key: "less".to_owned(), value: 2, target: Some(Target::AtLeast(-5)) },
            Message::Done,
        ] {
            assert_eq!(Message::parse(&message.to_string()), Some(message.clone()));
            assert_eq!(Message::parse(&format!("[    2.345678] {message}")), Some(message));
        }
    }

    #[test]
    fn other_lines_are_not_ours() {
        for line in [
            "",
            "@bt",
            "@bt begins x",
            "[    0.1] Linux version 6.1",
            "x @bt done",
            "@bt figure a b c",
            "@bt figure a b 1 <2",
        ] {
            assert_eq!(Message::parse(line), None, "{line:?}");
        }
    }
}
