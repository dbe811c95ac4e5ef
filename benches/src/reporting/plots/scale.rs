//! An axis: its range, its ticks, and where a value lies on it.

/// An axis from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Scale {
    /// An axis that holds all values, with room around them. Values that are not above 0 do not count on a logarithmic
    /// one.
    #[must_use]
    pub(super) fn of(values: impl Iterator<Item = f64>, logarithmic: bool) -> Self {
        let usable = values.filter(|value| value.is_finite() && (!logarithmic || *value > 0.0));
        let (mut low, mut high) =
            usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            (low, high) = (1.0, 10.0);
        }
        if logarithmic {
            let room = (high / low).max(2.0).powf(0.06);
            Self { low: low / room, high: high * room, logarithmic }
        } else {
            let room = if high > low { (high - low) * 0.06 } else { high.abs().max(1.0) * 0.1 };
            // Zero belongs to an axis that comes near it.
            let from = if low >= 0.0 && low < high * 0.5 { 0.0 } else { low - room };
            Self { low: from, high: high + room, logarithmic }
        }
    }

    /// The same, with its lower end a decade (or so) below the smallest value: bars need some length.
    #[must_use]
    pub(super) fn with_room_below(mut self) -> Self {
        if self.logarithmic {
            self.low = (self.low / 2.0).min(self.high / 20.0);
        }
        self
    }

    /// The same, with more room at the upper end by this share of its length.
    #[must_use]
    pub(super) fn with_room_above(mut self, share: f64) -> Self {
        if self.logarithmic {
            self.high *= (self.high / self.low).powf(share);
        } else {
            self.high += (self.high - self.low) * share;
        }
        self
    }

    /// The same, with more room at the lower end.
    #[must_use]
    pub(super) fn with_more_room_below(mut self, share: f64) -> Self {
        if self.logarithmic {
            self.low /= (self.high / self.low).powf(share);
        } else {
            self.low -= (self.high - self.low) * share;
        }
        self
    }

    /// The ends, as places.
    #[must_use]
    pub(super) fn ends(&self) -> [f64; 2] {
        [self.place(self.low), self.place(self.high)]
    }

    /// The lower end, as a value.
    #[must_use]
    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// Where a value lies; what lies outside goes to the end.
    #[must_use]
    pub(super) fn place(&self, value: f64) -> f64 {
        let inside = value.clamp(self.low, self.high);
        if self.logarithmic { inside.log10() } else { inside }
    }

    /// Values to be written at the axis, at most about `most`.
    #[must_use]
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        if self.logarithmic { self.decades(most) } else { self.steps(most) }
    }

    fn decades(&self, most: usize) -> Vec<f64> {
        #[allow(clippy::cast_possible_truncation, reason = "exponents of doubles are small")]
        let [first, last] = [self.low.log10().floor() as i32, self.high.log10().ceil() as i32];
        let inside = |value: &f64| (self.low..=self.high).contains(value);
        for multiples in [&[1.0, 2.0, 3.0, 5.0, 7.0][..], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]] {
            let of_decade = |exponent: i32| multiples.iter().map(move |multiple| multiple * 10f64.powi(exponent));
            let ticks: Vec<f64> = (first..=last).flat_map(of_decade).filter(inside).collect();
            if ticks.len() <= most {
                // Round steps serve an axis better that spans less than a decade.
                let narrow = self.high < self.low * 6.0;
                return if ticks.len() < 2 || (narrow && ticks.len() < 3) { self.steps(most) } else { ticks };
            }
        }
        let all: Vec<f64> = (first..=last).map(|exponent| 10f64.powi(exponent)).filter(inside).collect();
        let stride = all.len().div_ceil(most.max(1));
        all.into_iter().step_by(stride.max(1)).collect()
    }

    fn steps(&self, most: usize) -> Vec<f64> {
        let parts = f64::from(u32::try_from(most.max(2)).unwrap_or(5));
        let rough = (self.high - self.low) / parts;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(power * 10.0);
        let mut ticks = Vec::new();
        let mut index = (self.low / step).ceil();
        while index * step <= self.high && ticks.len() < 100 {
            ticks.push(index * step);
            index += 1.0;
        }
        ticks
    }
}

/// A tick as it is written: 0.5, 20, 10k, 3M.
#[must_use]
pub(super) fn label(value: f64) -> String {
    let size = value.abs();
    let trimmed = |value: f64| {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match size {
        size if size >= 1e9 => format!("{}G", trimmed(value / 1e9)),
        size if size >= 1e6 => format!("{}M", trimmed(value / 1e6)),
        // Powers of two keep their digits.
        size if size >= 1e4 && (size % 100.0 == 0.0 || size >= 1e5) => format!("{}k", trimmed(value / 1e3)),
        size if size > 0.0 && size < 1e-3 => format!("{value:.0e}"),
        _ => trimmed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_are_the_ticks_of_a_wide_axis() {
        let scale = Scale::of([3.0, 40_000.0].into_iter(), true);
        assert_eq!(scale.ticks(5), [10.0, 100.0, 1000.0, 10_000.0]);
    }

    #[test]
    fn narrow_axes_have_ticks_within_a_decade() {
        let ticks = Scale::of([0.9, 2.4].into_iter(), true).ticks(6);
        assert!(ticks.len() >= 2 && ticks.contains(&1.0) && ticks.contains(&2.0), "{ticks:?}");
        assert!(Scale::of([1.001, 1.002].into_iter(), true).ticks(5).len() >= 2);
    }

    #[test]
    fn wide_axes_skip_decades() {
        let ticks = Scale::of([1e-6, 1e9].into_iter(), true).ticks(5);
        assert!((2..=6).contains(&ticks.len()), "{ticks:?}");
    }

    #[test]
    fn linear_steps_are_round_and_zero_belongs_to_them() {
        assert_eq!(Scale::of([1.0, 9.5].into_iter(), false).ticks(5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(Scale::of([100.0, 104.0].into_iter(), false).ticks(4), [100.0, 102.0, 104.0]);
    }

    #[test]
    fn nothing_and_nonsense_have_an_axis_too() {
        for logarithmic in [true, false] {
            assert!(!Scale::of(std::iter::empty(), logarithmic).ticks(5).is_empty());
            assert!(!Scale::of([f64::NAN, 0.0].into_iter(), logarithmic).ticks(5).is_empty());
            assert!(!Scale::of([5.0].into_iter(), logarithmic).ticks(5).is_empty());
        }
        assert_eq!(
            Scale::of([5.0, 500.0].into_iter(), true).place(0.0),
            Scale::of([5.0, 500.0].into_iter(), true).ends()[0]
        );
    }

    #[test]
    fn labels_are_short() {
        assert_eq!([0.5, 20.0, 1000.0, 20_000.0, 3e6, 1e-6].map(label), ["0.5", "20", "1000", "20k", "3M", "1e-6"]);
        assert_eq!([16384.0, 65536.0].map(label), ["16384", "65536"]);
    }
}
