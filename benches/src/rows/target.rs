//! A limit that the project promises to keep.

use serde::{Deserialize, Serialize};

use crate::base::stats::Estimate;

/// Medians that are so near their limit that few pairs do not decide, as a share of the limit.
const CLOSE: f64 = 0.05;

/// A promise about one row. All but one are upper limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub(crate) enum Target {
    /// This way / native.
    Ratio {
        /// The largest ratio that keeps it.
        at_most: f64,
    },
    /// This way − native, in the row's unit.
    Difference {
        /// The largest difference that keeps it.
        at_most: f64,
    },
    /// This way alone, in the row's unit: what native takes does not matter.
    Absolute {
        /// The largest figure that keeps it.
        at_most: f64,
    },
    /// Native / this way.
    Faster {
        /// The smallest quotient that keeps it.
        at_least: f64,
    },
}

impl Target {
    /// The limit.
    #[must_use]
    pub(crate) fn limit(self) -> f64 {
        match self {
            Self::Ratio { at_most } | Self::Difference { at_most } | Self::Absolute { at_most } => at_most,
            Self::Faster { at_least } => at_least,
        }
    }

    /// Met when the worse end of the interval meets it. The noise floor is not added: a run that is too noisy to show
    /// that a target is met has not shown it.
    #[must_use]
    pub(crate) fn is_met(self, estimate: &Estimate) -> bool {
        match self {
            Self::Faster { at_least } => estimate.low >= at_least,
            _ => estimate.high <= self.limit(),
        }
    }

    /// Whether the median is so near that few pairs do not decide.
    #[must_use]
    pub(crate) fn is_close(self, estimate: &Estimate) -> bool {
        (estimate.median - self.limit()).abs() <= CLOSE * self.limit().abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(median: f64, high: f64) -> Estimate {
        Estimate { median, low: median, high }
    }

    #[test]
    fn the_upper_end_decides() {
        let target = Target::Ratio { at_most: 1.25 };
        assert!(target.is_met(&estimate(1.2, 1.25)));
        assert!(!target.is_met(&estimate(1.2, 1.2501)));
        let target = Target::Absolute { at_most: 2.0 };
        assert!(target.is_met(&estimate(1.9, 2.0)));
        assert!(!target.is_met(&estimate(1.9, 2.05)));
    }

    #[test]
    fn the_lower_end_decides_where_more_is_better() {
        let target = Target::Faster { at_least: 20.0 };
        assert!(target.is_met(&estimate(20.0, 25.0)));
        assert!(!target.is_met(&estimate(19.9, 25.0)));
    }

    #[test]
    fn within_five_percent_is_close_on_both_sides() {
        let target = Target::Difference { at_most: 20.0 };
        assert!(target.is_close(&estimate(19.1, 19.1)));
        assert!(target.is_close(&estimate(20.9, 20.9)));
        assert!(!target.is_close(&estimate(18.0, 18.0)));
    }
}
