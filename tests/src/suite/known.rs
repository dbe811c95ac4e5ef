//! Known differences: `NAME ENGINE REASON` in each line, with `*` for every engine.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// The list.
#[derive(Debug, Default)]
pub struct Known(Vec<(String, String, String)>);

impl Known {
    /// Reads a list.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut list = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.splitn(3, ' ').map(str::trim);
            let (Some(name), Some(engine), Some(reason)) = (words.next(), words.next(), words.next()) else {
                bail!("{line:?} has no reason");
            };
            list.push((name.to_owned(), engine.to_owned(), reason.to_owned()));
        }
        Ok(Self(list))
    }

    /// Why a case differs under an engine, if that is known.
    pub fn reason(&self, name: &str, engine: &str) -> Option<&str> {
        let is_it = |entry: &&(String, String, String)| entry.0 == name && (entry.1 == "*" || entry.1 == engine);
        self.0.iter().find(is_it).map(|(_, _, reason)| reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Known;

    #[test]
    fn engines_are_told_apart() {
        let known = Known::parse("# list\n\na direct because of this\nb * because of that\n").unwrap();
        assert_eq!(known.reason("a", "direct"), Some("because of this"));
        assert_eq!(known.reason("a", "translate"), None);
        assert_eq!(known.reason("b", "translate"), Some("because of that"));
    }

    #[test]
    fn every_difference_has_a_reason() {
        assert!(Known::parse("a direct\n").is_err());
    }
}
