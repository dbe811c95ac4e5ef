//! The table of a suite's targets: a line for each way of each benchmark, what is promised of it and whether that
//! holds.

use crate::base::stats::{self, Estimate};
use crate::reporting::data::{Benchmark, Outcome, Suite};
use crate::reporting::format;
use crate::reporting::mean::geometric_slowdown;
use crate::reporting::table::{Cell, Column, Row, Table};
use crate::rows::judge::{self, Judged};
use crate::rows::result::{ResultRow, State, Unit, Way};
use crate::rows::target::Target;
use crate::suites::{EMULATION, SPEED, compute, dynamorio, mechanisms, promises, workload};

const CAPTION: &str = "Ratios and differences: medians of pairs with a bootstrap 95 % interval, each pair one run of the way and \
the mean of the native ones before and after its round. A target is met when the worse end of the interval of what it is about \
meets it. Floor: how far native against native strays in the same run, in the target's unit; it is not added.";

/// Whether a way of the suite has a target.
#[must_use]
pub(crate) fn has_targets(suite: &Suite) -> bool {
    rows(suite).any(|row| row.target.is_some())
}

fn rows(suite: &Suite) -> impl Iterator<Item = &ResultRow> {
    suite.benchmarks.iter().flat_map(|benchmark| &benchmark.results).map(|outcome| &outcome.row)
}

/// Whether the suite is one with targets, though the ways that were measured may have none.
#[must_use]
pub(crate) fn is_judged(suite: &Suite) -> bool {
    let judged = [SPEED, EMULATION].concat();
    has_targets(suite) || judged.iter().any(|known| known.name == suite.name && known.name != mechanisms::SUITE.name)
}

/// Which columns the targets of a suite need beside the ratio.
#[derive(Clone, Copy)]
struct Columns {
    difference: bool,
    times_faster: bool,
    dynamorio: bool,
}

impl Columns {
    fn of(suite: &Suite) -> Self {
        let any = |wanted: fn(Target) -> bool| rows(suite).filter_map(|row| row.target).any(wanted);
        let published = |benchmark: &Benchmark| dynamorio::published(&suite.name, &benchmark.id.name).is_some();
        Self {
            difference: any(|target| matches!(target, Target::Difference { .. })),
            times_faster: any(|target| matches!(target, Target::Faster { .. })),
            dynamorio: suite.benchmarks.iter().any(published),
        }
    }

    fn titles(self, base: &str) -> Vec<Column> {
        let mut columns = vec![Column::words("benchmark"), Column::words("way")];
        columns.extend([base, "this way"].map(|title| Column::figures(title, None)));
        columns.push(Column::figures("ratio [95 %]", None));
        columns.extend(self.difference.then(|| Column::figures("difference [95 %]", None)));
        columns.extend(self.times_faster.then(|| Column::figures("times faster [95 %]", None)));
        columns.extend(["floor", "pairs"].map(|title| Column::figures(title, None)));
        columns.extend(self.dynamorio.then(|| Column::figures("DynamoRIO, elsewhere", None)));
        columns.extend([Column::words("target"), Column::words("verdict")]);
        columns
    }
}

/// The table of a suite.
#[must_use]
pub(crate) fn table(suite: &Suite) -> Table {
    let columns = Columns::of(suite);
    let base = rows(suite).find_map(|row| row.base.as_ref()).map_or("native", |_| "--emulate off");
    let (id, title) = (format!("{}-targets", suite.name), format!("Targets of suite {}", suite.name));
    let mut table = Table::new((&suite.name, &id), &title, CAPTION, columns.titles(base));
    for benchmark in &suite.benchmarks {
        for outcome in benchmark.results.iter().filter(|outcome| is_compared(&outcome.row)) {
            let row = line(&mut table, columns, benchmark, outcome);
            table.rows.push(row);
        }
    }
    for mean in means(suite) {
        let row = mean_line(&mut table, columns, &mean);
        table.rows.push(row);
    }
    if columns.dynamorio {
        table.caption.push_str(&format!(" DynamoRIO's figures: {}.", dynamorio::source()));
    }
    table
}

/// What others are compared with has no line of its own.
fn is_compared(row: &ResultRow) -> bool {
    row.way != Way::Native && (row.base.is_some() || row.ratio.is_some() || row.target.is_some() || failed(row))
}

fn failed(row: &ResultRow) -> bool {
    row.state != State::Measured
}

