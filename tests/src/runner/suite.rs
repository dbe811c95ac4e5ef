//! Runs tests side by side where that is harmless, then those that need the machine alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::case;
use super::verdict::Verdict;
use crate::packages;
use crate::spec::Test;

/// How tests are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Engines, in order.
    pub engines: Vec<String>,
    /// Tests at a time.
    pub jobs: usize,
    /// A test that cannot run counts as a failure.
    pub strict: bool,
}

/// Totals; the report itself was printed on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed, with their names.
    pub failed: Vec<String>,
    /// Tests that could not run.
    pub skipped: usize,
}

impl Totals {
    /// Adds another part of the suite.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.skipped += other.skipped;
    }

    /// The closing line.
    pub fn line(&self) -> String {
        let skipped = if self.skipped == 0 { String::new() } else { format!(", {} skipped", self.skipped) };
        format!("{} passed, {} failed{skipped}", self.passed, self.failed.len())
    }

    fn record(&mut self, test: &Test, engine: &str, verdict: Verdict, took: Duration) {
        let name = format!("{} [{engine}]", test.name);
        match verdict {
            Verdict::Passed => {
                println!("ok    {name} {:.1} s", took.as_secs_f64());
                self.passed += 1;
            }
            Verdict::Failed(why) => {
                println!("FAIL  {name} {:.1} s\n  {}", took.as_secs_f64(), why.trim_end().replace('\n', "\n  "));
                self.failed.push(name);
            }
            Verdict::Skipped(why) => {
                println!("skip  {name} ({why})");
                self.skipped += 1;
            }
        }
    }
}

/// Runs all tests and prints a line for each.
pub fn run(tests: &[Test], options: &Options) -> Totals {
    let (alone, together): (Vec<&Test>, Vec<&Test>) = tests.iter().partition(|test| test.alone);
    let totals = Mutex::new(Totals::default());
    run_list(&together, options.jobs, options, &totals);
    run_list(&alone, 1, options, &totals);
    totals.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn run_list(tests: &[&Test], jobs: usize, options: &Options, totals: &Mutex<Totals>) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let results = run_one(test, options);
                    let mut totals = totals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    for (engine, verdict, took) in results {
                        totals.record(test, &engine, verdict, took);
                    }
                }
            });
        }
    });
}

fn run_one(test: &Test, options: &Options) -> Vec<(String, Verdict, Duration)> {
    let started = Instant::now();
    let missing = packages::missing(&test.packages);
    let why = match missing.as_slice() {
        [] if test.needs_root && !nix::unistd::geteuid().is_root() => "needs root".to_owned(),
        [] => return case::run(test, &options.engines),
        names => format!("needs the packages {}", names.join(" ")),
    };
    let verdict = if options.strict { Verdict::Failed(why) } else { Verdict::Skipped(why) };
    vec![("native".to_owned(), verdict, started.elapsed())]
}

#[cfg(test)]
mod tests {
    use super::Totals;

    #[test]
    fn closing_line_names_skips_only_when_there_are_some() {
        let mut totals = Totals { passed: 2, failed: vec!["x".to_owned()], skipped: 0 };
        assert_eq!(totals.line(), "2 passed, 1 failed");
        totals.add(Totals { skipped: 3, ..Totals::default() });
        assert_eq!(totals.line(), "2 passed, 1 failed, 3 skipped");
    }
}
