//! A report as Markdown.

use std::fmt::Write as _;

use super::data::{Data, Machine};
use super::format;
use super::table::{LEGEND, Table};

/// Machine, tables, footnotes.
#[must_use]
pub(super) fn page(data: &Data, tables: &[Table]) -> String {
    let mut text = String::from("# Measurements of bt-run\n\n");
    for machine in data.machines() {
        let _ = writeln!(text, "{}\n", list(&machine));
    }
    for warning in &data.warnings {
        let _ = writeln!(text, "> {warning}\n");
    }
    if tables.is_empty() {
        text.push_str("No rows.\n");
        return text;
    }
    let _ = writeln!(text, "{LEGEND}\n");
    for table in tables {
        text.push_str(&section(table));
    }
    text
}

/// A table of any columns. The last one may be prose and is not padded.
#[must_use]
pub(super) fn grid(titles: &[&str], cells: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = titles.iter().map(|title| title.chars().count()).collect();
    let padded = titles.len().saturating_sub(1);
    for row in cells {
        for (width, cell) in widths.iter_mut().zip(row).take(padded) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let titles: Vec<String> = titles.iter().map(|&title| title.to_owned()).collect();
    let mut text = line(&titles, &widths);
    text.push('|');
    for width in &widths {
        text.push_str(&"-".repeat(width + 2));
        text.push('|');
    }
    text.push('\n');
    for row in cells {
        text.push_str(&line(row, &widths));
    }
    text
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::from("|");
    for (cell, &width) in cells.iter().zip(widths) {
        let padding = width.saturating_sub(cell.chars().count());
        let _ = write!(text, " {cell}{} |", " ".repeat(padding));
    }
    text.push('\n');
    text
}

/// The machine, as a list of its facts.
#[must_use]
pub(super) fn facts(machine: &Machine<'_>) -> Vec<(&'static str, String)> {
    let Machine { host, date, runs, revisions } = machine;
    let place = if host.hypervisor { "virtual machine" } else { "bare metal" };
    let mitigations: Vec<String> = host.mitigations.iter().map(|(name, state)| format!("{name}: {state}")).collect();
    let programs: Vec<String> = host.programs.iter().map(|(name, version)| format!("{name}: {version}")).collect();
    vec![
        ("date", date.clone()),
        (
            "CPU",
            format!(
                "{} × {} ({place}), {}, microcode {}",
                host.cpus, host.cpu, host.cpu_family_model_stepping, host.microcode
            ),
        ),
        (
            "kernel",
            format!("Linux {}, {}, governor {}, load {}", host.kernel, host.distribution, host.governor, host.load),
        ),
        ("bt-run", format!("{}, revision {}, SHA-256 {}", host.bt_run, revisions.join(" and "), host.bt_run_sha256)),
        ("run", runs.join(", ")),
        ("mitigations", mitigations.join("; ")),
        ("programs", programs.join("; ")),
    ]
}

fn list(machine: &Machine<'_>) -> String {
    let facts = facts(machine).into_iter().filter(|(_, value)| !value.is_empty());
    facts.map(|(name, value)| format!("* **{name}**: {value}")).collect::<Vec<_>>().join("\n")
}

/// One table with its heading and footnotes.
#[must_use]
pub(super) fn section(table: &Table) -> String {
    let mut text = format!("## {}\n\n{}\n\n", table.title, table.caption);
    let titles: Vec<String> = table.columns.iter().map(|column| format::markdown(&column.title)).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut lines = Vec::new();
    for row in &table.rows {
        if let Some(section) = &row.section {
            let mut line = vec![format!("**{}**", format::markdown(section))];
            line.resize(table.columns.len(), String::new());
            lines.push(line);
        }
        let cells = row.cells.iter().map(|cell| {
            let note = cell.note.map_or_else(String::new, |note| format!(" ({})", format::letter(note)));
            format!("{}{note}", format::markdown(&cell.marked()))
        });
        lines.push(cells.collect());
    }
    let grid = grid(&titles, &lines);
    text.push_str(&aligned(&grid, table));
    text.push('\n');
    for (index, note) in table.notes.iter().enumerate() {
        let _ = writeln!(text, "({}) {}  ", format::letter(index), format::markdown(note));
    }
    if !table.notes.is_empty() {
        text.push('\n');
    }
    text
}

/// Figures stand to the right: the rule below the titles says so.
fn aligned(grid: &str, table: &Table) -> String {
    let mut lines: Vec<String> = grid.lines().map(str::to_owned).collect();
    if let Some(rule) = lines.get_mut(1) {
        let parts: Vec<String> = rule
            .trim_matches('|')
            .split('|')
            .zip(&table.columns)
            .map(|(dashes, column)| {
                let body = &dashes[..dashes.len().saturating_sub(1)];
                if column.numeric { format!("{body}:") } else { dashes.to_owned() }
            })
            .collect();
        *rule = format!("|{}|", parts.join("|"));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::{fixture, load::Rows, published, tables};
    use super::*;

    fn text() -> String {
        let data = Data::of(Rows { rows: fixture::rows(), warnings: vec!["something left out".to_owned()] });
        page(&data, &tables::all(&data, &published::read().unwrap()))
    }

    #[test]
    fn machine_warnings_and_reasons_are_told() {
        let text = text();
        for part in [
            "Example CPU 9000",
            "revision 0123456789ab",
            "2026-01-02T03:04:05Z",
            "> something left out",
            "gvisor: runsc is not on PATH",
            "signal 11 \\| after 3 s",
            "▼ worse",
            "too few samples",
        ] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn lines_of_a_table_have_the_same_columns() {
        for block in text().split("\n\n").filter(|block| block.starts_with('|')) {
            let bars = |line: &str| line.replace("\\|", "").matches('|').count();
            let first = bars(block.lines().next().unwrap());
            assert!(block.lines().all(|line| bars(line) == first), "{block}");
            assert!(block.lines().nth(1).unwrap().contains("-:"), "{block}");
        }
    }

    #[test]
    fn no_rows_is_a_report_too() {
        assert!(page(&Data::default(), &[]).contains("No rows."));
    }
}
