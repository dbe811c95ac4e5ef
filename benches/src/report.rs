//! The Markdown table.

use std::fmt::Write as _;

use crate::host::Host;
use crate::rows::{Row, Status, Unit};
use crate::stats::{self, Estimate};
use crate::target::Target;

const COLUMNS: [&str; 10] = [
    "row",
    "native",
    "bt-run",
    "ratio [95 %]",
    "difference [95 %]",
    "native's spread",
    "floor",
    "DynamoRIO",
    "target",
    "notes",
];

/// The machine and how bt-run is started, in a few lines above the table.
#[must_use]
pub fn heading(host: &Host, options: &str, date: &str) -> String {
    let place = if host.hypervisor { "virtual machine" } else { "bare metal" };
    let mut text = format!(
        "{date}, {} × {} ({place}), microcode {}, Linux {}, {}  \n{} {options} (SHA-256 {}…), benchmark at revision {}, load {}",
        host.cpus,
        host.cpu,
        host.microcode,
        host.kernel,
        host.distribution,
        host.bt_run,
        host.bt_run_sha256.get(..12).unwrap_or(&host.bt_run_sha256),
        short_revision(&host.revision),
        host.load,
    );
    if let Some(drrun) = &host.drrun {
        let _ = write!(text, ", {drrun}");
    }
    text.push('\n');
    text
}

fn short_revision(revision: &str) -> String {
    let (digits, rest) = revision.split_at_checked(12).unwrap_or((revision, ""));
    let dirty = if rest.ends_with("-dirty") { "-dirty" } else { "" };
    format!("{digits}{dirty}")
}

/// The rows as a table whose columns line up.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row).to_vec()).collect();
    grid(&COLUMNS, &cells)
}

/// A table of any columns. The last one may be prose and is not padded.
#[must_use]
pub fn grid(titles: &[&str], cells: &[Vec<String>]) -> String {
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

/// A cell that may be empty.
#[must_use]
pub fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "–".to_owned())
}

/// The median of a row's figures.
#[must_use]
pub fn median(row: &Row, values: &[f64]) -> String {
    or_dash(stats::median(values).map(|median| format!("{} {}", number(median), row.unit.symbol())))
}

/// What became of bt-run's side.
#[must_use]
pub fn ours(row: &Row) -> String {
    match (&row.status, row.target, row.figure) {
        (Status::Failed { .. }, ..) => "failed".to_owned(),
        (Status::NotInstalled { .. }, ..) => "not installed".to_owned(),
        // The verdict is about this figure, so its interval stands there too.
        (_, Some(Target::Absolute { .. }), Some(own)) => format!("{} {}", interval(&own), row.unit.symbol()),
        _ => median(row, &row.bt_run),
    }
}

fn cells(row: &Row) -> [String; 10] {
    [
        format!("{}/{}", row.group, row.name),
        median(row, &row.native),
        ours(row),
        or_dash(row.ratio.map(|ratio| format!("{}×", interval(&ratio)))),
        // Seconds of different workloads do not compare: there the ratio says it all.
        or_dash(
            row.difference
                .filter(|_| row.unit != Unit::CpuSeconds)
                .map(|difference| format!("{} {}", interval(&difference), row.unit.symbol())),
        ),
        or_dash(row.native_spread_percent.map(|spread| format!("{spread:.1} %"))),
        or_dash(floor(row)),
        or_dash(dynamorio(row)),
        or_dash(target(row)),
        notes(row),
    ]
}

/// Three significant digits, more before the point.
#[must_use]
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A figure with its interval.
#[must_use]
pub fn interval(estimate: &Estimate) -> String {
    let [median, low, high] = [estimate.median, estimate.low, estimate.high].map(number);
    format!("{median} [{low}, {high}]")
}

/// How far native against native strays, in the unit that the target is about.
#[must_use]
pub fn floor(row: &Row) -> Option<String> {
    let floor = match row.target {
        Some(Target::Difference { .. }) => row.difference_floor?,
        Some(Target::Absolute { .. }) => row.figure_floor()?,
        _ => return Some(format!("± {:.1} %", row.ratio_floor? * 100.0)),
    };
    Some(format!("± {} {}", number(floor), row.unit.symbol()))
}

