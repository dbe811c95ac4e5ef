//! Lists of cases: a name and a command in each line, as in the Linux Test Project's runtest files.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// A case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What a shell executes.
    pub command: String,
}

/// An installed Linux Test Project.
pub fn is_ltp(directory: &Path) -> bool {
    directory.join("runtest").is_dir()
}

/// The cases of some lists; without a name of `syscalls`, or `cases` where the suite is another.
pub fn read(directory: &Path, lists: &[String]) -> Result<Vec<Case>> {
    let (place, usual) =
        if is_ltp(directory) { (directory.join("runtest"), "syscalls") } else { (directory.to_owned(), "cases") };
    let usual = [usual.to_owned()];
    let lists = if lists.is_empty() { &usual } else { lists };
    let mut cases = Vec::new();
    for list in lists {
        let path = place.join(list);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        cases.extend(parse(&text));
    }
    Ok(cases)
}

fn parse(text: &str) -> impl Iterator<Item = Case> {
    text.lines().map(str::trim).filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (name, command) = line.split_once(char::is_whitespace)?;
        Some(Case { name: name.to_owned(), command: command.trim().to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn comments_and_names_alone_are_no_cases() {
        let text = "# a list\nabort01 abort01\n\n  fork05\tfork05 -a  'b c' \nlonely\n";
        let cases: Vec<_> = parse(text).map(|case| (case.name, case.command)).collect();
        let expected = [("abort01", "abort01"), ("fork05", "fork05 -a  'b c'")];
        assert_eq!(cases, expected.map(|(name, command)| (name.to_owned(), command.to_owned())));
    }
}
