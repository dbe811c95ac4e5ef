//! Interleaving: native, ours, native, ours, … native. A drift of the machine meets both sides.
//! Where there are several ways, each has its turn between the native runs.

use crate::launch::Failure;
use crate::stats::{self, Estimate};

/// One run of a way between two native ones. The later native run is the earlier one of the next
/// round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// Native, before.
    pub before: f64,
    /// The way's.
    pub ours: f64,
    /// Native, after.
    pub after: f64,
}

impl Round {
    fn native(&self) -> f64 {
        f64::midpoint(self.before, self.after)
    }
}

/// Several ways that take turns with native.
#[derive(Clone, Debug)]
pub struct Turns {
    ways: Vec<Rounds>,
    latest_native: Option<f64>,
}

impl Turns {
    /// None of `count` ways has had a turn.
    #[must_use]
    pub fn of(count: usize) -> Self {
        Self { ways: vec![Rounds::default(); count], latest_native: None }
    }

    /// One turn of each way that has not failed. `run` gives one figure of a way by its number, of native where
    /// there is none. A way that fails is out; the others go on.
    ///
    /// # Errors
    /// Native failed, or the user stopped it; the rounds that were complete before stay.
    pub fn take(&mut self, mut run: impl FnMut(Option<usize>) -> Result<f64, Failure>) -> Result<(), Failure> {
        let before = match self.latest_native {
            Some(figure) => figure,
            None => run(None)?,
        };
        let mut figures = Vec::with_capacity(self.ways.len());
        for (number, way) in self.ways.iter_mut().enumerate() {
            figures.push(match way.failure {
                Some(_) => None,
                None => match run(Some(number)) {
                    Ok(figure) => Some(figure),
                    Err(Failure::Failed(reason)) => {
                        way.failure = Some(reason);
                        None
                    }
                    Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                },
            });
        }
        let after = run(None)?;
        self.latest_native = Some(after);
        for (way, figure) in self.ways.iter_mut().zip(figures) {
            if let Some(ours) = figure {
                way.push(Round { before, ours, after });
            }
        }
        Ok(())
    }

    /// Leaves a way out from now on.
    pub fn rule_out(&mut self, way: usize, reason: String) {
        if let Some(rounds) = self.ways.get_mut(way) {
            rounds.failure = Some(reason);
        }
    }

    /// What each way took.
    #[must_use]
    pub fn ways(&self) -> &[Rounds] {
        &self.ways
    }
}

/// All rounds of one way.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    rounds: Vec<Round>,
    native: Vec<f64>,
    failure: Option<String>,
}

impl Rounds {
    fn push(&mut self, round: Round) {
        if self.native.is_empty() {
            self.native.push(round.before);
        }
        self.native.push(round.after);
        self.rounds.push(round);
    }

    /// Why there are no more.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rounds.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rounds.is_empty()
    }

    /// Every native figure, in the order of measurement.
    #[must_use]
    pub fn native(&self) -> &[f64] {
        &self.native
    }

    /// Every figure of the way, in the order of measurement.
    #[must_use]
    pub fn ours(&self) -> Vec<f64> {
        self.rounds.iter().map(|round| round.ours).collect()
    }

    /// Ours relative to the native runs around it.
    #[must_use]
    pub fn ratios(&self) -> Vec<f64> {
        let ratio = |round: &Round| round.ours / round.native();
        self.rounds.iter().map(ratio).collect()
    }

    /// Ours minus the native runs around it.
    #[must_use]
    pub fn differences(&self) -> Vec<f64> {
        let difference = |round: &Round| round.ours - round.native();
        self.rounds.iter().map(difference).collect()
    }

    /// Native relative to native.
    #[must_use]
    pub fn native_ratios(&self) -> Vec<f64> {
        let ratio = |round: &Round| round.after / round.before;
        self.rounds.iter().map(ratio).collect()
    }

    /// How far native against native strays from 1, as the interval sees it.
    #[must_use]
    pub fn ratio_floor(&self) -> Option<f64> {
        Some(stats::estimate(&self.native_ratios())?.farthest_from(1.0))
    }

    /// How far native minus native strays from 0, as the interval sees it.
    #[must_use]
    pub fn difference_floor(&self) -> Option<f64> {
        let difference = |round: &Round| round.after - round.before;
        let differences: Vec<f64> = self.rounds.iter().map(difference).collect();
        Some(stats::estimate(&differences)?.farthest_from(0.0))
    }

    /// The ratio with its interval.
    #[must_use]
    pub fn ratio(&self) -> Option<Estimate> {
        stats::estimate(&self.ratios())
    }

    /// The difference with its interval.
    #[must_use]
    pub fn difference(&self) -> Option<Estimate> {
        stats::estimate(&self.differences())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(ways: usize, count: usize, mut run: impl FnMut(Option<usize>) -> Result<f64, Failure>) -> Turns {
        let mut turns = Turns::of(ways);
        for _ in 0..count {
            turns.take(&mut run).unwrap();
        }
        turns
    }

    #[test]
    fn ways_take_turns_and_neighbours_share_a_native_run() {
        let mut order = Vec::new();
        let turns = turns(2, 2, |way| {
            order.push(way);
            Ok(way.map_or(2.0, |_| 3.0))
        });
        assert_eq!(order, [None, Some(0), Some(1), None, Some(0), Some(1), None]);
        for rounds in turns.ways() {
            assert_eq!(rounds.native(), [2.0, 2.0, 2.0]);
            assert_eq!(rounds.ratios(), [1.5, 1.5]);
            assert_eq!(rounds.differences(), [1.0, 1.0]);
            assert_eq!(rounds.ratio_floor(), Some(0.0));
        }
    }

    #[test]
    fn steady_drift_does_not_bias_the_ratio() {
        let mut speed = 1.0;
        let turns = turns(1, 3, |_| {
            speed += 0.1;
            Ok(speed)
        });
        let rounds = &turns.ways()[0];
        assert!(rounds.ratios().iter().all(|ratio| (ratio - 1.0).abs() < 1e-12));
        assert!(rounds.ratio_floor().unwrap() > 0.1);
    }

    #[test]
    fn way_that_fails_is_out_and_the_others_go_on() {
        let mut asked = 0;
        let turns = turns(2, 3, |way| match way {
            Some(1) => {
                asked += 1;
                if asked > 1 { Err(Failure::Failed("exit 1".to_owned())) } else { Ok(1.0) }
            }
            _ => Ok(1.0),
        });
        let [ours, other] = turns.ways() else { unreachable!() };
        assert_eq!((ours.len(), ours.failure()), (3, None));
        assert_eq!((other.len(), other.failure()), (1, Some("exit 1")));
        assert_eq!((other.native().len(), asked), (2, 2));
    }

    #[test]
    fn interruption_keeps_the_complete_rounds() {
        let (mut left, mut turns) = (4, Turns::of(1));
        let mut run = |_| {
            left -= 1;
            if left < 0 { Err(Failure::Interrupted) } else { Ok(1.0) }
        };
        assert!(turns.take(&mut run).is_ok());
        assert!(matches!(turns.take(&mut run), Err(Failure::Interrupted)));
        assert_eq!((turns.ways()[0].len(), turns.ways()[0].native().len()), (1, 2));
    }
}
