//! What is printed after a run: the machine, then a table with a line for each benchmark, its ways side by side; where
//! there are many ways, a line for each of them.

use std::fmt::Write as _;

use super::format::number;
use super::markdown::grid;
use crate::base::host::Host;
use crate::rows::result::{ResultRow, State, Way};

/// More ways than these do not stand side by side on a terminal.
const SIDE_BY_SIDE: usize = 5;

/// The machine and how bt-run is started, in a few lines above the table.
#[must_use]
pub(crate) fn heading(host: &Host, options: &str, date: &str) -> String {
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
    text.push('\n');
    text
}

fn short_revision(revision: &str) -> String {
    let (digits, rest) = revision.split_at_checked(12).unwrap_or((revision, ""));
    let dirty = if rest.ends_with("-dirty") { "-dirty" } else { "" };
    format!("{digits}{dirty}")
}

/// The tables of all suites, in the order in which they were measured.
#[must_use]
pub(crate) fn tables(rows: &[ResultRow]) -> String {
    let mut text = String::new();
    let mut suites: Vec<&str> = Vec::new();
    for row in rows {
        if !suites.contains(&row.suite.as_str()) {
            suites.push(&row.suite);
        }
    }
    for suite in suites {
        let of_suite: Vec<&ResultRow> = rows.iter().filter(|row| row.suite == suite).collect();
        let _ = write!(text, "\n{suite}\n\n{}", table(&of_suite));
    }
    text
}

fn table(rows: &[&ResultRow]) -> String {
    let (mut titles, mut ways): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for row in rows {
        if !titles.contains(&row.title.as_str()) {
            titles.push(&row.title);
        }
        if !ways.contains(&row.way.name()) {
            ways.push(row.way.name());
        }
    }
    let find = |title: &str, way: &str| rows.iter().find(|row| row.title == title && row.way.name() == way);
    if ways.len() > SIDE_BY_SIDE {
        return tall(rows) + &remark_lines(rows);
    }
    let mut heads = vec!["benchmark"];
    heads.extend(ways.iter().map(String::as_str));
    let lines: Vec<Vec<String>> = titles
        .iter()
        .map(|title| {
            let cells = ways.iter().map(|way| find(title, way).map_or_else(|| "–".to_owned(), |row| cell(row)));
            [(*title).to_owned()].into_iter().chain(cells).collect()
        })
        .collect();
    grid(&heads, &lines) + &remark_lines(rows)
}

fn tall(rows: &[&ResultRow]) -> String {
    let line = |row: &&ResultRow| vec![row.title.clone(), row.way.name(), cell(row)];
    let lines: Vec<Vec<String>> = rows.iter().map(line).collect();
    grid(&["benchmark", "way", "figure"], &lines)
}

fn remark_lines(rows: &[&ResultRow]) -> String {
    let mut text = String::new();
    for (reason, who) in remarks(rows) {
        let _ = writeln!(text, "\n{who}: {reason}");
    }
    text
}

fn cell(row: &ResultRow) -> String {
    match &row.state {
        State::Failed { .. } => return "failed".to_owned(),
        State::Unavailable { .. } => return "n/a".to_owned(),
        State::Measured => {}
    }
    let Some(estimate) = row.estimate else { return "–".to_owned() };
    let mut text = format!("{} {}", number(estimate.median), row.unit.symbol());
    if let Some(cycles) = row.cycles {
        let _ = write!(text, ", {} cyc", number(cycles.median));
    }
    if let Some(ratio) = row.ratio.filter(|_| row.way != Way::Native) {
        let _ = write!(text, " ({:.2}×)", ratio.median);
    }
    if row.noisy {
        text.push('~');
    }
    text
}

/// Why there are no figures: each reason once, with the benchmarks and ways that it is about.
fn remarks(rows: &[&ResultRow]) -> Vec<(String, String)> {
    let mut all: Vec<(String, Vec<String>, Vec<&str>)> = Vec::new();
    for row in rows {
        let (State::Failed { reason } | State::Unavailable { reason }) = &row.state else { continue };
        let way = row.way.name();
        match all.iter_mut().find(|(known, ..)| known == reason) {
            Some((_, ways, titles)) => {
                if !ways.contains(&way) {
                    ways.push(way);
                }
                if !titles.contains(&row.title.as_str()) {
                    titles.push(&row.title);
                }
            }
            None => all.push((reason.clone(), vec![way], vec![&row.title])),
        }
    }
    let who = |ways: &[String], titles: &[&str]| {
        let what = if titles.len() > 3 { format!("{} benchmarks", titles.len()) } else { titles.join(", ") };
        format!("{what} under {}", ways.join(", "))
    };
    all.into_iter().map(|(reason, ways, titles)| (reason, who(&ways, &titles))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stats;
    use crate::rows::result::Unit;

    fn row(way: Way, unit: Unit) -> ResultRow {
        let (suite, title) = ("suite".to_owned(), "name (bytes 64)".to_owned());
        ResultRow { suite, title, ..ResultRow::blank(way, unit) }
    }

    #[test]
    fn ways_stand_side_by_side_and_reasons_below() {
        let mut native = row(Way::Native, Unit::Nanoseconds);
        native.estimate = stats::estimate(&[10.0]);
        native.cycles = stats::estimate(&[23.0]);
        let mut ours = row(Way::Engine { engine: "direct".to_owned(), emulate: None }, Unit::Nanoseconds);
        (ours.estimate, ours.ratio, ours.noisy) = (stats::estimate(&[20.0]), stats::estimate(&[2.0]), true);
        let mut ring0 = row(Way::Engine { engine: "ring0".to_owned(), emulate: None }, Unit::Nanoseconds);
        ring0.state = State::Unavailable { reason: "no module".to_owned() };
        let text = tables(&[native, ours, ring0]);
        for part in
            ["\nsuite\n", "| name (bytes 64) | 10.0 ns, 23.0 cyc | 20.0 ns (2.00×)~ | n/a", "under ring0: no module"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn many_ways_stand_below_each_other() {
        let way = |number: usize| Way::Peer { name: format!("peer{number}"), version: None };
        let rows: Vec<ResultRow> = (0..=SIDE_BY_SIDE).map(|number| row(way(number), Unit::Nanoseconds)).collect();
        let text = tables(&rows);
        assert!(text.contains("| name (bytes 64) | peer5 | –"), "{text}");
    }
}
