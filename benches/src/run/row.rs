//! A row before it has figures.

use crate::base::host::{self, Host};
use crate::rows::result::{ResultRow, Way};
use crate::suites::benchmark::Benchmark;
use crate::suites::promises;

/// What all rows of one run say alike.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// The name of the run, [`ResultRow::run`].
    pub run: String,
    /// Whether the work is scaled down.
    pub quick: bool,
    /// The machine.
    pub host: Host,
}

/// The row of a way, with its target; `base` is what it is compared with where that is not native.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "sizes and counts of clients are far below 2^53")]
pub(crate) fn empty(
    common: &Common,
    suite: &str,
    benchmark: &Benchmark,
    way: Way,
    base: Option<&Way>,
    cpus: &[usize],
) -> ResultRow {
    let mut row = ResultRow {
        run: common.run.clone(),
        date: host::now(),
        suite: suite.to_owned(),
        name: benchmark.name.to_owned(),
        title: benchmark.title(),
        params: benchmark.params.iter().map(|&(name, value)| (name.to_owned(), value as f64)).collect(),
        base: base.filter(|base| **base != way && **base != Way::Native).cloned(),
        quick: common.quick,
        pinned_cpus: cpus.to_vec(),
        notes: benchmark.notes.iter().map(|&note| note.to_owned()).collect(),
        host: common.host.clone(),
        ..ResultRow::blank(way, benchmark.unit)
    };
    row.target = promises::target(&row, None);
    row
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rows::result::Unit;
    use crate::suites::benchmark::scaled;

    /// A row without figures on a machine without properties.
    pub(crate) fn row(way: Way, unit: Unit) -> ResultRow {
        let common = Common { run: "run".to_owned(), quick: true, host: Host::default() };
        let benchmark = Benchmark { unit, ..Benchmark::driver("d", "name", "name", scaled(1, 1), "") };
        empty(&common, "suite", &benchmark.with("bytes", 64), way, None, &[1])
    }

    #[test]
    fn row_reads_as_it_was_written() {
        let row = row(Way::Native, Unit::Nanoseconds);
        let text = serde_json::to_string(&row).unwrap();
        let back: ResultRow = serde_json::from_str(&text).unwrap();
        assert_eq!((back.title.as_str(), back.params["bytes"]), ("name (bytes 64)", 64.0));
        assert_eq!(back.pinned_cpus, [1]);
    }

    #[test]
    fn only_another_base_than_native_is_named() {
        let common = Common { run: String::new(), quick: false, host: Host::default() };
        let benchmark = Benchmark::driver("d", "name", "name", scaled(1, 1), "");
        let way = |level: &str| Way::Engine { engine: "direct".to_owned(), emulate: Some(level.to_owned()) };
        let base = |way: Way, base: &Way| empty(&common, "suite", &benchmark, way, Some(base), &[]).base;
        assert_eq!(base(way("relaxed"), &way("off")), Some(way("off")));
        assert_eq!(base(way("off"), &way("off")), None);
        assert_eq!(base(way("off"), &Way::Native), None);
    }
}
