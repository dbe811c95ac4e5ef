//! One benchmark, all ways in turns, and the rows that come of it.

use std::cell::RefCell;
use std::time::Duration;

use super::benchmark::Benchmark;
use super::output::{self, Sample};
use super::progress::Progress;
use super::ways::{Contender, How};
use crate::launch::Failure;
use crate::measure::{Rounds, Turns};
use crate::result::{ResultRow, State, Way};
use crate::stats;
use crate::suites::Stop;

/// Native against native strays farther than this: the figures say little.
const NOISY: f64 = 0.1;

/// Takes one sample of a contender, within a limit where there is one. The first one of each is its check.
pub trait Sampler {
    /// # Errors
    /// The way did not do what it should, or the user stopped it.
    fn sample(&mut self, contender: &Contender, limit: Option<Duration>, first: bool) -> Result<Sample, Failure>;
}

/// Measures a benchmark. Native comes first among the contenders; `rows` has a row for each of them in their order,
/// and they are filled.
///
/// # Errors
/// The user stopped it; the rows have what was measured.
pub fn measure(
    contenders: &[Contender],
    rows: &mut [ResultRow],
    benchmark: &Benchmark,
    rounds: usize,
    sampler: &mut dyn Sampler,
    progress: &Progress,
) -> Result<(), Stop> {
    let [native, ways @ ..] = contenders else { return Ok(()) };
    progress.begin(&benchmark.title());
    let start = std::time::Instant::now();
    match sampler.sample(native, None, true) {
        Ok(_) => progress.step(),
        Err(Failure::Interrupted) => return Err(Stop::Interrupted),
        Err(Failure::Failed(reason)) => {
            let missing = |way: &Contender| matches!(way.how, How::Missing(_));
            for (contender, row) in contenders.iter().zip(rows).filter(|(contender, _)| !missing(contender)) {
                row.state = State::Failed { reason: reason.clone() };
                row.notes.extend((contender.way != Way::Native).then(|| "not tried: native failed".to_owned()));
            }
            return Ok(());
        }
    }
    let limit = Duration::from_secs(30) + 30 * start.elapsed();
    let mut turns = Turns::of(ways.len());
    for (number, contender) in ways.iter().enumerate() {
        if let How::Missing(reason) = &contender.how {
            turns.rule_out(number, reason.clone());
            continue;
        }
        match sampler.sample(contender, Some(limit), true) {
            Ok(_) => progress.step(),
            Err(Failure::Interrupted) => return Err(Stop::Interrupted),
            Err(Failure::Failed(reason)) => turns.rule_out(number, reason),
        }
    }
    let samples = RefCell::new(vec![Vec::new(); contenders.len()]);
    let mut ended = Ok(());
    for _ in 0..rounds {
        ended = turns.take(|way| {
            let number = way.map_or(0, |way| way + 1);
            let sample = sampler.sample(&contenders[number], Some(limit), false)?;
            progress.step();
            let figure = sample.figure;
            samples.borrow_mut()[number].push(sample);
            Ok(figure)
        });
        if ended.is_err() {
            break;
        }
    }
    let samples = samples.into_inner();
    fill(&mut rows[0], &samples[0]);
    for (number, rounds) in turns.ways().iter().enumerate() {
        let row = &mut rows[number + 1];
        // A round that was not complete has no native run after it.
        let complete = rounds.len().min(samples[number + 1].len());
        fill(row, &samples[number + 1][..complete]);
        compare(row, rounds);
        if let Some(reason) = rounds.failure() {
            row.state = match ways[number].how {
                How::Missing(_) => State::Unavailable { reason: reason.to_owned() },
                _ => State::Failed { reason: reason.to_owned() },
            };
        }
    }
    match ended {
        Ok(()) => Ok(()),
        Err(Failure::Failed(reason)) => {
            rows[0].state = State::Failed { reason };
            Ok(())
        }
        Err(Failure::Interrupted) => {
            rows.iter_mut().for_each(|row| row.notes.push("interrupted".to_owned()));
            Err(Stop::Interrupted)
        }
    }
}

