//! The peak resident size of a command.

use std::path::Path;
use std::time::Duration;

use super::launch::{Failure, Launcher, Side, describe_status};
use crate::suites::invocation::{Invocation, Output};

/// Mebibytes. The driver starts the command, because the kernel counts what the starting process had mapped.
///
/// # Errors
/// The command failed, or the user stopped it.
pub(super) fn peak_mebibytes(
    launcher: &Launcher,
    side: Side,
    driver: &Path,
    invocation: &Invocation,
    limit: Duration,
) -> Result<f64, Failure> {
    let file = launcher.scratch.join("peak-rss");
    let mut arguments = vec!["peak-rss".to_owned(), file.display().to_string()];
    let words = launcher.words(side, invocation);
    arguments.extend(words.iter().map(|word| word.to_string_lossy().into_owned()));
    let wrapped = Invocation { program: driver.to_owned(), arguments, output: Output::Null, ..invocation.clone() };
    let run = launcher.run(Side::Native, &wrapped, Output::Null, &[], limit)?;
    if run.status != 0 {
        let status = describe_status(run.status);
        let said = launcher.first_error_line(Side::Native).unwrap_or_default();
        return Err(Failure::Failed(format!("{}: {status}: {said}", side.name())));
    }
    let text = std::fs::read_to_string(&file).map_err(anyhow::Error::from)?;
    parse_kibibytes(&text)
        .map(|kib| kib / 1024.0)
        .ok_or_else(|| Failure::Failed(format!("{}: no peak: {text:?}", side.name())))
}

fn parse_kibibytes(text: &str) -> Option<f64> {
    text.trim().parse::<u32>().ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_is_a_number_of_kibibytes() {
        assert_eq!(parse_kibibytes("3584\n"), Some(3584.0));
        assert_eq!(parse_kibibytes(""), None);
        assert_eq!(parse_kibibytes("-1"), None);
    }
}
