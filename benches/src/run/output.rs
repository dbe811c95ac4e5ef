//! What a driver prints: one figure in a line. The lines are named in `drivers/measure.h`.

use std::collections::BTreeMap;

use crate::base::stats;
use crate::rows::result::Unit;

/// What one run of a way gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// In the benchmark's unit.
    pub figure: f64,
    /// Of the time-stamp counter.
    pub cycles: Option<f64>,
    /// Operations that the figure is the mean of.
    pub repetitions: u64,
    /// By the names that perf gives them.
    pub counters: BTreeMap<String, f64>,
    /// 101 of them, or none.
    pub quantiles: Vec<f64>,
}

impl Sample {
    /// A figure that was taken from outside.
    #[must_use]
    pub(super) fn of(figure: f64) -> Self {
        Self { figure, repetitions: 1, ..Self::default() }
    }
}

/// Quantiles 0, 0.01, …, 1.
const QUANTILES: usize = 101;

/// Reads a driver's lines; the figure's line is named by the unit. Lines of other names are remarks.
///
/// # Errors
/// A line is damaged, or there is no figure; the text says which.
pub(super) fn parse(text: &str, unit: Unit) -> Result<Sample, String> {
    let mut sample = Sample::default();
    let mut found = false;
    let key = if unit == Unit::PerSecond { "per_s" } else { unit.symbol() };
    for line in text.lines() {
        let damaged = || format!("damaged line: {line:?}");
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        match name {
            "cycles" => sample.cycles = Some(positive(words.next()).ok_or_else(damaged)?),
            "repetitions" => {
                sample.repetitions = words.next().and_then(|word| word.parse().ok()).ok_or_else(damaged)?
            }
            "counter" => {
                let (name, value) = words.next().zip(words.next()).ok_or_else(damaged)?;
                let value: f64 = value.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(damaged)?;
                sample.counters.insert(name.to_owned(), value);
            }
            "quantiles" => {
                let values: Result<Vec<f64>, _> = words.map(str::parse).collect();
                sample.quantiles = values.ok().filter(|values| values.len() == QUANTILES).ok_or_else(damaged)?;
            }
            name if name == key => {
                sample.figure = positive(words.next()).ok_or_else(damaged)?;
                found = true;
            }
            _ => {}
        }
    }
    if found { Ok(sample) } else { Err(format!("no figure: {:?}", text.chars().take(200).collect::<String>())) }
}

/// The one figure that a command prints.
///
/// # Errors
/// There is no positive number; the message has what there is.
pub(super) fn parse_printed(text: &str) -> Result<f64, String> {
    positive(Some(text.trim())).ok_or_else(|| format!("no figure: {text:?}"))
}

fn positive(word: Option<&str>) -> Option<f64> {
    word?.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0)
}

/// Counter by counter, the median of the samples that have it.
#[must_use]
pub(super) fn median_counters(samples: &[Sample]) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (name, value) in samples.iter().flat_map(|sample| &sample.counters) {
        all.entry(name).or_default().push(*value);
    }
    all.into_iter().filter_map(|(name, values)| Some((name.clone(), stats::median(&values)?))).collect()
}

/// Quantile by quantile, the median of the samples.
#[must_use]
pub(super) fn median_quantiles(samples: &[Sample]) -> Vec<f64> {
    let all: Vec<&Vec<f64>> = samples.iter().map(|sample| &sample.quantiles).filter(|all| !all.is_empty()).collect();
    let at = |number: usize| all.iter().filter_map(|quantiles| quantiles.get(number).copied()).collect::<Vec<f64>>();
    (0..QUANTILES).filter_map(|number| stats::median(&at(number))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_are_read() {
        let quantiles: Vec<String> = (0..QUANTILES).map(|number| number.to_string()).collect();
        let text = format!(
            "ns 12.5\ncycles 30\nrepetitions 4000\ncounter dTLB-load-misses 0.0\nremark x\nquantiles {}\n",
            quantiles.join(" ")
        );
        let sample = parse(&text, Unit::Nanoseconds).unwrap();
        assert_eq!((sample.figure, sample.cycles, sample.repetitions), (12.5, Some(30.0), 4000));
        assert_eq!(sample.counters["dTLB-load-misses"], 0.0);
        assert_eq!(sample.quantiles[50], 50.0);
    }

    #[test]
    fn figure_must_be_there_positive_and_of_the_unit() {
        assert_eq!(parse("per_s 10\n", Unit::PerSecond).unwrap().figure, 10.0);
        for text in ["", "per_s 10\n", "ns 0\n", "ns nan\n", "ns\n", "ns 1\nquantiles 1 2\n", "ns 1\ncounter x\n"] {
            assert!(parse(text, Unit::Nanoseconds).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_a_positive_number_is_a_printed_figure() {
        assert_eq!(parse_printed("101.2500\n"), Ok(101.25));
        for text in ["", "nan\n", "0\n"] {
            assert!(parse_printed(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn counters_and_quantiles_are_medians() {
        let sample = |value: f64| Sample {
            counters: BTreeMap::from([("cycles".to_owned(), value)]),
            quantiles: vec![value; QUANTILES],
            ..Sample::default()
        };
        let samples = [sample(1.0), sample(9.0), sample(2.0)];
        assert_eq!(median_counters(&samples)["cycles"], 2.0);
        assert_eq!(median_quantiles(&samples), vec![2.0; QUANTILES]);
        assert!(median_quantiles(&[Sample::of(1.0)]).is_empty());
    }
}