fn line(table: &mut Table, columns: Columns, benchmark: &Benchmark, outcome: &Outcome) -> Row {
    let row = &outcome.row;
    let unit = row.unit.symbol();
    let in_unit = |value: f64| Cell { value: Some(value), ..Cell::text(&format!("{} {unit}", format::number(value))) };
    let mut cells = vec![
        Cell::text(&format!("{}/{}", row.suite, benchmark.title)),
        Cell::text(&outcome.way),
        stats::median(&row.native).map_or_else(Cell::dash, in_unit),
        table.outcome(Some(outcome), figure),
        estimate_cell(row.ratio, "×"),
    ];
    cells[3].sign = "";
    let difference = judge::rounds(row).difference().filter(|_| columns.difference);
    cells.extend(columns.difference.then(|| estimate_cell(difference, &format!(" {unit}"))));
    let faster = row.ratio.map(|ratio| ratio.inverse());
    cells.extend(columns.times_faster.then(|| estimate_cell(faster, "×")));
    cells.extend([floor(row), Cell::text(&row.samples.len().to_string())]);
    let published = dynamorio::published(&row.suite, &row.name).map(|published| published.cell());
    cells.extend(columns.dynamorio.then(|| published.map_or_else(Cell::dash, |text| Cell::text(&text))));
    cells.push(row.target.map_or_else(Cell::dash, |target| Cell::text(&limit(target, row.unit))));
    cells.push(verdict(row.met));
    Row { section: None, way: Some(outcome.way.clone()), cells }
}

fn estimate_cell(estimate: Option<Estimate>, unit: &str) -> Cell {
    estimate.map_or_else(Cell::dash, |estimate| Cell {
        value: Some(estimate.median),
        ..Cell::text(&format!("{}{unit}", format::interval(&estimate)))
    })
}

/// The figure of a way; with its interval where the verdict is about it.
fn figure(outcome: &Outcome) -> Option<(String, f64)> {
    let estimate = outcome.estimate()?;
    let text = match outcome.row.target {
        Some(Target::Absolute { .. }) => format::interval(&estimate),
        _ => format::number(estimate.median),
    };
    Some((format!("{text} {}", outcome.row.unit.symbol()), estimate.median))
}

/// How far native against native strays, in the unit that the target is about; else as a share.
fn floor(row: &ResultRow) -> Cell {
    let text = match (row.target, judge::judged(row)) {
        (Some(Target::Difference { .. } | Target::Absolute { .. }), Some(Judged { floor, .. })) => {
            format!("± {} {}", format::number(floor), row.unit.symbol())
        }
        (Some(Target::Faster { .. }), Some(Judged { floor, .. })) => format!("± {}×", format::number(floor)),
        _ => return row.floor.map_or_else(Cell::dash, |floor| Cell::text(&format!("± {:.1} %", floor * 100.0))),
    };
    Cell::text(&text)
}

fn limit(target: Target, unit: Unit) -> String {
    let (limit, unit) = (format::number(target.limit()), unit.symbol());
    match target {
        Target::Ratio { .. } => format!("≤ {limit}×"),
        Target::Difference { .. } => format!("≤ native + {limit} {unit}"),
        Target::Absolute { .. } => format!("≤ {limit} {unit}"),
        Target::Faster { .. } => format!("≥ {limit}× native's speed"),
    }
}

fn verdict(met: Option<bool>) -> Cell {
    match met {
        Some(true) => Cell::text("met"),
        Some(false) => Cell::text("missed"),
        None => Cell::dash(),
    }
}

/// The geometric mean of suite `compute` under one way.
#[derive(Debug)]
pub(crate) struct Mean {
    /// The way.
    pub way: Way,
    name: String,
    ratio: Estimate,
    floor: Option<f64>,
    counted: usize,
    target: Option<Target>,
    aim: Option<f64>,
    /// Whether the target is met; nothing is said where programs are missing.
    pub met: Option<bool>,
}

/// The means of a suite, of each way that has several programs.
#[must_use]
pub(crate) fn means(suite: &Suite) -> Vec<Mean> {
    if suite.name != compute::SUITE.name || suite.benchmarks.len() < 2 {
        return Vec::new();
    }
    suite.ways.iter().filter_map(|way| mean(suite, way)).collect()
}

fn mean(suite: &Suite, way: &str) -> Option<Mean> {
    let found = geometric_slowdown(suite, way, |_| true)?;
    let outcomes = || suite.benchmarks.iter().filter_map(|benchmark| benchmark.way(way));
    let of_way = &outcomes().next()?.row.way;
    if *of_way == Way::Native {
        return None;
    }
    let floors: Vec<Vec<f64>> = outcomes().map(|outcome| judge::rounds(&outcome.row).native_ratios()).collect();
    let target = promises::mean(of_way);
    // The promise is about all of them: the mean of some says nothing about it.
    let complete = found.counted == workload::ALL.len();
    Some(Mean {
        way: of_way.clone(),
        name: way.to_owned(),
        ratio: found.estimate,
        floor: stats::geometric_mean(&floors).map(|mean| mean.farthest_from(1.0)),
        counted: found.counted,
        target,
        aim: promises::aim(of_way),
        met: target.filter(|_| complete).map(|target| target.is_met(&found.estimate)),
    })
}

