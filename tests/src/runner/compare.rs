//! Compares what two passes showed: texts after normalising, and the files they left.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use regex_lite::Regex;

/// Something that a pass showed, compared between passes.
#[derive(Debug)]
pub struct Observation {
    /// What it is.
    pub label: String,
    /// Raw bytes.
    pub bytes: Vec<u8>,
}

impl Observation {
    /// A text observation.
    pub fn new(label: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { label: label.into(), bytes: bytes.into() }
    }
}

/// Replaces what legitimately differs between runs.
#[derive(Debug)]
pub struct Normaliser {
    rules: Vec<(Regex, String)>,
}

impl Normaliser {
    /// Compiles the rules of a test.
    pub fn new(rules: &[(String, String)]) -> Result<Self> {
        let rules = rules
            .iter()
            .map(|(pattern, with)| Ok((Regex::new(pattern).with_context(|| pattern.clone())?, with.clone())))
            .collect::<Result<_>>()?;
        Ok(Self { rules })
    }

    /// The text with every match replaced, rule after rule.
    pub fn apply(&self, text: &[u8]) -> String {
        // Text that is not UTF-8 keeps every byte apart: each becomes one character.
        let mut text = String::from_utf8(text.to_owned())
            .unwrap_or_else(|bytes| bytes.as_bytes().iter().map(|&byte| char::from(byte)).collect());
        for (pattern, with) in &self.rules {
            text = pattern.replace_all(&text, with.as_str()).into_owned();
        }
        text
    }
}

/// The first line in which two texts differ, told in a few lines.
pub fn first_difference(what: &str, native: &str, ours: &str) -> Option<String> {
    if native == ours {
        return None;
    }
    let mut left = native.lines();
    let mut right = ours.lines();
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let show = |line: Option<&str>| line.map_or("<end>".to_owned(), |text| shorten(text, 300));
                return Some(format!("{what} differs in line {number}\n  native: {}\n  ours:   {}", show(a), show(b)));
            }
        }
    }
    Some(format!("{what} differs in line ends"))
}

fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length).chain("…".chars()).collect()
}

/// The last lines of an output, for reports.
pub fn tail(text: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let all: Vec<&str> = text.lines().collect();
    let from = all.len().saturating_sub(lines);
    all.get(from..).unwrap_or_default().iter().map(|line| format!("  | {}\n", shorten(line, 300))).collect()
}

/// Every file below `root`: kind, mode and content.
fn listing(root: &Path, ignored: &[String]) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
            let path = entry?.path();
            let name = path.strip_prefix(root)?.display().to_string();
            if ignored.iter().any(|prefix| name.starts_with(prefix.as_str())) {
                continue;
            }
            let kind = fs::symlink_metadata(&path)?;
            let mode = kind.permissions().mode() & 0o7777;
            let text = if kind.is_dir() {
                directories.push(path);
                format!("directory, mode {mode:o}")
            } else if kind.is_symlink() {
                format!("link to {}", fs::read_link(&path)?.display())
            } else if kind.is_file() {
                format!("file, mode {mode:o}, {} bytes", kind.len())
            } else {
                "special".to_owned()
            };
            found.insert(name, text);
        }
    }
    Ok(found)
}

/// Differences between the files of two work directories.
pub fn directory_differences(
    native: &Path,
    ours: &Path,
    ignored: &[String],
    rules: &Normaliser,
) -> Result<Vec<String>> {
    let left = listing(native, ignored)?;
    let right = listing(ours, ignored)?;
    let mut complaints = Vec::new();
    for (name, was) in &left {
        let content = |root: &Path| rules.apply(&fs::read(root.join(name)).unwrap_or_default());
        match right.get(name) {
            None => complaints.push(format!("file {name} is missing ({was})")),
            Some(_) if was.starts_with("file") => {
                // Sizes may differ where normalised text does.
                let kind = |text: &str| text.rsplit_once(',').map(|(kind, _)| kind.to_owned());
                let is = right.get(name).map_or("", String::as_str);
                if kind(is) != kind(was) {
                    complaints.push(format!("{name}: native {was}, ours {is}"));
                } else if let Some(text) = first_difference(&format!("file {name}"), &content(native), &content(ours)) {
                    complaints.push(text);
                }
            }
            Some(is) if is != was => complaints.push(format!("{name}: native {was}, ours {is}")),
            Some(_) => {}
        }
    }
    complaints.extend(
        right.keys().filter(|name| !left.contains_key(*name)).map(|name| format!("file {name} is not there natively")),
    );
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::{Normaliser, directory_differences, first_difference};
    use std::fs;

    #[test]
    fn rules_apply_in_order() {
        let rules = [("0x[0-9a-f]+".to_owned(), "ADDR".to_owned()), ("pid [0-9]+".to_owned(), "pid N".to_owned())];
        assert_eq!(Normaliser::new(&rules).unwrap().apply(b"pid 12 at 0x7f00"), "pid N at ADDR");
    }

    #[test]
    fn first_difference_shows_the_line() {
        assert_eq!(first_difference("x", "a\nb", "a\nb"), None);
        assert!(first_difference("x", "a\nb", "a\nc").unwrap().contains("line 2"));
        assert!(first_difference("x", "a\n", "a").unwrap().contains("line ends"));
    }

    #[test]
    fn content_mode_and_absence_are_seen() {
        let root = crate::paths::target().join("bt-tests/unit/directories");
        let _ = fs::remove_dir_all(&root);
        let (a, b) = (root.join("a"), root.join("b"));
        for directory in [&a, &b] {
            fs::create_dir_all(directory).unwrap();
            fs::write(directory.join("same"), "1").unwrap();
        }
        let rules = Normaliser::new(&[]).unwrap();
        assert!(directory_differences(&a, &b, &[], &rules).unwrap().is_empty());
        fs::write(b.join("same"), "2").unwrap();
        fs::write(a.join("left"), "").unwrap();
        fs::write(b.join("right"), "").unwrap();
        assert_eq!(directory_differences(&a, &b, &[], &rules).unwrap().len(), 3);
        assert_eq!(directory_differences(&a, &b, &["left".to_owned()], &rules).unwrap().len(), 2);
    }
}
