//! A command as it is measured, before it is known who runs it.

use std::path::{Path, PathBuf};

/// Where standard output goes while the time is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// `/dev/null`.
    Null,
    /// A file, for programs that look whether it is /dev/null and then do less (grep).
    File,
}

/// A command as it is measured.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// Absolute path.
    pub program: PathBuf,
    /// Arguments without the program's name.
    pub arguments: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
    /// What stands on standard input, a file in that directory; `/dev/null` where there is none.
    pub input: Option<&'static str>,
    /// Where standard output goes.
    pub output: Output,
}

impl Invocation {
    /// A command in a directory, without input and with its output thrown away.
    #[must_use]
    pub(crate) fn new(program: &Path, arguments: &[&str], directory: &Path) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            directory: directory.to_owned(),
            input: None,
            output: Output::Null,
        }
    }

    /// The command as a shell would take it.
    #[must_use]
    pub(crate) fn line(&self) -> String {
        let name = self.program.file_name().unwrap_or_default();
        let mut line = name.to_string_lossy().into_owned();
        for argument in &self.arguments {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,".contains(c);
            line.push(' ');
            if !argument.is_empty() && argument.chars().all(plain) {
                line.push_str(argument);
            } else {
                line.push_str(&format!("'{}'", argument.replace('\'', r"'\''")));
            }
        }
        if let Some(input) = self.input {
            line.push_str(" < ");
            line.push_str(input);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_quotes_what_a_shell_would_split() {
        let invocation = Invocation {
            program: "/usr/bin/grep".into(),
            arguments: vec!["-c".into(), "it's a".into(), String::new(), "text".into()],
            directory: "/".into(),
            input: Some("lines"),
            output: Output::File,
        };
        assert_eq!(invocation.line(), r"grep -c 'it'\''s a' '' text < lines");
    }
}
