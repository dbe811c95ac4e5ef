//! The three rules: no measured figure by hand, no macro without a row, no claim without a row.

use std::collections::{BTreeMap, BTreeSet};

use super::text;

/// Commands whose first argument is no prose.
const NO_PROSE: [&str; 14] = [
    "btnum",
    "btpub",
    "bttable",
    "btfigure",
    "cite",
    "citep",
    "citet",
    "label",
    "ref",
    "autoref",
    "url",
    "input",
    "includegraphics",
    "usepackage",
];

/// What `bt-bench report` has made.
pub struct Generated {
    macros: BTreeSet<String>,
    rows: BTreeMap<String, String>,
}

impl Generated {
    /// Of numbers.tex, published.tex and rows.txt.
    pub fn of(numbers: &str, published: &str, rows: &str) -> Self {
        let keys = [numbers, published].into_iter().flat_map(str::lines);
        let macros = keys.filter_map(|line| line.strip_prefix("\\btdef{")?.split('}').next());
        let rows = rows.lines().filter_map(|line| line.split_once(' '));
        Self {
            macros: macros.map(str::to_owned).collect(),
            rows: rows.map(|(key, state)| (key.to_owned(), state.to_owned())).collect(),
        }
    }

    /// Rows were committed.
    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }
}

/// Figures with a unit in the text. `allowed` has one for each line, with a reason after ` # `.
pub fn literal_figures(source: &str, allowed: &str) -> Vec<String> {
    let entries: Vec<(&str, &str)> = allowed
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_once(" # ").unwrap_or((line, "")))
        .map(|(figure, reason)| (figure.trim(), reason.trim()))
        .collect();
    let mut problems = Vec::new();
    for (figure, _) in entries.iter().filter(|(_, reason)| reason.is_empty()) {
        problems.push(format!("paper/allowed-figures.txt: {figure:?} has no reason; write `{figure} # why`"));
    }
    let prose = text::without_arguments(&text::without_comments(source), &NO_PROSE);
    let found = text::figures_with_units(&prose);
    for (line, figure) in &found {
        if !entries.iter().any(|(allowed, _)| allowed == figure) {
            problems.push(format!(
                "paper/paper.tex:{line}: {figure:?} is written in the text; take it from a row by \\btnum, or name it in \
                 paper/allowed-figures.txt with the reason why it was not measured"
            ));
        }
    }
    for (figure, _) in entries {
        if !found.iter().any(|(_, present)| present == figure) {
            problems.push(format!("paper/allowed-figures.txt: {figure:?} is not in the text any more"));
        }
    }
    problems
}

/// Macros in use that nothing defines. Those of measured figures count once there are rows.
pub fn undefined_macros(source: &str, generated: &Generated) -> Vec<String> {
    let source = text::without_comments(source);
    let measured =
        text::arguments(&source, "btnum").into_iter().map(|key| (key.to_owned(), format!("\\btnum{{{key}}}")));
    let published = text::arguments(&source, "btpub")
        .into_iter()
        .map(|key| (format!("published/{key}"), format!("\\btpub{{{key}}}")));
    let used: BTreeSet<(String, String)> =
        measured.filter(|_| generated.has_rows()).chain(published).filter(|(key, _)| !key.contains('#')).collect();
    let missing = used.into_iter().filter(|(key, _)| !generated.macros.contains(key));
    missing.map(|(_, name)| format!("paper/paper.tex: no committed row or published figure defines {name}")).collect()
}

/// Claims whose rows are missing, failed or quick. A claim is a line of the table in claims.md; its second column names
/// rows in backticks.
pub fn claims(claims: &str, generated: &Generated) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, line) in claims.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        let columns: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let is_heading = columns.first().is_none_or(|first| first.starts_with("claim") || first.starts_with('-'));
        if is_heading {
            continue;
        }
        let place = format!("paper/claims.md:{}", index + 1);
        if columns.len() != 3 || !columns[2].contains('`') {
            problems.push(format!("{place}: a claim needs three columns: claim | `rows` | `command`"));
            continue;
        }
        let keys: Vec<&str> = columns[1].split('`').skip(1).step_by(2).collect();
        if keys.is_empty() {
            problems.push(format!("{place}: the claim names no row"));
        }
        for key in keys.into_iter().filter(|_| generated.has_rows()) {
            match generated.rows.get(key).map(String::as_str) {
                Some("measured") => {}
                Some(state) => problems.push(format!("{place}: row {key} cannot carry a claim: {state}")),
                None => problems.push(format!("{place}: row {key} was not committed")),
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated() -> Generated {
        Generated::of(
            "\\btdef{s/a/direct/ns}{12}\n",
            "\\btdef{published/singularity/linux/abi-call}{437}\n",
            "s/a/direct measured\ns/b/direct failed\ns/c/direct measured quick\n",
        )
    }

    #[test]
    fn figures_in_the_text_are_reported_with_their_line() {
        let source = "fine \\btnum{s/5 ns} ns\nit takes 12 ns % 13 ns\n";
        let problems = literal_figures(source, "");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("paper/paper.tex:2: \"12 ns\""));
    }

    #[test]
    fn allowed_figures_need_a_reason_and_a_use() {
        assert!(literal_figures("a tick of 4 ms", "# comment\n4 ms # a constant of the design\n").is_empty());
        let problems = literal_figures("a tick of 4 ms", "4 ms\n5 ms # gone\n");
        assert!(problems.iter().any(|problem| problem.contains("no reason")), "{problems:?}");
        assert!(problems.iter().any(|problem| problem.contains("not in the text")), "{problems:?}");
    }

    #[test]
    fn macros_must_be_defined() {
        let source = "\\btnum{s/a/direct/ns} \\btnum{s/x/direct/ns} \\btpub{singularity/linux/abi-call} \\btpub{nothing} \\btnum{#1}";
        let problems = undefined_macros(source, &generated());
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems.iter().any(|problem| problem.contains("s/x/direct/ns")));
        let without_rows = Generated::of("", "\\btdef{published/singularity/linux/abi-call}{437}\n", "");
        assert_eq!(undefined_macros(source, &without_rows).len(), 1, "published figures are checked without rows");
    }

    #[test]
    fn claims_need_measured_rows() {
        let line = |row: &str| format!("| claim | rows | command |\n|---|---|---|\n| faster | {row} | `cargo x` |\n");
        assert!(claims(&line("`s/a/direct`"), &generated()).is_empty());
        for (row, reason) in [
            ("`s/b/direct`", "failed"),
            ("`s/c/direct`", "quick"),
            ("`s/x/direct`", "not committed"),
            ("none", "names no row"),
        ] {
            let problems = claims(&line(row), &generated());
            assert!(problems.len() == 1 && problems[0].contains(reason), "{row}: {problems:?}");
        }
        assert_eq!(claims("| a | `b` |\n", &generated()).len(), 1);
    }
}
