//! Interleaving: native, ours, native, ours, … native. A drift of the machine meets both sides.
//! Where there are several ways, each has its turn between the native runs.

use super::launch::Failure;
use crate::rows::rounds::{Round, Rounds};

/// Several ways that take turns with native.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    ways: Vec<Taken>,
    latest_native: Option<f64>,
}

/// What one way took.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    /// Its complete rounds.
    pub rounds: Rounds,
    /// Why there are no more.
    pub failure: Option<String>,
}

impl Turns {
    /// None of `count` ways has had a turn.
    #[must_use]
    pub(super) fn of(count: usize) -> Self {
        Self { ways: vec![Taken::default(); count], latest_native: None }
    }

    /// One turn of each way that has not failed. `run` gives one figure of a way by its number, of native where
    /// there is none. A way that fails is out; the others go on.
    ///
    /// # Errors
    /// Native failed, or the user stopped it; the rounds that were complete before stay.
    pub(super) fn take(&mut self, mut run: impl FnMut(Option<usize>) -> Result<f64, Failure>) -> Result<(), Failure> {
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
                way.rounds.push(Round { before, ours, after });
            }
        }
        Ok(())
    }

    /// Leaves a way out from now on.
    pub(super) fn rule_out(&mut self, way: usize, reason: String) {
        if let Some(way) = self.ways.get_mut(way) {
            way.failure = Some(reason);
        }
    }

    /// What each way took.
    #[must_use]
    pub(super) fn ways(&self) -> &[Taken] {
        &self.ways
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
        for rounds in turns.ways().iter().map(|way| &way.rounds) {
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
        let rounds = &turns.ways()[0].rounds;
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
        assert_eq!((ours.rounds.len(), ours.failure.as_deref()), (3, None));
        assert_eq!((other.rounds.len(), other.failure.as_deref()), (1, Some("exit 1")));
        assert_eq!((other.rounds.native().len(), asked), (2, 2));
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
        assert_eq!((turns.ways()[0].rounds.len(), turns.ways()[0].rounds.native().len()), (1, 2));
    }
}
