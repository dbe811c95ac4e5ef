//! A row before it has figures.

use super::benchmark::Benchmark;
use crate::host::{self, Host};
use crate::result::{ResultRow, SCHEMA, State, Way};

/// What all rows of one run say alike.
#[derive(Clone, Debug)]
pub struct Common {
    /// See [`ResultRow::run`].
    pub run: String,
    /// Whether the work is scaled down.
    pub quick: bool,
    /// The machine.
    pub host: Host,
}

/// The row of a way.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "sizes and counts of clients are far below 2^53")]
pub fn empty(common: &Common, suite: &str, benchmark: &Benchmark, way: Way, cpus: &[usize]) -> ResultRow {
    ResultRow {
        schema: SCHEMA,
        run: common.run.clone(),
        date: host::now(),
        suite: suite.to_owned(),
        name: benchmark.name.to_owned(),
        title: benchmark.title(),
        params: benchmark.params.iter().map(|&(name, value)| (name.to_owned(), value as f64)).collect(),
        way,
        state: State::Measured,
        unit: benchmark.unit,
        samples: Vec::new(),
        estimate: None,
        spread_percent: None,
        cycles: None,
        counters: std::collections::BTreeMap::new(),
        native: Vec::new(),
        ratio: None,
        floor: None,
        noisy: false,
        quantiles: Vec::new(),
        repetitions: 0,
        quick: common.quick,
        pinned_cpus: cpus.to_vec(),
        command: String::new(),
        notes: benchmark.notes.iter().map(|&note| note.to_owned()).collect(),
        host: common.host.clone(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::result::Unit;
    use crate::run::benchmark::scaled;

    /// A row without figures on a machine without properties.
    pub fn row(way: Way, unit: Unit) -> ResultRow {
        let common = Common { run: "run".to_owned(), quick: true, host: Host::default() };
        let benchmark = Benchmark { unit, ..Benchmark::driver("d", "name", "name", scaled(1, 1), "") };
        empty(&common, "suite", &benchmark.with("bytes", 64), way, &[1])
    }

    #[test]
    fn row_reads_as_it_was_written() {
        let row = row(Way::Native, Unit::Nanoseconds);
        let text = serde_json::to_string(&row).unwrap();
        let back: ResultRow = serde_json::from_str(&text).unwrap();
        assert_eq!((back.title.as_str(), back.params["bytes"]), ("name (bytes 64)", 64.0));
        assert_eq!(back.pinned_cpus, [1]);
    }
}