fn dynamorio(row: &Row) -> Option<String> {
    let published = row.published.map(|figure| figure.cell());
    let here = row.drrun_ratio.map(|ratio| format!("here {}×", interval(&ratio)));
    let parts: Vec<String> = [published, here].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The target and the verdict.
#[must_use]
pub fn target(row: &Row) -> Option<String> {
    let target = row.target?;
    let limit = match target {
        Target::Ratio { at_most } => format!("≤ {}×", number(at_most)),
        Target::Difference { at_most } => {
            format!("≤ native + {} {}", number(at_most), row.unit.symbol())
        }
        Target::Absolute { at_most } => format!("≤ {} {}", number(at_most), row.unit.symbol()),
        Target::Faster { at_least } => format!("≥ {}× native's speed", number(at_least)),
    };
    Some(match row.met {
        Some(true) => format!("{limit}: met"),
        Some(false) => format!("{limit}: **missed**"),
        None => limit,
    })
}

/// Why there is no figure, how many pairs there are, and remarks.
#[must_use]
pub fn notes(row: &Row) -> String {
    let mut notes = Vec::new();
    match &row.status {
        Status::Failed { reason } => notes.push(reason.clone()),
        Status::NotInstalled { program } => notes.push(format!("needs {program}")),
        Status::Measured => {}
    }
    if !row.bt_run.is_empty() {
        notes.push(format!("{} pairs", row.bt_run.len()));
    }
    if (1..3).contains(&row.bt_run.len()) {
        notes.push("too few pairs for an interval".to_owned());
    }
    if row.noisy {
        notes.push("**noise**: native against native strays too far".to_owned());
    }
    notes.extend(row.notes.iter().cloned());
    notes.join("; ").replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::measure::Turns;

    fn measured() -> Row {
        let mut turns = Turns::of(1);
        for _ in 0..3 {
            turns.take(|way| Ok(way.map_or(4.0, |_| 6.0))).unwrap();
        }
        let mut row = Row::new(Engine::Direct.into(), "startup", "true", Unit::Milliseconds);
        row.target = Some(Target::Difference { at_most: 3.0 });
        row.fill(&turns.ways()[0]);
        row.judge();
        row
    }

    #[test]
    fn figures_verdict_and_floor_stand_in_the_line() {
        let text = table(&[measured()]);
        let line = text.lines().nth(2).unwrap();
        for part in [
            "startup/true",
            "4.00 ms",
            "6.00 ms",
            "1.50 [1.50, 1.50]×",
            "2.00 [2.00, 2.00] ms",
            "± 0.00 ms",
            "≤ native + 3.00 ms: met",
            "3 pairs",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[test]
    fn absolute_targets_show_our_interval() {
        let mut row = measured();
        row.target = Some(Target::Absolute { at_most: 5.0 });
        row.judge();
        let text = table(&[row]);
        for part in ["| 6.00 [6.00, 6.00] ms |", "± 0.00 ms", "≤ 5.00 ms: **missed**"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn failures_stay_in_the_table_with_their_reason() {
        let mut row = measured();
        row.fail("signal 11 | here".to_owned());
        row.judge();
        let text = table(&[row]);
        assert!(text.contains("| failed "), "{text}");
        assert!(text.contains("**missed**"), "{text}");
        assert!(text.contains("signal 11 \\| here"), "{text}");
    }

    #[test]
    fn lines_have_the_same_number_of_columns() {
        let text = table(&[measured()]);
        assert!(text.lines().all(|line| line.matches('|').count() == COLUMNS.len() + 1));
    }

    #[test]
    fn numbers_keep_three_digits() {
        let written = [0.123, 9.999, 99.96, 1234.5].map(number);
        assert_eq!(written, ["0.12", "10.0", "100", "1234"]);
    }
}
