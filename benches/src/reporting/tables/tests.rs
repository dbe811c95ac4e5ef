//! What stands in the tables.

use crate::reporting::data::{Benchmark, Data};
use crate::reporting::load::Rows;
use crate::reporting::mean::geometric_slowdown;
use crate::reporting::table::Table;
use crate::reporting::{fixture, published};
use crate::rows::result::{ResultRow, State, Unit, Way};

use super::*;

fn tables(rows: Vec<ResultRow>) -> Vec<Table> {
    all(&Data::of(Rows { rows, warnings: Vec::new() }), &published::read().unwrap())
}

fn line<'table>(table: &'table Table, first: &str) -> Vec<&'table str> {
    let row = table.rows.iter().find(|row| row.cells[0].text == first).expect(first);
    row.cells.iter().map(|cell| cell.text.as_str()).collect()
}

#[test]
fn every_suite_has_a_table_and_every_line_all_cells() {
    let tables = tables(fixture::rows());
    let ids: Vec<&str> = tables.iter().map(|table| table.id.as_str()).collect();
    for id in ["singularity-paper", "singularity", "vmware-paper", "switch", "interpose", "servers", "unheard-of"] {
        assert!(ids.contains(&id), "{id} in {ids:?}");
    }
    assert!(tables.iter().all(Table::is_even));
}

#[test]
fn published_systems_stand_before_ours() {
    let tables = tables(fixture::rows());
    let table = &tables[0];
    assert_eq!(line(table, "Linux"), ["Linux", "cycles", "437", "906", "5,797", "719,447"]);
    assert_eq!(line(table, "Singularity SIP-Page")[3], "–");
    let native: Vec<_> = table.rows.iter().filter(|row| row.cells[0].text == "native").collect();
    assert_eq!(native.len(), 2, "cycles and nanoseconds");
    assert_eq!(native[0].section.as_deref(), Some("Measured here"));
    assert!(table.caption.contains("ping-pong = singularity/psr-socketpair,"), "{}", table.caption);
}

#[test]
fn vmware_lines_are_in_the_units_of_the_paper() {
    let tables = tables(fixture::rows());
    let table = tables.iter().find(|table| table.id == "vmware-paper").unwrap();
    assert_eq!(line(table, "syscall")[..5], ["syscall", "cycles", "242", "2,308", "246"]);
    let forkwait = line(table, "forkwait, 40,000 processes");
    assert_eq!(forkwait[..5], ["forkwait, 40,000 processes", "s", "6.02", "36.95", "106.4"]);
    assert!(forkwait[5].starts_with("5."), "{forkwait:?}");
    let compute = line(table, "compute, slow-down (geometric mean)");
    assert_eq!(compute[..5], ["compute, slow-down (geometric mean)", "%", "–", "4", "5"]);
    assert_eq!(compute[5], "–", "native has none");
    assert!(compute[7].starts_with('+') && compute[7].ends_with('%'), "{compute:?}");
    assert_eq!(line(table, "web server, 128 clients")[2], "2,202");
}

#[test]
fn published_web_figures_do_not_stand_beside_other_numbers_of_clients() {
    let rows = fixture::rows().into_iter().filter(|row| row.params.get("clients") != Some(&128.0)).collect();
    let tables = tables(rows);
    let table = tables.iter().find(|table| table.id == "vmware-paper").unwrap();
    assert_eq!(line(table, "web server, 16 clients")[2], "–");
}

#[test]
fn losses_are_marked() {
    let tables = tables(fixture::rows());
    let cells = tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
    let signs: Vec<&str> = cells.map(|cell| cell.sign).collect();
    assert!(signs.contains(&"▼") && signs.contains(&"▲"));
}