fn mean_line(table: &mut Table, columns: Columns, mean: &Mean) -> Row {
    let mut notes = vec![format!("{} of {} programs", mean.counted, workload::ALL.len())];
    notes.extend(mean.aim.map(|aim| format!("aimed at ≤ {aim:.2}×")));
    if mean.target.is_some_and(|target| target.is_close(&mean.ratio)) {
        notes.push("close to the target: settle it with --pairs 15".to_owned());
    }
    let note = table.note(&notes.join("; "));
    let name = format!("{}/{}", compute::SUITE.name, compute::MEAN);
    let ratio = Cell { note: Some(note), ..estimate_cell(Some(mean.ratio), "×") };
    let mut cells = vec![Cell::text(&name), Cell::text(&mean.name), Cell::dash(), Cell::dash(), ratio];
    cells.extend(columns.difference.then(Cell::dash));
    cells.extend(columns.times_faster.then(|| estimate_cell(Some(mean.ratio.inverse()), "×")));
    let floor = mean.floor.map_or_else(Cell::dash, |floor| Cell::text(&format!("± {:.1} %", floor * 100.0)));
    cells.extend([floor, Cell::dash()]);
    let published = dynamorio::published(compute::SUITE.name, compute::MEAN).map(|published| published.cell());
    cells.extend(columns.dynamorio.then(|| published.map_or_else(Cell::dash, |text| Cell::text(&text))));
    cells.push(mean.target.map_or_else(Cell::dash, |target| Cell::text(&limit(target, Unit::Seconds))));
    cells.push(verdict(mean.met));
    Row { section: None, way: Some(mean.name.clone()), cells }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stats;
    use crate::reporting::data::Data;
    use crate::reporting::load::Rows;

    /// Three turns of a way beside native's 4.
    fn row(suite: &str, name: &str, emulate: Option<&str>, figure: f64) -> ResultRow {
        let way = Way::Engine { engine: "direct".to_owned(), emulate: emulate.map(str::to_owned) };
        let mut row = ResultRow::blank(way, Unit::Milliseconds);
        (row.suite, row.name) = (suite.to_owned(), name.to_owned());
        row.native = vec![4.0; 4];
        row.samples = vec![figure; 3];
        row.estimate = stats::estimate(&row.samples);
        row.ratio = judge::rounds(&row).ratio();
        row.floor = judge::rounds(&row).ratio_floor();
        row.target = promises::target(&row, None);
        judge::judge(&mut row);
        row
    }

    fn text(rows: Vec<ResultRow>) -> String {
        let data = Data::of(Rows { rows, warnings: Vec::new() });
        let table = table(&data.suites[0]);
        let titles: Vec<String> = table.columns.iter().map(|column| column.title.clone()).collect();
        let lines = table.rows.iter().map(|row| row.cells.iter().map(Cell::marked).collect::<Vec<_>>());
        let lines: Vec<String> =
            [titles].into_iter().chain(lines).map(|cells| format!("| {} |", cells.join(" | "))).collect();
        format!("{}\n{}", lines.join("\n"), table.notes.join("\n"))
    }

    fn assert_parts(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn figures_floor_target_and_verdict_stand_in_the_line() {
        let text = text(vec![row("startup", "true-cold", None, 6.0)]);
        let parts = ["startup/true-cold", "| direct", "4.00 ms", "6.00 ms", "1.50×", "2.00 ms", "± 0 ms"];
        assert_parts(&text, &parts);
        assert_parts(&text, &["≤ native + 15.0 ms", "| met"]);
    }

    #[test]
    fn absolute_targets_show_the_interval_of_the_figure() {
        let mut known = row("syscall", "getpid-known", None, 6.0);
        known.estimate = Some(Estimate { median: 6.0, low: 5.5, high: 6.5 });
        assert_parts(&text(vec![known]), &["6.00 [5.50, 6.50] ms", "± 0 ms", "≤ 2.00 ms", "| missed"]);
    }

    #[test]
    fn levels_say_how_many_times_faster_they_are() {
        let text = text(vec![row("program", "dd-zero-null", Some("coherent"), 1.0)]);
        assert_parts(&text, &["direct coherent", "0.250×", "4.00×", "≥ 8.00× native's speed", "| missed"]);
    }

    #[test]
    fn rows_beside_off_say_so() {
        let mut compute = row("compute-levels", "xz", Some("relaxed"), 4.0);
        compute.base = Some(Way::Engine { engine: "direct".to_owned(), emulate: Some("off".to_owned()) });
        let text = text(vec![compute]);
        assert!(text.contains("--emulate off |") && !text.contains("native |"), "{text}");
    }

    #[test]
    fn failures_stay_in_the_table_with_their_reason() {
        let mut failed = row("startup", "true", None, 4.0);
        failed.state = State::Failed { reason: "signal 11 | here".to_owned() };
        judge::judge(&mut failed);
        assert_parts(&text(vec![failed]), &["| failed |", "| missed", "signal 11 | here"]);
    }

    #[test]
    fn mean_of_some_programs_has_no_verdict_and_that_of_all_has_one() {
        let rows = |count: usize| -> Vec<ResultRow> {
            workload::ALL.iter().take(count).map(|workload| row("compute", workload.name, None, 4.0)).collect()
        };
        let mean = |count| {
            let data = Data::of(Rows { rows: rows(count), warnings: Vec::new() });
            means(&data.suites[0]).pop().map(|mean| (mean.name, mean.met))
        };
        assert_eq!(mean(1), None);
        assert_eq!(mean(2), Some(("direct".to_owned(), None)));
        assert_eq!(mean(workload::ALL.len()), Some(("direct".to_owned(), Some(true))));
        assert!(text(rows(2)).contains("compute/geometric-mean"));
    }
}
