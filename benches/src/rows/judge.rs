//! Whether a row keeps what was promised of it.

use super::result::{ResultRow, State};
use super::rounds::Rounds;
use super::target::Target;
use crate::base::stats::Estimate;

/// What a target is about, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    /// The ratio, the difference, the figure or the times that this way is faster.
    pub estimate: Estimate,
    /// How far the same quantity strays, native against native, in the same run.
    pub floor: f64,
}

/// What the target of a row is about; `None` without a target or without figures.
#[must_use]
pub(crate) fn judged(row: &ResultRow) -> Option<Judged> {
    let (estimate, floor) = match row.target? {
        Target::Ratio { .. } => (row.ratio?, row.floor?),
        Target::Difference { .. } => {
            let rounds = rounds(row);
            (rounds.difference()?, rounds.difference_floor()?)
        }
        // What native strays in the row's unit would forgive too much where native takes many times as long: its share
        // counts.
        Target::Absolute { .. } => (row.estimate?, row.floor? * row.estimate?.median),
        Target::Faster { at_least } => (row.ratio?.inverse(), row.floor? * at_least),
    };
    Some(Judged { estimate, floor })
}

/// The turns of a row.
#[must_use]
pub(crate) fn rounds(row: &ResultRow) -> Rounds {
    Rounds::of(&row.native, &row.samples)
}

/// Fills in the verdict. A row that failed has missed its target; one that is not available has no verdict. A
/// difference is noisy where native against native strays by more than half of what is promised.
pub(crate) fn judge(row: &mut ResultRow) {
    let judged = judged(row);
    if let (Some(Target::Difference { at_most }), Some(judged)) = (row.target, judged) {
        row.noisy |= judged.floor > at_most / 2.0;
    }
    row.met = match (row.target, &row.state, judged) {
        (Some(_), State::Failed { .. }, _) => Some(false),
        (Some(target), State::Measured, Some(judged)) => Some(target.is_met(&judged.estimate)),
        _ => None,
    };
}

/// Whether few pairs do not decide about the row's target.
#[must_use]
pub(crate) fn is_close(row: &ResultRow) -> bool {
    row.target.zip(judged(row)).is_some_and(|(target, judged)| target.is_close(&judged.estimate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stats;
    use crate::rows::result::{Unit, Way};

    /// Three turns of 12 beside 10.
    fn row(target: Target) -> ResultRow {
        let mut row = ResultRow::blank(Way::Peer { name: "some".to_owned(), version: None }, Unit::Milliseconds);
        row.target = Some(target);
        row.native = vec![10.0; 4];
        row.samples = vec![12.0; 3];
        row.estimate = stats::estimate(&row.samples);
        row.ratio = rounds(&row).ratio();
        row.floor = rounds(&row).ratio_floor();
        row
    }

    fn met(target: Target) -> Option<bool> {
        let mut row = row(target);
        judge(&mut row);
        row.met
    }

    #[test]
    fn targets_are_judged_by_their_own_estimate() {
        assert_eq!(met(Target::Difference { at_most: 2.0 }), Some(true));
        assert_eq!(met(Target::Ratio { at_most: 1.1 }), Some(false));
        assert_eq!(met(Target::Faster { at_least: 0.8 }), Some(true));
        assert_eq!(met(Target::Absolute { at_most: 12.0 }), Some(true));
        assert_eq!(met(Target::Absolute { at_most: 11.9 }), Some(false));
    }

    #[test]
    fn floor_stands_beside_the_verdict_and_forgives_nothing() {
        let mut row = row(Target::Absolute { at_most: 11.9 });
        row.floor = Some(0.01);
        judge(&mut row);
        assert_eq!((judged(&row).map(|judged| judged.floor), row.met), (Some(0.12), Some(false)));
    }

    #[test]
    fn failed_rows_miss_and_missing_programs_have_no_verdict() {
        let mut failed = row(Target::Ratio { at_most: 9.0 });
        failed.state = State::Failed { reason: "exit 1".to_owned() };
        judge(&mut failed);
        assert_eq!(failed.met, Some(false));
        let mut missing = row(Target::Ratio { at_most: 9.0 });
        missing.state = State::Unavailable { reason: "xz is not installed".to_owned() };
        judge(&mut missing);
        assert_eq!(missing.met, None);
    }

    #[test]
    fn differences_whose_native_runs_disagree_are_marked() {
        let mut row = row(Target::Difference { at_most: 4.0 });
        row.native = vec![10.0, 13.0, 10.0, 13.0];
        judge(&mut row);
        assert!(row.noisy);
    }
}
