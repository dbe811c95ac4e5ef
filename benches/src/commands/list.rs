//! `bt-bench list`: what there is to run.

use crate::suites::SUITES;
use crate::suites::benchmark::Benchmark;

/// All suites and benchmarks with a sentence each; those that differ in a number only are one line.
#[must_use]
pub(super) fn text() -> String {
    let mut text = String::new();
    for suite in SUITES {
        let benchmarks = (suite.benchmarks)();
        let [full, quick] = [false, true].map(|quick| duration(&benchmarks, quick));
        text.push_str(&format!("{}: {} ({full}; --quick {quick})\n", suite.name, suite.about));
        let mut last = "";
        for benchmark in &benchmarks {
            if benchmark.name != last {
                let line = format!("  {:<26} {}{}", benchmark.name, benchmark.about, params(benchmark, &benchmarks));
                text.push_str(line.trim_end());
                text.push('\n');
            }
            last = benchmark.name;
        }
        text.push('\n');
    }
    text
}

/// Two ways beside native, and what starting them takes.
fn minutes(benchmarks: &[Benchmark], quick: bool) -> u64 {
    let milliseconds = |benchmark: &Benchmark| {
        let samples = 3 * (benchmark.rounds.of(quick) as u64 + 1) + 1;
        samples * u64::from(benchmark.expected_ms.of(quick)) * 5 / 4
    };
    benchmarks.iter().map(milliseconds).sum::<u64>().div_ceil(60_000)
}

fn duration(benchmarks: &[Benchmark], quick: bool) -> String {
    format!("{} min", minutes(benchmarks, quick))
}

/// The numbers that a name stands with.
fn params(one: &Benchmark, all: &[Benchmark]) -> String {
    let values = |at: usize| {
        let mut values: Vec<u64> = Vec::new();
        for benchmark in all.iter().filter(|benchmark| benchmark.name == one.name) {
            let value = benchmark.params[at].1;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let values: Vec<String> = values.iter().map(u64::to_string).collect();
        format!("{}: {}", one.params[at].0, values.join(" "))
    };
    let all: Vec<String> = (0..one.params.len()).map(values).collect();
    if all.is_empty() { String::new() } else { format!(" [{}]", all.join("; ")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::suites::benchmark::Work;
    use crate::suites::drivers;

    #[test]
    fn every_suite_and_benchmark_has_a_line() {
        let text = text();
        for suite in SUITES {
            assert!(text.contains(&format!("{}: ", suite.name)));
            for benchmark in (suite.benchmarks)() {
                assert!(text.contains(&format!("  {} ", benchmark.name)), "{}", benchmark.name);
                assert!(benchmark.about.len() > 10, "{}", benchmark.name);
            }
        }
    }

    #[test]
    fn names_with_their_numbers_are_unique_and_stand_together() {
        for suite in SUITES {
            let titles: Vec<String> = (suite.benchmarks)().iter().map(Benchmark::title).collect();
            assert_eq!(titles.iter().collect::<BTreeSet<_>>().len(), titles.len(), "{}", suite.name);
            let mut names: Vec<&str> = (suite.benchmarks)().iter().map(|benchmark| benchmark.name).collect();
            names.dedup();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{}", suite.name);
        }
    }

    #[test]
    fn the_whole_takes_an_hour_and_the_comparisons_five_minutes_with_quick() {
        // Suite compute is measured once with suite vmware.
        // Suite programs needs what few have installed.
        let all = SUITES.iter().filter(|suite| !["compute", "programs"].contains(&suite.name));
        let full: u64 = all.map(|suite| minutes(&(suite.benchmarks)(), false)).sum();
        assert!(full <= 60, "{full}");
        let of = |name: &str| SUITES.iter().find(|suite| suite.name == name).unwrap();
        let quick: u64 = ["singularity", "vmware"].iter().map(|name| minutes(&(of(name).benchmarks)(), true)).sum();
        assert!(quick <= 5, "{quick}");
    }

    #[test]
    fn drivers_have_what_is_asked_of_them() {
        for suite in SUITES {
            for benchmark in (suite.benchmarks)() {
                for name in benchmark.drivers() {
                    assert!(drivers::source(name).is_some(), "{name}");
                }
                let Work::Driver(call) = &benchmark.work else { continue };
                let source = drivers::source(call.driver).unwrap_or_default();
                assert!(source.contains(&format!("{{ \"{}\", ", call.name)), "{}", call.name);
            }
        }
    }
}
