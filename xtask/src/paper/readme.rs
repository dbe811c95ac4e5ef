//! The part of README.md that is made from the committed rows: Singularity's table, and its plot.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The text before and after the part.
const BEGIN: &str = "<!-- made by cargo xtask paper from benches/results -->\n";
const END: &str = "<!-- end of what is made -->\n";
/// The table's heading in the report, and the plot of the same name.
const HEADING: &str = "## Singularity's basic costs, then and here";
const PLOT: &str = "singularity-paper.svg";
/// Where README finds the plot.
const FIGURES: &str = "docs/figures";

/// README.md with the part made anew, and the plot.
pub struct Made {
    readme: String,
    plot: Vec<u8>,
}

impl Made {
    /// From the report in `generated`. `None` if its rows make no such table.
    pub fn of(workspace: &Path, generated: &Path) -> Result<Option<Self>> {
        let read = |path: &Path| fs::read_to_string(path).with_context(|| path.display().to_string());
        let report = read(&generated.join("report.md"))?;
        let Some(part) = part(&report) else { return Ok(None) };
        let readme = read(&workspace.join("README.md"))?;
        let readme = replaced(&readme, &part).context("README.md has no place for what is made from rows")?;
        let plot = generated.join("plots").join(PLOT);
        let plot = fs::read(&plot).with_context(|| plot.display().to_string())?;
        Ok(Some(Self { readme, plot }))
    }

    /// Writes both.
    pub fn write(&self, workspace: &Path) -> Result<()> {
        let figures = workspace.join(FIGURES);
        fs::create_dir_all(&figures).context(FIGURES)?;
        fs::write(figures.join(PLOT), &self.plot).context(PLOT)?;
        fs::write(workspace.join("README.md"), &self.readme).context("README.md")
    }

    /// Says so if another is there.
    pub fn problem(&self, workspace: &Path) -> Option<String> {
        let is_same = |path: &str, made: &[u8]| fs::read(workspace.join(path)).is_ok_and(|found| found == made);
        let current = is_same("README.md", self.readme.as_bytes()) && is_same(&format!("{FIGURES}/{PLOT}"), &self.plot);
        (!current)
            .then(|| "README.md or its figure is not that of the committed rows: run cargo xtask paper".to_owned())
    }
}

/// The table with the machine above and the plot below it.
fn part(report: &str) -> Option<String> {
    let from = report.find(HEADING)?;
    let section = &report[from + HEADING.len()..];
    let section = &section[..section.find("\n## ").unwrap_or(section.len())];
    // The table and its footnotes; the caption comes before.
    let table = section.get(section.find("\n|")?..)?.trim();
    let legend = report.lines().find(|line| line.starts_with('▲'))?;
    let fact = |name: &str| report.lines().find_map(|line| line.strip_prefix(&format!("* **{name}**: ")));
    let [date, cpu, kernel] = [fact("date")?, fact("CPU")?, fact("kernel")?];
    let revision = fact("bt-run")?.split("revision ").nth(1)?.split(',').next()?;
    let title = HEADING.trim_start_matches("## ");
    let kernel = kernel.split(", governor").next()?;
    Some(format!(
        "{table}\n\n{legend}\n\n![{title}]({FIGURES}/{PLOT})\n\nMeasured {date} on {cpu}; {kernel}; revision {revision}.\n"
    ))
}

/// `text` with another part between the marks.
fn replaced(text: &str, part: &str) -> Option<String> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    let end = begin + text[begin..].find(END)?;
    Some(format!("{}\n{part}\n{}", &text[..begin], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "# M\n\n* **date**: 2026-01-02\n* **CPU**: 2 × Some (virtual machine)\n* **kernel**: Linux 6, Debian, \
                          governor none\n* **bt-run**: bt-run 0.1.0, revision 0123456789ab, SHA-256 ff\n\n▲ better\n\n## Singularity's \
                          basic costs, then and here\n\nwords\n\n| a |\n|---|\n| 1 (a) |\n\n(a) a note\n\n## Other\n\n| b |\n";

    #[test]
    fn the_part_is_the_table_with_machine_and_plot() {
        let part = part(REPORT).unwrap();
        assert!(
            part.starts_with("| a |\n|---|\n| 1 (a) |\n\n(a) a note\n\n▲ better\n\n![Singularity's basic costs"),
            "{part}"
        );
        assert!(
            part.contains("Measured 2026-01-02 on 2 × Some (virtual machine); Linux 6, Debian; revision 0123456789ab.")
        );
        assert!(!part.contains("| b |"));
        assert!(super::part("nothing").is_none());
    }

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let text = format!("before\n{BEGIN}old\n{END}behind\n");
        let made = replaced(&text, "new").unwrap();
        assert_eq!(made, format!("before\n{BEGIN}\nnew\n{END}behind\n"));
        assert_eq!(replaced(&made, "new").unwrap(), made);
        assert!(replaced("no marks", "new").is_none());
    }
}
