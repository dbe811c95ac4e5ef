//! Latencies of single operations, for the benchmarks that timed them.

use crate::reporting::data::{Outcome, Suite};
use crate::reporting::format;
use crate::reporting::table::{Cell, Column, Row, Table};

/// The columns: their titles, and the quantile in hundredths.
const QUANTILES: [(&str, usize); 5] = [("minimum", 0), ("median", 50), ("90 %", 90), ("99 %", 99), ("maximum", 100)];

/// A line for each benchmark and way that has quantiles; `None` where there is none.
#[must_use]
pub(super) fn table(suite: &Suite) -> Option<Table> {
    let mut columns = vec![Column::words("way")];
    columns.extend(QUANTILES.map(|(title, _)| Column::figures(title, None)));
    let id = format!("{}-latency", suite.name);
    let title = format!("Suite {}: latency", suite.name);
    let caption = "Nanoseconds for one operation: so much or less for this share of the operations.";
    let mut table = Table::new((&suite.name, &id), &title, caption, columns);
    for benchmark in &suite.benchmarks {
        let timed: Vec<&Outcome> = benchmark
            .results
            .iter()
            .filter(|outcome| outcome.row.quantiles.len() > 100 && outcome.reason().is_none())
            .collect();
        for (index, outcome) in timed.into_iter().enumerate() {
            let mut cells = vec![Cell::text(&outcome.way)];
            for (_, hundredth) in QUANTILES {
                let value = |outcome: &Outcome| {
                    outcome.row.quantiles.get(hundredth).map(|&value| (format::number(value), value))
                };
                let mut cell = table.outcome(Some(outcome), value);
                // The verdict is about the benchmark's figure, not about each quantile.
                (cell.sign, cell.note) = ("", None);
                cells.push(cell);
            }
            let section = (index == 0).then(|| benchmark.title.clone());
            table.rows.push(Row { section, way: Some(outcome.way.clone()), cells });
        }
    }
    table.notes.clear();
    (!table.rows.is_empty()).then_some(table)
}