#[test]
fn many_ways_stand_below_each_other_best_first() {
    let tables = tables(fixture::rows());
    let table = tables.iter().find(|table| table.id == "interpose").unwrap();
    let ways: Vec<&str> = table.rows.iter().map(|row| row.cells[0].text.as_str()).collect();
    assert_eq!(ways[..2], ["direct relaxed", "native"]);
    assert!(ways[ways.len() - 2..].contains(&"gvisor"), "{ways:?}");
    assert_eq!(table.notes.len(), 2, "{:?}", table.notes);
}

#[test]
fn a_suite_in_which_all_failed_still_has_its_table() {
    let mut rows = fixture::rows();
    for row in &mut rows {
        row.state = State::Failed { reason: "no such thing".to_owned() };
        row.samples.clear();
        row.estimate = None;
    }
    assert!(tables(rows).iter().all(|table| table.is_even() && !table.rows.is_empty()));
}

#[test]
fn mean_counts_what_succeeded() {
    let mut rows = fixture::rows();
    let row =
        rows.iter_mut().find(|row| row.suite == "vmware" && row.name == "xz" && row.way.name() == "direct").unwrap();
    row.state = State::Failed { reason: "no such thing".to_owned() };
    let data = Data::of(Rows { rows, warnings: Vec::new() });
    let mean = geometric_slowdown(data.suite("vmware").unwrap(), "direct", Benchmark::is_compute).unwrap();
    assert_eq!((mean.counted, mean.tried), (6, 7));
    assert!((0.9..1.1).contains(&mean.estimate.median), "{mean:?}");
    assert!(geometric_slowdown(data.suite("vmware").unwrap(), "no such way", |_| true).is_none());
}

#[test]
fn timed_operations_have_a_table_of_quantiles() {
    let tables = tables(fixture::rows());
    let latency: Vec<&Table> = tables.iter().filter(|table| table.id.ends_with("-latency")).collect();
    assert_eq!(latency.len(), 1);
    assert_eq!(latency[0].rows.len(), 6, "two benchmarks, three ways");
    let values: Vec<f64> = latency[0].rows[0].cells.iter().filter_map(|cell| cell.value).collect();
    assert!(values.len() == 5 && values.is_sorted(), "{values:?}");
}

#[test]
fn compute_programs_are_known_without_their_prefix() {
    let mut rows = fixture::rows();
    for row in rows.iter_mut().filter(|row| row.suite == "vmware") {
        row.name = row.name.replace("compute-", "");
    }
    let data = Data::of(Rows { rows, warnings: Vec::new() });
    let mean = geometric_slowdown(data.suite("vmware").unwrap(), "translate", Benchmark::is_compute).unwrap();
    assert_eq!(mean.counted, 7, "compile and forkwait are none");
}

#[test]
fn quick_forkwait_does_not_stand_for_forty_thousand() {
    let mut rows = fixture::rows();
    rows.iter_mut().for_each(|row| row.quick = true);
    let tables = tables(rows);
    let table = tables.iter().find(|table| table.id == "vmware-paper").unwrap();
    assert_eq!(line(table, "forkwait, 40,000 processes")[5..], ["–", "–", "–"]);
    assert_ne!(line(table, "compile")[5], "–");
}

#[test]
fn rows_beside_another_base_stand_in_no_table_of_ratios_to_native() {
    let off = Way::Engine { engine: "direct".to_owned(), emulate: Some("off".to_owned()) };
    let relaxed = Way::Engine { engine: "direct".to_owned(), emulate: Some("relaxed".to_owned()) };
    let row = |way: Way, base: Option<Way>| ResultRow {
        suite: "compute-levels".to_owned(),
        name: "xz".to_owned(),
        base,
        ..ResultRow::blank(way, Unit::Seconds)
    };
    let tables = tables(vec![row(off.clone(), None), row(relaxed, Some(off))]);
    let ids: Vec<&str> = tables.iter().map(|table| table.id.as_str()).collect();
    assert_eq!(ids, ["compute-levels-targets"]);
    assert!(tables[0].is_even());
}
