//! Medians and bootstrap intervals.

use serde::{Deserialize, Serialize};

/// How many times samples are drawn anew for an interval.
const RESAMPLES: usize = 4000;

/// A figure with the interval that holds it with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Estimate {
    /// The median.
    pub median: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// The end of the interval that lies farthest from `value`, as a distance.
    #[must_use]
    pub(crate) fn farthest_from(&self, value: f64) -> f64 {
        (self.high - value).abs().max((value - self.low).abs())
    }

    /// The same in another unit.
    #[must_use]
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        Self { median: self.median * factor, low: self.low * factor, high: self.high * factor }
    }

    /// The same of 1 / figure, for figures above 0.
    #[must_use]
    pub(crate) fn inverse(&self) -> Self {
        Self { median: 1.0 / self.median, low: 1.0 / self.high, high: 1.0 / self.low }
    }
}

/// The median; `None` of nothing.
#[must_use]
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        len if len % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// Distance between the smallest and the largest value, in percent of the median.
#[must_use]
pub(crate) fn spread_percent(values: &[f64]) -> Option<f64> {
    let low = values.iter().copied().min_by(f64::total_cmp)?;
    let high = values.iter().copied().max_by(f64::total_cmp)?;
    Some((high - low) / median(values)? * 100.0)
}

/// The median of `values` with its percentile-bootstrap interval.
#[must_use]
pub(crate) fn estimate(values: &[f64]) -> Option<Estimate> {
    estimate_with(&[values], |samples| median(&samples[0]))
}

/// The geometric mean of the medians of several samples; each is resampled by itself.
#[must_use]
pub(crate) fn geometric_mean(samples: &[Vec<f64>]) -> Option<Estimate> {
    let views: Vec<&[f64]> = samples.iter().map(Vec::as_slice).collect();
    estimate_with(&views, |resampled| {
        let mut logarithms = 0.0;
        for sample in resampled {
            logarithms += median(sample)?.ln();
        }
        #[allow(clippy::cast_precision_loss, reason = "a handful of samples")]
        Some((logarithms / resampled.len() as f64).exp())
    })
}

fn estimate_with(samples: &[&[f64]], statistic: impl Fn(&[Vec<f64>]) -> Option<f64>) -> Option<Estimate> {
    if samples.is_empty() || samples.iter().any(|sample| sample.is_empty()) {
        return None;
    }
    let mut resampled: Vec<Vec<f64>> = samples.iter().map(|sample| sample.to_vec()).collect();
    let median = statistic(&resampled)?;
    let mut random = Random::new(1);
    let mut statistics = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        for (from, to) in samples.iter().zip(&mut resampled) {
            for value in to {
                *value = from[random.below(from.len())];
            }
        }
        statistics.push(statistic(&resampled)?);
    }
    statistics.sort_by(f64::total_cmp);
    Some(Estimate { median, low: statistics[RESAMPLES * 25 / 1000], high: statistics[RESAMPLES * 975 / 1000 - 1] })
}

/// xorshift64*: reports of the same rows are the same.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator; equal seeds give equal numbers.
    #[must_use]
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number less than `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        #[allow(clippy::cast_possible_truncation, reason = "31 bits fit in usize")]
        let value = high as usize;
        value % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_or_the_mean_of_the_two_middles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn spread_is_relative_to_the_median() {
        assert_eq!(spread_percent(&[9.0, 10.0, 11.0]), Some(20.0));
        assert_eq!(spread_percent(&[]), None);
    }

    #[test]
    fn interval_of_equal_values_is_a_point() {
        let point = Estimate { median: 1.5, low: 1.5, high: 1.5 };
        assert_eq!(estimate(&[1.5; 7]), Some(point));
    }

    #[test]
    fn interval_holds_the_median_and_lies_within_the_values() {
        let values = [1.0, 1.1, 1.2, 1.05, 1.15, 1.3, 0.9];
        let found = estimate(&values).unwrap();
        assert_eq!(found.median, 1.1);
        assert!(found.low >= 0.9 && found.low < found.median, "{found:?}");
        assert!(found.high <= 1.3 && found.high > found.median, "{found:?}");
        assert_eq!(estimate(&values), Some(found), "it is deterministic");
    }

    #[test]
    fn one_outlier_does_not_move_the_interval_to_itself() {
        let mut values = vec![1.0; 20];
        values.push(100.0);
        assert_eq!(estimate(&values).unwrap().high, 1.0);
    }

    #[test]
    fn interval_covers_the_true_median_about_as_often_as_it_says() {
        let mut random = Random::new(7);
        let covered = (0..200)
            .filter(|_| {
                let values: Vec<f64> = (0..15).map(|_| random.below(1000) as f64).collect();
                let found = estimate(&values).unwrap();
                found.low <= 499.5 && found.high >= 499.5
            })
            .count();
        assert!((180..=200).contains(&covered), "{covered} of 200");
    }

    #[test]
    fn geometric_mean_is_that_of_the_medians() {
        let found = geometric_mean(&[vec![2.0, 2.0, 2.0], vec![8.0, 8.0, 9.0]]).unwrap();
        assert!((found.median - 4.0).abs() < 1e-12);
        assert!(found.high > found.median);
        assert_eq!(geometric_mean(&[]), None);
        assert_eq!(geometric_mean(&[vec![]]), None);
    }

    #[test]
    fn inverse_swaps_the_ends() {
        let found = Estimate { median: 0.25, low: 0.2, high: 0.5 };
        assert_eq!(found.inverse(), Estimate { median: 4.0, low: 2.0, high: 5.0 });
    }

    #[test]
    fn farthest_end_counts() {
        let found = Estimate { median: 1.0, low: 0.97, high: 1.01 };
        assert!((found.farthest_from(1.0) - 0.03).abs() < 1e-12);
    }
}
