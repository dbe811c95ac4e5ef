//! The table of basic costs of Aiken et al. (MSPC 2006), continued by this machine.

use crate::reporting::data::{Benchmark, Outcome, Suite};
use crate::reporting::format;
use crate::reporting::published::Published;
use crate::reporting::table::{Cell, Column, Row, Table};

/// The benchmark that is shown in a column of the paper: the first of these that was run.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("ABI call", &["abi-call"]),
    ("thread yield", &["thread-yield", "sched-yield"]),
    ("ping-pong", &["psr-socketpair", "psr-pipe", "psr-tcp"]),
    ("create process", &["create-process-spawn-dynamic", "create-process-spawn-static", "create-process-fork"]),
];

/// Published systems, then native and each engine, in cycles and in nanoseconds.
#[must_use]
pub(super) fn table(suite: &Suite, published: &Published) -> Table {
    let source = &published.singularity_mspc2006;
    let chosen: Vec<Option<&Benchmark>> = COLUMNS.iter().map(|(_, names)| first(suite, names)).collect();
    let mut columns = vec![Column::words("system"), Column::words("unit")];
    columns.extend(COLUMNS.iter().map(|(title, _)| Column::figures(title, None)));
    let caption = format!(
        "Published figures: {} ({}). Cycles of different machines do not compare as times. Measured here by: {}.",
        source.source,
        source.machine,
        measured_by(&chosen)
    );
    let mut table =
        Table::new((&suite.name, "singularity-paper"), "Singularity's basic costs, then and here", &caption, columns);
    for (index, system) in source.row.iter().enumerate() {
        let figures =
            [system.abi_call_cycles, system.thread_yield_cycles, system.psr_cycles, system.create_process_cycles];
        let mut cells = vec![Cell::text(&system.system), Cell::text("cycles")];
        cells.extend(figures.map(Cell::published));
        table.rows.push(Row { section: (index == 0).then(|| "Published".to_owned()), way: None, cells });
    }
    for (index, way) in suite.ways.iter().enumerate() {
        let cycles = |outcome: &Outcome| outcome.cycles().map(|cycles| cycles.median);
        let nanoseconds = |outcome: &Outcome| outcome.nanoseconds().map(|time| time.median);
        let mut lines = [("cycles", Vec::new()), ("ns", Vec::new())];
        for benchmark in &chosen {
            let outcome = benchmark.and_then(|benchmark| benchmark.way(way));
            lines[0]
                .1
                .push(table.outcome(outcome, |outcome| cycles(outcome).map(|value| (format::number(value), value))));
            lines[1].1.push(
                table.outcome(outcome, |outcome| nanoseconds(outcome).map(|value| (format::number(value), value))),
            );
        }
        let nothing = lines.iter().flat_map(|(_, cells)| cells).all(|cell| cell.value.is_none());
        // A way without any figure needs no second line to say so.
        for (line, (unit, figures)) in lines.into_iter().take(if nothing { 1 } else { 2 }).enumerate() {
            let mut cells = vec![Cell::text(way), Cell::text(unit)];
            cells.extend(figures);
            let section = (index == 0 && line == 0).then(|| "Measured here".to_owned());
            table.rows.push(Row { section, way: Some(way.clone()), cells });
        }
    }
    table
}

fn first<'suite>(suite: &'suite Suite, names: &[&str]) -> Option<&'suite Benchmark> {
    names.iter().find_map(|name| suite.find(name, None))
}

fn measured_by(chosen: &[Option<&Benchmark>]) -> String {
    let parts = COLUMNS.iter().zip(chosen).map(|((title, _), benchmark)| {
        let name = benchmark.map_or_else(|| "not run".to_owned(), |benchmark| benchmark.id.key());
        format!("{title} = {name}")
    });
    parts.collect::<Vec<_>>().join(", ")
}
