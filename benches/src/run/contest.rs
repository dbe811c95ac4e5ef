//! One benchmark, all ways in turns, and the rows that come of it.

use std::time::{Duration, Instant};

use thiserror::Error;

use super::launch::Failure;
use super::output::{self, Sample};
use super::progress::Progress;
use super::turns::{Taken, Turns};
use super::ways::{Contender, How};
use crate::base::stats;
use crate::rows::judge;
use crate::rows::result::{ResultRow, State, Way};
use crate::suites::promises;

/// Native against native strays farther than this: the figures say little.
const NOISY: f64 = 0.1;

/// Rounds where a median is too near to its target for the usual number of them.
const CLOSE_ROUNDS: usize = 15;

/// Why a run ends early.
#[derive(Debug, Error)]
pub(crate) enum Stop {
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Rows cannot be written or the machine refuses.
    #[error(transparent)]
    Broken(#[from] anyhow::Error),
}

/// What an untimed run says of a way before it is measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Remarks for its row.
    pub notes: Vec<String>,
    /// The guest code that was translated, where that was asked.
    pub translated_bytes: Option<u64>,
}

/// Takes samples of a contender.
pub(super) trait Sampler {
    /// Takes one sample, within a limit where there is one. The first one of each contender is its check.
    ///
    /// # Errors
    /// The way did not do what it should, or the user stopped it.
    fn sample(&mut self, contender: &Contender, limit: Option<Duration>, first: bool) -> Result<Sample, Failure>;

    /// Asks a contender that has passed its check what the benchmark wants to know.
    ///
    /// # Errors
    /// There is no answer, or the user stopped it.
    fn ask(&mut self, _contender: &Contender) -> Result<Answer, Failure> {
        Ok(Answer::default())
    }
}

/// How many rounds a benchmark takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length {
    /// So many.
    pub rounds: usize,
    /// More of them where a median is close to its target.
    pub settles: bool,
}

/// One benchmark and who takes part.
pub(super) struct Contest<'run> {
    /// What the others are compared with comes first: native, or a way in its place.
    pub contenders: &'run [Contender],
    /// A row for each contender, in their order.
    pub rows: &'run mut [ResultRow],
    /// Takes the samples.
    pub sampler: &'run mut dyn Sampler,
    /// Shows how far it is.
    pub progress: &'run Progress,
}

