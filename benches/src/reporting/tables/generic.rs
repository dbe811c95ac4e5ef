//! The table of any suite: a line for each benchmark with the ways beside each other, or, where they are too many for
//! that, a line for each way.

use crate::reporting::data::{Benchmark, Outcome, Suite, Verdict};
use crate::reporting::format;
use crate::reporting::table::{Cell, Column, Row, Table};

/// More ways than this do not fit beside each other.
const MOST_COLUMNS: usize = 5;

/// Every benchmark of a suite.
#[must_use]
pub(crate) fn table(suite: &Suite) -> Table {
    if suite.ways.len() > MOST_COLUMNS { long(suite) } else { wide(suite) }
}

fn figure(outcome: &Outcome) -> Option<(String, f64)> {
    let estimate = outcome.estimate()?;
    Some((format::number(estimate.median), estimate.median))
}

fn ratio(outcome: &Outcome) -> Option<(String, f64)> {
    let ratio = outcome.ratio?;
    Some((format::interval(&ratio), ratio.median))
}

/// Native has none, nor has a way that is missing on this machine.
fn has_ratios(suite: &Suite, way: &str) -> bool {
    suite.benchmarks.iter().filter_map(|benchmark| benchmark.way(way)).any(|outcome| outcome.ratio.is_some())
}

fn wide(suite: &Suite) -> Table {
    let mut columns = vec![Column::words("benchmark"), Column::words("unit")];
    for way in &suite.ways {
        columns.push(Column::figures(way, Some(way)));
        if has_ratios(suite, way) {
            columns.push(Column::figures("× native [95 %]", Some(way)));
        }
    }
    let mut table = Table::new((&suite.name, &suite.name), &format!("Suite {}", suite.name), &caption(suite), columns);
    for benchmark in &suite.benchmarks {
        let mut cells = vec![Cell::text(&benchmark.title), Cell::text(benchmark.unit.symbol())];
        for way in &suite.ways {
            let outcome = benchmark.way(way);
            let mut value = table.outcome(outcome, figure);
            if !has_ratios(suite, way) {
                cells.push(value);
                continue;
            }
            let compared = outcome.map_or_else(Cell::dash, |outcome| {
                ratio(outcome).map_or_else(Cell::dash, |(text, value)| Cell {
                    text,
                    value: Some(value),
                    sign: outcome.verdict().sign(),
                    ..Cell::default()
                })
            });
            // The sign stands with the ratio that it is about.
            if compared.value.is_some() {
                value.sign = "";
            }
            cells.extend([value, compared]);
        }
        table.rows.push(Row { section: None, way: None, cells });
    }
    table
}

fn long(suite: &Suite) -> Table {
    let columns = vec![
        Column::words("way"),
        Column::figures("median [95 %]", None),
        Column::words("unit"),
        Column::figures("cycles", None),
        Column::figures("× native [95 %]", None),
        Column::figures("spread", None),
    ];
    let mut table = Table::new((&suite.name, &suite.name), &format!("Suite {}", suite.name), &caption(suite), columns);
    for benchmark in &suite.benchmarks {
        for (index, outcome) in sorted(benchmark).into_iter().enumerate() {
            let with_interval = |outcome: &Outcome| {
                let estimate = outcome.estimate()?;
                Some((format::interval(&estimate), estimate.median))
            };
            let mut value = table.outcome(Some(outcome), with_interval);
            value.sign = "";
            let plain = |found: Option<(String, f64)>, sign| {
                found.map_or_else(Cell::dash, |(text, value)| Cell {
                    text,
                    value: Some(value),
                    sign,
                    ..Cell::default()
                })
            };
            let cycles = outcome.cycles().map(|cycles| (format::number(cycles.median), cycles.median));
            let spread = outcome.row.spread_percent.map(|spread| (format!("{spread:.1} %"), spread));
            let cells = vec![
                Cell::text(&outcome.way),
                value,
                Cell::text(benchmark.unit.symbol()),
                plain(cycles, ""),
                plain(ratio(outcome), outcome.verdict().sign()),
                plain(spread, ""),
            ];
            let section = (index == 0).then(|| benchmark.title.clone());
            table.rows.push(Row { section, way: Some(outcome.way.clone()), cells });
        }
    }
    table
}

/// Best first; those without a figure last.
fn sorted(benchmark: &Benchmark) -> Vec<&Outcome> {
    let mut outcomes: Vec<&Outcome> = benchmark.results.iter().collect();
    let cost = |outcome: &Outcome| {
        let median = outcome.estimate().map_or(f64::INFINITY, |estimate| estimate.median);
        if benchmark.unit.more_is_better() && median.is_finite() { -median } else { median }
    };
    outcomes.sort_by(|left, right| cost(left).total_cmp(&cost(right)));
    outcomes
}

fn caption(suite: &Suite) -> String {
    let worse = suite.benchmarks.iter().flat_map(|benchmark| &benchmark.results);
    let verdicts: Vec<_> = worse.map(Outcome::verdict).collect();
    let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    format!(
        "Of {} comparisons with native {} are better, {} worse, {} show no difference.",
        verdicts.len() - count(Verdict::None),
        count(Verdict::Better),
        count(Verdict::Worse),
        count(Verdict::Same)
    )
}
