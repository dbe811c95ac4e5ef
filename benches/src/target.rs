//! What the project promises, and whether it holds.

use serde::{Deserialize, Serialize};

use crate::stats::Estimate;

/// A promise about one row. All but one are upper limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Target {
    /// Ours / native.
    Ratio {
        /// The largest ratio that keeps it.
        at_most: f64,
    },
    /// Ours − native, in the row's unit.
    Difference {
        /// The largest difference that keeps it.
        at_most: f64,
    },
    /// Ours alone, in the row's unit: what native takes does not matter.
    Absolute {
        /// The largest figure that keeps it.
        at_most: f64,
    },
    /// Native / ours.
    Faster {
        /// The smallest quotient that keeps it.
        at_least: f64,
    },
}

impl Target {
    /// The limit.
    #[must_use]
    pub fn limit(self) -> f64 {
        match self {
            Self::Ratio { at_most } | Self::Difference { at_most } | Self::Absolute { at_most } => at_most,
            Self::Faster { at_least } => at_least,
        }
    }

    /// Met when the worse end of the interval is within the target and the noise floor.
    #[must_use]
    pub fn is_met(self, estimate: &Estimate, floor: f64) -> bool {
        match self {
            Self::Faster { at_least } => estimate.low >= at_least - floor,
            _ => estimate.high <= self.limit() + floor,
        }
    }

    /// Whether the median is so near that few pairs do not decide.
    #[must_use]
    pub fn is_close(self, estimate: &Estimate) -> bool {
        (estimate.median - self.limit()).abs() <= 0.05 * self.limit().abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(median: f64, high: f64) -> Estimate {
        Estimate { median, low: median, high }
    }

    #[test]
    fn the_upper_end_decides_and_the_floor_is_granted() {
        let target = Target::Ratio { at_most: 1.25 };
        assert!(target.is_met(&estimate(1.2, 1.25), 0.0));
        assert!(!target.is_met(&estimate(1.2, 1.27), 0.01));
        assert!(target.is_met(&estimate(1.2, 1.27), 0.02 + 1e-9));
        let target = Target::Absolute { at_most: 2.0 };
        assert!(target.is_met(&estimate(1.9, 2.05), 0.1));
        assert!(!target.is_met(&estimate(1.9, 2.15), 0.1));
    }

    #[test]
    fn the_lower_end_decides_where_more_is_better() {
        let target = Target::Faster { at_least: 20.0 };
        assert!(target.is_met(&estimate(20.0, 25.0), 0.0));
        assert!(!target.is_met(&estimate(19.0, 25.0), 0.9));
        assert!(target.is_met(&estimate(19.0, 25.0), 1.0));
    }

    #[test]
    fn within_five_percent_is_close_on_both_sides() {
        let target = Target::Difference { at_most: 20.0 };
        assert!(target.is_close(&estimate(19.1, 19.1)));
        assert!(target.is_close(&estimate(20.9, 20.9)));
        assert!(!target.is_close(&estimate(18.0, 18.0)));
    }
}