/// A way's own figures.
fn fill(row: &mut ResultRow, samples: &[Sample]) {
    row.samples = samples.iter().map(|sample| sample.figure).collect();
    row.estimate = stats::estimate(&row.samples);
    row.spread_percent = stats::spread_percent(&row.samples);
    let cycles: Vec<f64> = samples.iter().filter_map(|sample| sample.cycles).collect();
    row.cycles = stats::estimate(&cycles);
    row.counters = output::median_counters(samples);
    row.quantiles = output::median_quantiles(samples);
    row.repetitions = samples.first().map_or(0, |sample| sample.repetitions);
    row.noisy = row.estimate.is_some_and(|estimate| estimate.farthest_from(estimate.median) > NOISY * estimate.median);
}

/// Its figures beside native's.
fn compare(row: &mut ResultRow, rounds: &Rounds) {
    row.native = rounds.native().to_vec();
    row.ratio = rounds.ratio();
    row.floor = rounds.ratio_floor();
    row.noisy |= row.floor.is_some_and(|floor| floor > NOISY);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Unit;
    use crate::run::benchmark::{Benchmark, scaled};
    use crate::run::row::tests::row;

    type Figure = Box<dyn FnMut(&str, bool) -> Result<f64, Failure>>;

    struct Script(Figure);

    impl Sampler for Script {
        fn sample(&mut self, contender: &Contender, _limit: Option<Duration>, first: bool) -> Result<Sample, Failure> {
            let figure = (self.0)(&contender.way.name(), first)?;
            Ok(Sample { cycles: Some(figure * 2.0), repetitions: 10, ..Sample::of(figure) })
        }
    }

    fn contenders() -> Vec<Contender> {
        let way = |name: &str| Way::Peer { name: name.to_owned(), version: None };
        vec![
            Contender { way: Way::Native, how: How::Native },
            Contender { way: way("good"), how: How::InDriver("good") },
            Contender { way: way("bad"), how: How::InDriver("bad") },
            Contender { way: way("missing"), how: How::Missing("apt".to_owned()) },
        ]
    }

    fn run(script: impl FnMut(&str, bool) -> Result<f64, Failure> + 'static) -> (Vec<ResultRow>, Result<(), Stop>) {
        let contenders = contenders();
        let mut rows: Vec<_> =
            contenders.iter().map(|contender| row(contender.way.clone(), Unit::Nanoseconds)).collect();
        let benchmark = Benchmark::driver("d", "n", "n", scaled(1, 1), "");
        let progress = Progress::hidden();
        let mut script = Script(Box::new(script));
        let end = measure(&contenders, &mut rows, &benchmark, 3, &mut script, &progress);
        (rows, end)
    }

    #[test]
    fn ways_are_compared_and_those_that_fail_the_check_say_why() {
        let (rows, end) = run(|name, _| match name {
            "bad" => Err(Failure::Failed("exit 1".to_owned())),
            "good" => Ok(3.0),
            _ => Ok(2.0),
        });
        assert!(end.is_ok());
        assert_eq!((rows[0].samples.len(), rows[0].ratio), (4, None));
        assert_eq!(rows[1].samples, [3.0; 3]);
        assert_eq!(rows[1].ratio.unwrap().median, 1.5);
        assert_eq!(rows[1].cycles.unwrap().median, 6.0);
        assert_eq!((rows[1].native.len(), rows[1].repetitions, rows[1].noisy), (4, 10, false));
        assert_eq!(rows[2].state, State::Failed { reason: "exit 1".to_owned() });
        assert_eq!(rows[3].state, State::Unavailable { reason: "apt".to_owned() });
    }

    #[test]
    fn nothing_is_compared_where_native_fails() {
        let (rows, end) = run(|_, _| Err(Failure::Failed("native: exit 1".to_owned())));
        assert!(end.is_ok());
        assert!(rows[..3].iter().all(|row| matches!(row.state, State::Failed { .. }) && row.samples.is_empty()));
    }

    #[test]
    fn interruption_keeps_complete_rounds() {
        let mut left = 9;
        let (rows, end) = run(move |name, first| {
            left -= i32::from(!first);
            if name == "bad" {
                return Err(Failure::Failed("exit 1".to_owned()));
            }
            if left < 5 { Err(Failure::Interrupted) } else { Ok(2.0) }
        });
        assert!(matches!(end, Err(Stop::Interrupted)));
        assert_eq!(rows[1].samples.len(), 1);
        assert!(rows[1].notes.contains(&"interrupted".to_owned()));
    }
}
