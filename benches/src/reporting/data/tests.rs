//! Order, ratios and verdicts.

use super::super::fixture;
use super::*;

fn data() -> Data {
    Data::of(Rows { rows: fixture::rows(), warnings: Vec::new() })
}

#[test]
fn suites_and_ways_stand_in_a_fixed_order() {
    let data = data();
    let names: Vec<&str> = data.suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names[..4], ["singularity", "vmware", "switch", "interpose"]);
    assert_eq!(*names.last().unwrap(), "unheard-of");
    let ways = &data.suite("interpose").unwrap().ways;
    assert_eq!(ways[..4], ["native", "direct", "direct relaxed", "translate"]);
    assert!(ways.contains(&"ptrace".to_owned()));
}

#[test]
fn verdict_needs_more_than_the_floor() {
    let mut outcome = Outcome {
        way: "direct".to_owned(),
        row: fixture::rows().remove(1),
        ratio: Some(Estimate { median: 1.1, low: 1.05, high: 1.2 }),
    };
    outcome.row.floor = Some(0.01);
    assert_eq!(outcome.verdict(), Verdict::Worse);
    outcome.row.floor = Some(0.06);
    assert_eq!(outcome.verdict(), Verdict::Same);
    outcome.row.floor = None;
    outcome.row.unit = Unit::PerSecond;
    assert_eq!(outcome.verdict(), Verdict::Better);
    assert_eq!(outcome.slowdown().unwrap().median, 1.0 / 1.1);
    outcome.ratio = None;
    assert_eq!(outcome.verdict(), Verdict::None);
}

#[test]
fn ratio_that_a_row_lacks_comes_from_the_medians_of_its_run() {
    let mut rows: Vec<ResultRow> = fixture::rows().into_iter().filter(|row| row.name == "abi-call").collect();
    for row in &mut rows {
        row.ratio = None;
        row.estimate = Some(Estimate { median: 10.0, low: 9.0, high: 11.0 });
    }
    rows[1].estimate = Some(Estimate { median: 20.0, low: 18.0, high: 22.0 });
    let data = Data::of(Rows { rows, warnings: Vec::new() });
    let benchmark = &data.suites[0].benchmarks[0];
    assert!(benchmark.results[0].ratio.is_none(), "native has none");
    assert_eq!(benchmark.results[1].ratio, Some(Estimate { median: 2.0, low: 1.8, high: 2.2 }));
}

#[test]
fn failed_rows_have_a_reason_and_no_figure() {
    let data = data();
    let failed: Vec<&Outcome> = data.outcomes().filter(|outcome| outcome.reason().is_some()).collect();
    assert!(!failed.is_empty());
    for outcome in failed {
        assert!(outcome.estimate().is_none() && outcome.cycles().is_none() && outcome.ratio.is_none());
    }
}

#[test]
fn several_runs_are_told_apart() {
    let mut rows = vec![fixture::rows().remove(0)];
    rows.push(rows[0].clone());
    rows[1].run = "second".to_owned();
    let data = Data::of(Rows { rows, warnings: Vec::new() });
    assert_eq!(data.suites[0].ways.len(), 2);
    assert!(data.suites[0].ways.contains(&"native (second)".to_owned()));
}

#[test]
fn parameters_sort_as_numbers() {
    let data = data();
    let suite = data.suite("singularity").unwrap();
    let sizes: Vec<f64> = suite
        .benchmarks
        .iter()
        .filter(|found| found.id.name == "psr-size")
        .filter_map(|found| found.param("bytes"))
        .collect();
    assert!(sizes.is_sorted() && sizes.len() > 3, "{sizes:?}");
}

#[test]
fn times_are_converted_to_nanoseconds() {
    assert_eq!(Unit::Milliseconds.in_nanoseconds(), Some(1e6));
    assert_eq!(Unit::PerSecond.in_nanoseconds(), None);
}

#[test]
fn machines_stand_once_each() {
    let data = data();
    let machines = data.machines();
    assert_eq!(machines.len(), 1);
    assert_eq!(machines[0].runs, ["fixture-1"]);
    assert_eq!(machines[0].revisions, ["0123456789ab"]);
}

#[test]
fn titles_name_parameters_once() {
    let mut row = fixture::rows().into_iter().find(|row| row.name == "psr-size").unwrap();
    let title = |row: &ResultRow| {
        Data::of(Rows { rows: vec![row.clone()], warnings: Vec::new() }).suites[0].benchmarks[0].title.clone()
    };
    assert_eq!(title(&row), "psr size, bytes 65536");
    row.title = "psr-size (bytes 65536)".to_owned();
    assert_eq!(title(&row), "psr-size (bytes 65536)");
}
