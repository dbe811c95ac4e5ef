//! Interleaving: native, ours, native, ours, … native. A drift of the machine meets both sides.

use crate::launch::{Failure, Side};
use crate::stats::{self, Estimate};

/// One run of each other side between two native ones. The later native run is the earlier one
/// of the next round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// Native, before.
    pub before: f64,
    /// bt-run.
    pub ours: f64,
    /// `drrun`, where it is installed.
    pub peer: Option<f64>,
    /// Native, after.
    pub after: f64,
}

impl Round {
    fn native(&self) -> f64 {
        f64::midpoint(self.before, self.after)
    }
}

/// All rounds of a row.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    rounds: Vec<Round>,
    native: Vec<f64>,
    peer_failures: Vec<String>,
}

impl Rounds {
    /// Adds `count` rounds; `run` gives one figure of a side.
    ///
    /// # Errors
    /// The first failure of `run`; the rounds that were complete before it stay.
    pub fn extend(
        &mut self,
        count: usize,
        with_peer: bool,
        mut run: impl FnMut(Side) -> Result<f64, Failure>,
    ) -> Result<(), Failure> {
        for _ in 0..count {
            let before = match self.native.last() {
                Some(&value) => value,
                None => run(Side::Native)?,
            };
            let ours = run(Side::BtRun)?;
            let peer = if with_peer { self.run_peer(&mut run)? } else { None };
            let after = run(Side::Native)?;
            if self.native.is_empty() {
                self.native.push(before);
            }
            self.native.push(after);
            self.rounds.push(Round { before, ours, peer, after });
        }
        Ok(())
    }

    /// A peer's failure is told, but it does not spoil the pair.
    fn run_peer(&mut self, run: &mut impl FnMut(Side) -> Result<f64, Failure>) -> Result<Option<f64>, Failure> {
        match run(Side::DynamoRio) {
            Ok(figure) => Ok(Some(figure)),
            Err(Failure::Failed(reason)) => {
                self.peer_failures.push(reason);
                Ok(None)
            }
            Err(Failure::Interrupted) => Err(Failure::Interrupted),
        }
    }

    /// What the peer did wrong, once for each time.
    #[must_use]
    pub fn peer_failures(&self) -> &[String] {
        &self.peer_failures
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

    /// Every figure of bt-run, in the order of measurement.
    #[must_use]
    pub fn ours(&self) -> Vec<f64> {
        self.rounds.iter().map(|round| round.ours).collect()
    }

    /// Every figure of `drrun`.
    #[must_use]
    pub fn peer(&self) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| round.peer).collect()
    }

    /// Ours relative to the native runs around it.
    #[must_use]
    pub fn ratios(&self) -> Vec<f64> {
        let ratio = |round: &Round| round.ours / round.native();
        self.rounds.iter().map(ratio).collect()
    }

    /// The peer relative to the native runs around it.
    #[must_use]
    pub fn peer_ratios(&self) -> Vec<f64> {
        let ratio = |round: &Round| Some(round.peer? / round.native());
        self.rounds.iter().filter_map(ratio).collect()
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

    fn rounds(count: usize) -> (Rounds, Vec<Side>) {
        let (mut order, mut rounds) = (Vec::new(), Rounds::default());
        let run = |side| {
            order.push(side);
            Ok(if side == Side::Native { 2.0 } else { 3.0 })
        };
        rounds.extend(count, false, run).unwrap();
        (rounds, order)
    }

    #[test]
    fn sides_alternate_and_neighbours_share_a_native_run() {
        let (rounds, order) = rounds(2);
        use Side::{BtRun, Native};
        assert_eq!(order, [Native, BtRun, Native, BtRun, Native]);
        assert_eq!(rounds.native(), [2.0, 2.0, 2.0]);
        assert_eq!(rounds.ratios(), [1.5, 1.5]);
        assert_eq!(rounds.differences(), [1.0, 1.0]);
        assert_eq!(rounds.ratio_floor(), Some(0.0));
    }

    #[test]
    fn steady_drift_does_not_bias_the_ratio() {
        let (mut speed, mut rounds) = (1.0, Rounds::default());
        let run = |_| {
            speed += 0.1;
            Ok(speed)
        };
        rounds.extend(3, false, run).unwrap();
        assert!(rounds.ratios().iter().all(|ratio| (ratio - 1.0).abs() < 1e-12));
        assert!(rounds.ratio_floor().unwrap() > 0.1);
    }

    #[test]
    fn failing_peer_does_not_spoil_the_pair() {
        let mut rounds = Rounds::default();
        let run = |side| match side {
            Side::DynamoRio => Err(Failure::Failed("exit 1".to_owned())),
            _ => Ok(1.0),
        };
        rounds.extend(2, true, run).unwrap();
        assert_eq!(rounds.len(), 2);
        assert!(rounds.peer().is_empty());
        assert_eq!(rounds.peer_failures().len(), 2);
    }

    #[test]
    fn failure_keeps_the_complete_rounds() {
        let (mut left, mut rounds) = (4, Rounds::default());
        let result = rounds.extend(5, false, |_| {
            left -= 1;
            if left < 0 {
                return Err(Failure::Interrupted);
            }
            Ok(1.0)
        });
        assert!(matches!(result, Err(Failure::Interrupted)));
        assert_eq!((rounds.len(), rounds.native().len()), (1, 2));
    }
}
