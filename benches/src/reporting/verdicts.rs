//! What is printed after `bt-bench speed` and `bt-bench emulation`: each suite with its targets, how many of them are
//! met, and the programs that run faster than native.

use std::fmt::Write as _;

use super::data::Data;
use super::format;
use super::markdown;
use super::table::LEGEND;
use super::tables::{generic, targets};
use crate::base::stats::Estimate;
use crate::rows::engine::Level;
use crate::rows::result::{ResultRow, State, Way};
use crate::suites::compute;

/// Pairs below which an interval says nothing.
const ENOUGH_PAIRS: usize = 3;

/// A table for each suite: with its targets where it has any, the ways beside each other where it has none.
#[must_use]
pub(crate) fn tables(data: &Data) -> String {
    let mut text = String::new();
    for suite in &data.suites {
        let table = if targets::is_judged(suite) { targets::table(suite) } else { generic::table(suite) };
        text.push_str(&markdown::section(&table));
    }
    let _ = writeln!(text, "{LEGEND}");
    text
}

/// How many targets each engine meets, at one level at least where it has several, and which it misses at all.
#[must_use]
pub(crate) fn tally(data: &Data) -> String {
    let mut judged: Vec<(&str, String, bool)> = Vec::new();
    let mut add = |way: &Way, name: String, met: Option<bool>| {
        let (Way::Engine { engine, .. }, Some(met)) = (way, met) else { return };
        let engine = ["direct", "translate", "ring0"].into_iter().find(|known| known == engine).unwrap_or("other");
        match judged.iter_mut().find(|(its_engine, its_name, _)| *its_engine == engine && *its_name == name) {
            Some((.., any)) => *any |= met,
            None => judged.push((engine, name, met)),
        }
    };
    for suite in &data.suites {
        for outcome in suite.benchmarks.iter().flat_map(|benchmark| &benchmark.results) {
            let row = &outcome.row;
            add(&row.way, format!("{}/{}", row.suite, row.name), row.met);
        }
        for mean in targets::means(suite) {
            add(&mean.way, format!("{}/{}", suite.name, compute::MEAN), mean.met);
        }
    }
    let mut engines: Vec<&str> = judged.iter().map(|(engine, ..)| *engine).collect();
    engines.sort_unstable();
    engines.dedup();
    let line = |engine: &str| {
        let of_engine = || judged.iter().filter(|(its_engine, ..)| *its_engine == engine);
        let missed: Vec<&str> = of_engine().filter(|(.., met)| !met).map(|(_, name, _)| name.as_str()).collect();
        let named = if missed.is_empty() { String::new() } else { format!(" ({})", missed.join(", ")) };
        format!("{engine}: {} targets met, {} missed{named}", of_engine().count() - missed.len(), missed.len())
    };
    let lines: Vec<String> = engines.into_iter().map(line).collect();
    if lines.is_empty() { "no targets".to_owned() } else { lines.join("; ") }
}

/// How many rows failed.
#[must_use]
pub(crate) fn failures(rows: &[ResultRow]) -> usize {
    rows.iter().filter(|row| matches!(row.state, State::Failed { .. })).count()
}

/// The programs of a suite that certainly run faster than native, each as the way that gains most, by gain. Without
/// emulation there is nothing to gain from: such a row is noise.
#[must_use]
pub(crate) fn faster_programs(rows: &[&ResultRow]) -> String {
    let mut faster: Vec<(&ResultRow, Estimate)> = rows
        .iter()
        .filter(|row| level(row) != Some(Level::Off) && is_faster(row))
        .filter_map(|row| Some((*row, row.ratio?.inverse())))
        .collect();
    faster.sort_by(|one, other| other.1.median.total_cmp(&one.1.median));
    let mut text = String::from(
        "\nUnmodified programs that run faster than native (the whole interval, by more than the floor), most first:\n\n",
    );
    let mut names: Vec<&str> = Vec::new();
    for (row, gain) in faster {
        if names.contains(&row.name.as_str()) {
            continue;
        }
        names.push(&row.name);
        let (gain, command) = (format::interval(&gain), row.command.replace('\n', "; "));
        let _ = writeln!(text, "* {gain} × faster: `{command}` ({})", row.way.name());
    }
    if names.is_empty() {
        text.push_str("none.\n");
    }
    text
}

fn level(row: &ResultRow) -> Option<Level> {
    match &row.way {
        Way::Engine { emulate, .. } => Level::named(emulate.as_deref()?),
        Way::Native | Way::Peer { .. } => None,
    }
}

fn is_faster(row: &ResultRow) -> bool {
    let beyond_floor = row.ratio.zip(row.floor).is_some_and(|(ratio, floor)| ratio.high < 1.0 - floor);
    row.samples.len() >= ENOUGH_PAIRS && beyond_floor
}

#[cfg(test)]
mod tests {
    use super::super::load::Rows;
    use super::*;
    use crate::base::stats;
    use crate::rows::judge;
    use crate::rows::result::Unit;
    use crate::rows::target::Target;

    /// Three turns of a level beside native's 4.
    fn row(name: &str, level: Level, figure: f64, at_least: f64) -> ResultRow {
        let way = Way::Engine { engine: "direct".to_owned(), emulate: Some(level.name().to_owned()) };
        let mut row = ResultRow::blank(way, Unit::Milliseconds);
        (row.suite, row.name, row.command) = ("program".to_owned(), name.to_owned(), format!("{name} some"));
        row.target = Some(Target::Faster { at_least });
        row.native = vec![4.0; 4];
        row.samples = vec![figure; 3];
        row.estimate = stats::estimate(&row.samples);
        row.ratio = judge::rounds(&row).ratio();
        row.floor = judge::rounds(&row).ratio_floor();
        judge::judge(&mut row);
        row
    }

    fn data(rows: Vec<ResultRow>) -> Data {
        Data::of(Rows { rows, warnings: Vec::new() })
    }

    #[test]
    fn one_level_that_meets_the_target_is_enough() {
        let rows = vec![
            row("dd", Level::Coherent, 2.0, 5.0),
            row("dd", Level::Coherent, 0.5, 5.0),
            row("od", Level::Coherent, 2.0, 5.0),
        ];
        assert_eq!(tally(&data(rows)), "direct: 1 targets met, 1 missed (program/od)");
        assert_eq!(tally(&data(Vec::new())), "no targets");
    }

    #[test]
    fn suites_without_targets_have_a_table_too() {
        let mut plain = row("true", Level::Coherent, 5.0, 1.0);
        (plain.suite, plain.target) = ("mechanisms".to_owned(), None);
        let text = tables(&data(vec![row("dd", Level::Coherent, 2.0, 5.0), plain]));
        assert!(text.contains("Targets of suite program") && text.contains("## Suite mechanisms"), "{text}");
    }

    #[test]
    fn programs_stand_once_by_gain_and_only_where_it_is_certain() {
        let rows = [
            row("slow", Level::Coherent, 5.0, 1.0),
            row("plain", Level::Off, 3.0, 1.0),
            row("some", Level::Coherent, 2.0, 1.0),
            row("most", Level::Coherent, 1.0, 1.0),
            row("most", Level::Coherent, 0.5, 1.0),
        ];
        let text = faster_programs(&rows.iter().collect::<Vec<_>>());
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('*')).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("* 8.00") && lines[0].contains("coherent"), "{text}");
        assert!(lines[1].contains("some"), "{text}");
        assert!(faster_programs(&[]).contains("none"));
    }
}
