//! The turns of one way between native ones, and what they say of it.

use crate::base::stats::{self, Estimate};

/// One run of a way between two native ones. The later native run is the earlier one of the next
/// round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Round {
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

/// All rounds of one way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds {
    rounds: Vec<Round>,
    native: Vec<f64>,
}

impl Rounds {
    /// The rounds that a row keeps as figures: a native one before each of the way's, and a last one.
    #[must_use]
    pub(crate) fn of(native: &[f64], ours: &[f64]) -> Self {
        let mut rounds = Self::default();
        for (&ours, around) in ours.iter().zip(native.windows(2)) {
            rounds.push(Round { before: around[0], ours, after: around[1] });
        }
        rounds
    }

    /// Adds a round; its earlier native run is the later one of the round before.
    pub(crate) fn push(&mut self, round: Round) {
        if self.native.is_empty() {
            self.native.push(round.before);
        }
        self.native.push(round.after);
        self.rounds.push(round);
    }

    /// How many pairs there are.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.rounds.len()
    }

    /// Every native figure, in the order of measurement.
    #[must_use]
    pub(crate) fn native(&self) -> &[f64] {
        &self.native
    }

    /// Ours relative to the native runs around it.
    #[must_use]
    pub(crate) fn ratios(&self) -> Vec<f64> {
        let ratio = |round: &Round| round.ours / round.native();
        self.rounds.iter().map(ratio).collect()
    }

    /// Ours minus the native runs around it.
    #[must_use]
    pub(crate) fn differences(&self) -> Vec<f64> {
        let difference = |round: &Round| round.ours - round.native();
        self.rounds.iter().map(difference).collect()
    }

    /// Native relative to native.
    #[must_use]
    pub(crate) fn native_ratios(&self) -> Vec<f64> {
        let ratio = |round: &Round| round.after / round.before;
        self.rounds.iter().map(ratio).collect()
    }

    /// How far native against native strays from 1, as the interval sees it.
    #[must_use]
    pub(crate) fn ratio_floor(&self) -> Option<f64> {
        Some(stats::estimate(&self.native_ratios())?.farthest_from(1.0))
    }

    /// How far native minus native strays from 0, as the interval sees it.
    #[must_use]
    pub(crate) fn difference_floor(&self) -> Option<f64> {
        let difference = |round: &Round| round.after - round.before;
        let differences: Vec<f64> = self.rounds.iter().map(difference).collect();
        Some(stats::estimate(&differences)?.farthest_from(0.0))
    }

    /// The ratio with its interval.
    #[must_use]
    pub(crate) fn ratio(&self) -> Option<Estimate> {
        stats::estimate(&self.ratios())
    }

    /// The difference with its interval.
    #[must_use]
    pub(crate) fn difference(&self) -> Option<Estimate> {
        stats::estimate(&self.differences())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_row_are_its_rounds_again() {
        let rounds = Rounds::of(&[2.0, 4.0, 2.0], &[6.0, 3.0]);
        assert_eq!((rounds.len(), rounds.native()), (2, &[2.0, 4.0, 2.0][..]));
        assert_eq!(rounds.ratios(), [2.0, 1.0]);
        assert_eq!(rounds.differences(), [3.0, 0.0]);
        assert_eq!(Rounds::of(&[2.0], &[]).len(), 0);
    }
}
