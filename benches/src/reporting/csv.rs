//! A suite as one flat file: a line for each benchmark and way, figures as plain numbers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::data::{Outcome, Suite, Verdict};
use super::format;

/// The columns, in order; parameters stand between `benchmark` and `way`, performance counters at the end.
const FIRST: [&str; 2] = ["suite", "benchmark"];
const REST: [&str; 26] = [
    "way",
    "state",
    "unit",
    "median",
    "low",
    "high",
    "nanoseconds",
    "cycles",
    "cycles_low",
    "cycles_high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "floor",
    "verdict",
    "spread_percent",
    "p50_ns",
    "p90_ns",
    "p99_ns",
    "samples",
    "repetitions",
    "noisy",
    "quick",
    "run",
    "date",
    "reason",
];

/// The file's text.
#[must_use]
pub(super) fn file(suite: &Suite) -> String {
    let mut params: Vec<&str> = Vec::new();
    for (name, _) in suite.benchmarks.iter().flat_map(|benchmark| &benchmark.id.params) {
        if !params.contains(&name.as_str()) {
            params.push(name);
        }
    }
    let rows = || suite.benchmarks.iter().flat_map(|benchmark| &benchmark.results);
    let counters: BTreeSet<&str> = rows().flat_map(|outcome| outcome.row.counters.keys()).map(String::as_str).collect();
    let titles: Vec<String> = FIRST
        .into_iter()
        .chain(params.iter().copied())
        .chain(REST)
        .chain(counters.iter().copied())
        .map(format::csv)
        .collect();
    let mut text = titles.join(",");
    text.push('\n');
    for benchmark in &suite.benchmarks {
        for outcome in &benchmark.results {
            let mut fields = vec![suite.name.clone(), benchmark.id.name.clone()];
            fields.extend(params.iter().map(|name| benchmark.param(name).map_or_else(String::new, format::parameter)));
            fields.extend(figures(outcome));
            let of_row = &outcome.row.counters;
            fields.extend(counters.iter().map(|name| of_row.get(*name).map_or_else(String::new, f64::to_string)));
            let fields: Vec<String> = fields.iter().map(|field| format::csv(field)).collect();
            let _ = writeln!(text, "{}", fields.join(","));
        }
    }
    text
}

fn figures(outcome: &Outcome) -> Vec<String> {
    let row = &outcome.row;
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let (estimate, cycles, ratio) = (outcome.estimate(), outcome.cycles(), outcome.ratio);
    let quantile = |index: usize| number(row.quantiles.get(index).copied());
    let (state, reason) = outcome.reason().unwrap_or(("measured", ""));
    let verdict = match outcome.verdict() {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Same => "same",
        Verdict::None => "",
    };
    let flag = |value: bool| u8::from(value).to_string();
    vec![
        outcome.way.clone(),
        state.to_owned(),
        row.unit.symbol().to_owned(),
        number(estimate.map(|found| found.median)),
        number(estimate.map(|found| found.low)),
        number(estimate.map(|found| found.high)),
        number(outcome.nanoseconds().map(|found| found.median)),
        number(cycles.map(|found| found.median)),
        number(cycles.map(|found| found.low)),
        number(cycles.map(|found| found.high)),
        number(ratio.map(|found| found.median)),
        number(ratio.map(|found| found.low)),
        number(ratio.map(|found| found.high)),
        number(row.floor),
        verdict.to_owned(),
        number(row.spread_percent),
        quantile(50),
        quantile(90),
        quantile(99),
        row.samples.len().to_string(),
        row.repetitions.to_string(),
        flag(row.noisy),
        flag(row.quick),
        row.run.clone(),
        row.date.clone(),
        reason.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{data::Data, fixture, load::Rows};
    use super::*;

    fn lines(suite: &str) -> Vec<String> {
        let data = Data::of(Rows { rows: fixture::rows(), warnings: Vec::new() });
        file(data.suite(suite).unwrap()).lines().map(str::to_owned).collect()
    }

    #[test]
    fn parameters_have_columns_and_figures_are_numbers() {
        let lines = lines("switch");
        let titles: Vec<&str> = lines[0].split(',').collect();
        assert!(
            titles.contains(&"processes") && titles.contains(&"bytes") && titles.contains(&"threads"),
            "{titles:?}"
        );
        let median = titles.iter().position(|title| *title == "median").unwrap();
        for line in &lines[1..] {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), titles.len(), "{line}");
            assert!(fields[median].parse::<f64>().is_ok(), "{line}");
        }
    }

    #[test]
    fn counters_have_columns() {
        let mut rows = fixture::rows();
        rows[1].counters.insert("instructions".to_owned(), 12.5);
        let data = Data::of(Rows { rows, warnings: Vec::new() });
        let text = file(data.suite("singularity").unwrap());
        let mut lines = text.lines();
        assert!(lines.next().unwrap().ends_with(",instructions"));
        assert!(lines.next().unwrap().ends_with(',') && lines.next().unwrap().ends_with(",12.5"));
    }

    #[test]
    fn failed_rows_stay_with_their_reason() {
        let lines = lines("interpose");
        let failed = lines.iter().find(|line| line.contains("lazypoline")).unwrap();
        assert!(failed.contains(",failed,ns,,,"), "{failed}");
        assert!(failed.ends_with("\"signal 11 | after 3 s, 50% done\""), "{failed}");
    }
}