impl Contest<'_> {
    /// Measures and fills the rows.
    ///
    /// # Errors
    /// The user stopped it; the rows have what was measured.
    pub(super) fn measure(mut self, length: Length) -> Result<(), Stop> {
        let mut turns = Turns::of(self.contenders.len().saturating_sub(1));
        let limit = match self.check_base() {
            Ok(limit) => limit,
            Err(Failure::Interrupted) => return Err(Stop::Interrupted),
            Err(Failure::Failed(reason)) => {
                self.give_up(&reason);
                return Ok(());
            }
        };
        self.check_ways(&mut turns, limit)?;
        let mut samples = vec![Vec::new(); self.contenders.len()];
        let (mut done, mut wanted) = (0, length.rounds);
        let ended = loop {
            if done == wanted {
                self.fill(&turns, &samples);
                let few = length.settles && wanted < CLOSE_ROUNDS;
                if !few || !self.rows.iter().any(judge::is_close) {
                    break Ok(());
                }
                wanted = CLOSE_ROUNDS;
            }
            if let Err(failure) = self.round(&mut turns, &mut samples, limit) {
                self.fill(&turns, &samples);
                break Err(failure);
            }
            done += 1;
        };
        let result = match ended {
            Ok(()) => Ok(()),
            Err(Failure::Failed(reason)) => {
                self.rows[0].state = State::Failed { reason };
                Ok(())
            }
            Err(Failure::Interrupted) => {
                self.rows.iter_mut().for_each(|row| row.notes.push("interrupted".to_owned()));
                Err(Stop::Interrupted)
            }
        };
        for row in self.rows.iter_mut() {
            promises::withdraw(row);
            judge::judge(row);
        }
        result
    }

    /// Checks native, whose output is what all must write, and the way in its place; returns how long a run of a way
    /// may take.
    fn check_base(&mut self) -> Result<Duration, Failure> {
        let start = Instant::now();
        let Some(base) = self.contenders.first() else { return Ok(Duration::ZERO) };
        if base.way != Way::Native {
            self.sampler.sample(&Contender::native(), None, true)?;
        }
        self.sampler.sample(base, None, true)?;
        self.progress.step();
        Ok(Duration::from_secs(30) + 30 * start.elapsed())
    }

    /// Nothing can be compared: the base failed.
    fn give_up(&mut self, reason: &str) {
        let there = |contender: &Contender| !matches!(contender.how, How::Missing(_));
        for (contender, row) in self.contenders.iter().zip(self.rows.iter_mut()).filter(|(way, _)| there(way)) {
            row.state = State::Failed { reason: reason.to_owned() };
            row.notes.extend((contender.way != self.contenders[0].way).then(|| "not tried: native failed".to_owned()));
            judge::judge(row);
        }
    }

    /// Checks each way and asks it what the benchmark wants to know. One that does not pass is left out.
    fn check_ways(&mut self, turns: &mut Turns, limit: Duration) -> Result<(), Stop> {
        for (number, (contender, row)) in self.contenders.iter().zip(self.rows.iter_mut()).skip(1).enumerate() {
            if let How::Missing(reason) = &contender.how {
                turns.rule_out(number, reason.clone());
                continue;
            }
            let checked = self.sampler.sample(contender, Some(limit), true);
            match checked.and_then(|_| self.sampler.ask(contender)) {
                Ok(answer) => {
                    row.notes.extend(answer.notes);
                    if answer.translated_bytes.is_some() {
                        row.target = promises::target(row, answer.translated_bytes);
                    }
                    self.progress.step();
                }
                Err(Failure::Interrupted) => return Err(Stop::Interrupted),
                Err(Failure::Failed(reason)) => turns.rule_out(number, reason),
            }
        }
        Ok(())
    }

    /// One turn of each.
    fn round(&mut self, turns: &mut Turns, samples: &mut [Vec<Sample>], limit: Duration) -> Result<(), Failure> {
        turns.take(|way| {
            let number = way.map_or(0, |way| way + 1);
            let sample = self.sampler.sample(&self.contenders[number], Some(limit), false)?;
            self.progress.step();
            let figure = sample.figure;
            samples[number].push(sample);
            Ok(figure)
        })
    }

    /// Fills the rows with what was measured so far.
    fn fill(&mut self, turns: &Turns, samples: &[Vec<Sample>]) {
        let [base, rows @ ..] = &mut *self.rows else { return };
        fill(base, &samples[0]);
        for (number, (row, taken)) in rows.iter_mut().zip(turns.ways()).enumerate() {
            let own = &samples[number + 1];
            // A round that was not complete has no native run after it.
            fill(row, &own[..taken.rounds.len().min(own.len())]);
            compare(row, taken);
            if let Some(reason) = &taken.failure {
                let reason = reason.clone();
                row.state = match self.contenders[number + 1].how {
                    How::Missing(_) => State::Unavailable { reason },
                    _ => State::Failed { reason },
                };
            }
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
fn compare(row: &mut ResultRow, taken: &Taken) {
    row.native = taken.rounds.native().to_vec();
    row.ratio = taken.rounds.ratio();
    row.floor = taken.rounds.ratio_floor();
    row.noisy |= row.floor.is_some_and(|floor| floor > NOISY);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::result::Unit;
    use crate::rows::target::Target;
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

    fn run_with(
        script: impl FnMut(&str, bool) -> Result<f64, Failure> + 'static,
        length: Length,
        target: Option<Target>,
    ) -> (Vec<ResultRow>, Result<(), Stop>) {
        let contenders = contenders();
        let mut rows: Vec<_> =
            contenders.iter().map(|contender| row(contender.way.clone(), Unit::Nanoseconds)).collect();
        rows[1].target = target;
        let progress = Progress::hidden();
        let mut script = Script(Box::new(script));
        let contest = Contest { contenders: &contenders, rows: &mut rows, sampler: &mut script, progress: &progress };
        let end = contest.measure(length);
        (rows, end)
    }

    fn run(script: impl FnMut(&str, bool) -> Result<f64, Failure> + 'static) -> (Vec<ResultRow>, Result<(), Stop>) {
        run_with(script, Length { rounds: 3, settles: false }, None)
    }

    #[test]
    fn targets_that_are_close_get_more_rounds() {
        let rounds = |at_most, settles| {
            let target = Some(Target::Ratio { at_most });
            let (rows, end) =
                run_with(|name, _| Ok(if name == "good" { 3.0 } else { 2.0 }), Length { rounds: 3, settles }, target);
            assert!(end.is_ok());
            (rows[1].samples.len(), rows[1].met)
        };
        assert_eq!(rounds(1.52, true), (CLOSE_ROUNDS, Some(true)));
        assert_eq!(rounds(1.52, false), (3, Some(true)));
        assert_eq!(rounds(1.2, true), (3, Some(false)));
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
