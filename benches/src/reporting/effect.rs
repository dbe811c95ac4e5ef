//! How far two samples lie apart.

use crate::base::stats::{self, Estimate, Random};

/// How many times the samples are drawn anew for the interval of a ratio.
const RESAMPLES: usize = 4000;

/// The difference between an old and a new sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    /// Median of the new / median of the old, with its 95 % bootstrap interval.
    pub ratio: Estimate,
    /// Cliff's delta: how much more often a new value is the larger one, from -1 to 1.
    pub cliffs_delta: f64,
    /// Hodges–Lehmann: the median of all differences new − old.
    pub shift: f64,
}

/// What a difference means to somebody who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The new one is better.
    Faster,
    /// The new one is worse.
    Slower,
    /// The interval and the noise of the runs leave no more to say.
    Same,
}

impl Change {
    /// In words.
    #[must_use]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Same => "no difference",
        }
    }
}

impl Effect {
    /// Of two samples; `None` if one is empty or its median is not above 0.
    #[must_use]
    pub(super) fn of(old: &[f64], new: &[f64]) -> Option<Self> {
        let (old_median, new_median) = (stats::median(old)?, stats::median(new)?);
        if old_median <= 0.0 || !new_median.is_finite() {
            return None;
        }
        let mut random = Random::new(3);
        let mut ratios: Vec<f64> = (0..RESAMPLES)
            .filter_map(|_| {
                let below = resampled_median(old, &mut random)?;
                Some(resampled_median(new, &mut random)? / below)
            })
            .filter(|ratio| ratio.is_finite())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let last = ratios.len().checked_sub(1)?;
        let ratio = Estimate {
            median: new_median / old_median,
            low: ratios[last * 25 / 1000],
            high: ratios[(last * 975).div_ceil(1000)],
        };
        Some(Self { ratio, cliffs_delta: cliffs_delta(old, new)?, shift: shift(old, new)? })
    }

    /// The verdict: the interval must lie beyond `floor` on one side of 1.
    #[must_use]
    pub(super) fn change(&self, floor: f64, more_is_better: bool) -> Change {
        let (larger, smaller) = (self.ratio.low > 1.0 + floor, self.ratio.high < 1.0 - floor);
        match (larger, smaller) {
            (false, false) => Change::Same,
            (larger, _) if larger == more_is_better => Change::Faster,
            _ => Change::Slower,
        }
    }
}

fn resampled_median(values: &[f64], random: &mut Random) -> Option<f64> {
    let resampled: Vec<f64> = (0..values.len()).map(|_| values[random.below(values.len())]).collect();
    stats::median(&resampled)
}

/// (pairs with new > old − pairs with new < old) / pairs.
#[must_use]
pub(super) fn cliffs_delta(old: &[f64], new: &[f64]) -> Option<f64> {
    let (mut sum, mut pairs) = (0.0, 0.0);
    for left in old {
        for right in new {
            sum += f64::from(i8::from(right > left) - i8::from(right < left));
            pairs += 1.0;
        }
    }
    (pairs > 0.0).then(|| sum / pairs)
}

/// The median of all differences.
#[must_use]
pub(super) fn shift(old: &[f64], new: &[f64]) -> Option<f64> {
    let differences: Vec<f64> = old.iter().flat_map(|left| new.iter().map(move |right| right - left)).collect();
    stats::median(&differences)
}

/// Cliff's delta in words (Romano et al. 2006).
#[must_use]
pub(super) fn size_of_delta(delta: f64) -> &'static str {
    match delta.abs() {
        size if size < 0.147 => "negligible",
        size if size < 0.33 => "small",
        size if size < 0.474 => "medium",
        _ => "large",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delta_is_one_where_all_new_values_are_larger() {
        assert_eq!(cliffs_delta(&[1.0, 2.0], &[3.0, 4.0]), Some(1.0));
        assert_eq!(cliffs_delta(&[3.0], &[1.0]), Some(-1.0));
        assert_eq!(cliffs_delta(&[1.0, 2.0], &[1.0, 2.0]), Some(0.0));
        assert_eq!(cliffs_delta(&[], &[1.0]), None);
        assert_eq!([0.1, -0.2, 0.4, -1.0].map(size_of_delta), ["negligible", "small", "medium", "large"]);
    }

    #[test]
    fn shift_is_the_median_of_the_differences() {
        assert_eq!(shift(&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0]), Some(10.0));
        assert_eq!(shift(&[], &[]), None);
    }

    #[test]
    fn samples_apart_are_told_apart() {
        let old = [10.0, 10.1, 9.9, 10.05, 9.95];
        let new: Vec<f64> = old.iter().map(|value| value * 1.2).collect();
        let effect = Effect::of(&old, &new).unwrap();
        assert!((effect.ratio.median - 1.2).abs() < 1e-9);
        assert!(effect.ratio.low > 1.15 && effect.ratio.high < 1.25, "{effect:?}");
        assert_eq!(effect.change(0.02, false), Change::Slower);
        assert_eq!(effect.change(0.02, true), Change::Faster);
        assert_eq!(effect.change(0.3, false), Change::Same);
        let back = Effect::of(&new, &old).unwrap();
        assert_eq!(back.change(0.02, false), Change::Faster);
        assert_eq!(back.change(0.02, true), Change::Slower);
    }

    #[test]
    fn samples_that_overlap_are_not() {
        let effect = Effect::of(&[9.0, 10.0, 11.0, 12.0], &[9.5, 10.5, 10.0, 12.0]).unwrap();
        assert_eq!(effect.change(0.0, false), Change::Same);
    }

    #[test]
    fn one_value_each_has_a_point_for_an_interval() {
        let effect = Effect::of(&[2.0], &[3.0]).unwrap();
        assert_eq!(effect.ratio, Estimate { median: 1.5, low: 1.5, high: 1.5 });
        assert!(Effect::of(&[0.0], &[1.0]).is_none());
    }
}
