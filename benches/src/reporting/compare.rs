//! `bt-bench compare`: what changed between two files of rows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::base::stats::Estimate;
use crate::reporting::markdown::grid;

use super::command::{ChoiceArguments, print};
use super::data::{Data, Machine, Outcome};
use super::effect::{self, Change, Effect};
use super::format;
use super::load::{self, machine};

/// The command line.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Rows from before
    old: PathBuf,
    /// Rows from after
    new: PathBuf,
    /// JSON instead of Markdown
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    choice: ChoiceArguments,
}

/// One benchmark and way in both files.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// `suite/name:params/way`.
    pub key: String,
    /// The unit of the figures.
    pub unit: &'static str,
    /// Median before.
    pub old: Option<f64>,
    /// Median after.
    pub new: Option<f64>,
    /// New / old with its interval.
    pub ratio: Option<Estimate>,
    /// Cliff's delta.
    pub cliffs_delta: Option<f64>,
    /// Hodges–Lehmann shift, in the unit.
    pub shift: Option<f64>,
    /// What cannot be seen: the larger floor of the two rows.
    pub floor: f64,
    /// faster, slower, no difference, or why there is no verdict.
    pub verdict: String,
    /// One of the rows is noisy.
    pub noisy: bool,
    /// One of the rows is quick.
    pub quick: bool,
    /// Native changed in the same direction: then the machine did, or the benchmark.
    pub native_too: bool,
}

/// Prints the comparison.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let read = |file: &PathBuf| -> Result<Data> {
        Ok(Data::of(load::choose(load::read(std::slice::from_ref(file))?, &arguments.choice.choice())?))
    };
    let (old, new) = (read(&arguments.old)?, read(&arguments.new)?);
    for warning in old.warnings.iter().chain(&new.warnings) {
        eprintln!("bt-bench: {warning}");
    }
    let lines = lines(&old, &new);
    if arguments.json {
        print(&(serde_json::to_string_pretty(&lines)? + "\n"))?;
    } else {
        print(&page(&old, &new, &lines))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every row of either file.
#[must_use]
pub(crate) fn lines(old: &Data, new: &Data) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for after in new.outcomes() {
        let key = after.key();
        let before = old.outcomes().find(|outcome| outcome.key() == key);
        lines.push(line(key, before, Some(after)));
    }
    for before in old.outcomes() {
        let key = before.key();
        if !lines.iter().any(|line| line.key == key) {
            lines.push(line(key, Some(before), None));
        }
    }
    let changed = [Change::Faster.name(), Change::Slower.name()];
    let verdicts: BTreeMap<String, String> =
        lines.iter().map(|line| (line.key.clone(), line.verdict.clone())).collect();
    for line in lines.iter_mut().filter(|line| changed.contains(&line.verdict.as_str())) {
        let native = line.key.rsplit_once('/').map(|(benchmark, _)| format!("{benchmark}/native"));
        let native = native.filter(|native| *native != line.key);
        line.native_too =
            native.and_then(|native| verdicts.get(&native)).is_some_and(|verdict| *verdict == line.verdict);
    }
    lines
}

fn line(key: String, old: Option<&Outcome>, new: Option<&Outcome>) -> Line {
    let median = |outcome: Option<&Outcome>| outcome.and_then(Outcome::estimate).map(|found| found.median);
    let either = |test: fn(&Outcome) -> bool| [old, new].into_iter().flatten().any(test);
    let floor = [old, new].into_iter().flatten().filter_map(floor).fold(0.0, f64::max);
    let unit = new.or(old).map(|outcome| outcome.row.unit);
    let mut line = Line {
        key,
        unit: unit.map_or("", crate::rows::result::Unit::symbol),
        old: median(old),
        new: median(new),
        ratio: None,
        cliffs_delta: None,
        shift: None,
        floor,
        verdict: String::new(),
        noisy: either(|outcome| outcome.row.noisy),
        quick: either(|outcome| outcome.row.quick),
        native_too: false,
    };
    line.verdict = match (old, new) {
        (None, _) => "only in the new file".to_owned(),
        (_, None) => "only in the old file".to_owned(),
        (Some(old), Some(new)) => match (old.reason(), new.reason()) {
            (None, None) if old.row.unit != new.row.unit => "the units differ".to_owned(),
            (None, None) => judge(&mut line, old, new),
            (Some((state, _)), None) => format!("{state} before, measured now"),
            (None, Some((state, reason))) => format!("{state} now: {reason}"),
            (Some(_), Some((state, _))) => format!("{state} in both"),
        },
    };
    line
}

/// Native's own rows have no floor: there half of the spread of their samples stands in.
fn floor(outcome: &Outcome) -> Option<f64> {
    outcome.row.floor.or_else(|| {
        let estimate = outcome.estimate()?;
        (estimate.median > 0.0).then(|| (estimate.high - estimate.low) / estimate.median / 2.0)
    })
}

fn judge(line: &mut Line, old: &Outcome, new: &Outcome) -> String {
    let Some(effect) = Effect::of(&old.row.samples, &new.row.samples) else { return "no samples".to_owned() };
    line.ratio = Some(effect.ratio);
    line.cliffs_delta = Some(effect.cliffs_delta);
    line.shift = Some(effect.shift);
    let few = old.row.samples.len().min(new.row.samples.len()) < 3;
    if few {
        return "too few samples".to_owned();
    }
    effect.change(line.floor, new.row.unit.more_is_better()).name().to_owned()
}

/// The comparison as Markdown: what changed first, the rest below.
#[must_use]
pub(crate) fn page(old: &Data, new: &Data, lines: &[Line]) -> String {
    let mut text = String::from("# Comparison\n\n");
    for (name, data) in [("old", old), ("new", new)] {
        for Machine { host, date, runs, revisions } in data.machines() {
            let revision = revisions.join(" and ");
            text.push_str(&format!(
                "* **{name}**: {date}, run {}, revision {revision}, {}\n",
                runs.join(", "),
                machine(host)
            ));
        }
    }
    let names = |data: &Data| data.machines().iter().map(|found| machine(found.host)).collect::<Vec<_>>();
    if names(old) != names(new) {
        text.push_str("\n**The machines differ: a ratio then says what the machines do, not what a change did.**\n");
    }
    let count = |verdict: &str| lines.iter().filter(|line| line.verdict == verdict).count();
    let [faster, slower, same] = [Change::Faster, Change::Slower, Change::Same].map(|change| count(change.name()));
    text.push_str(&format!(
        "\n{faster} faster, {slower} slower, {same} without a difference, {} without a verdict.\n",
        lines.len() - faster - slower - same
    ));
    text.push_str("\nratio: median of the new / median of the old with its 95 % bootstrap interval; a verdict needs the interval to lie beyond \
the floor. delta: Cliff's, from -1 to 1; shift: Hodges–Lehmann. native too: native \
changed in the same direction, so the machine or the benchmark did. ≈ noisy, ◦ quick.\n\n");
    let cells: Vec<Vec<String>> = sorted(lines).into_iter().map(cells).collect();
    text.push_str(&grid(&["row", "old", "new", "unit", "ratio [95 %]", "delta", "shift", "floor", "verdict"], &cells));
    text
}

fn sorted(lines: &[Line]) -> Vec<&Line> {
    let rank = |line: &Line| match line.verdict.as_str() {
        "slower" => 0,
        "faster" => 1,
        "no difference" => 3,
        _ => 2,
    };
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| rank(line));
    sorted
}

fn cells(line: &Line) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), format::number);
    let mut verdict = line.verdict.clone();
    if line.verdict == Change::Slower.name() {
        verdict = format!("**{verdict}**");
    }
    for (wanted, mark) in [(line.native_too, ", native too"), (line.noisy, " ≈"), (line.quick, " ◦")] {
        if wanted {
            verdict.push_str(mark);
        }
    }
    let delta = line.cliffs_delta.map(|delta| format!("{delta:+.2} ({})", effect::size_of_delta(delta)));
    vec![
        format::markdown(&line.key),
        number(line.old),
        number(line.new),
        line.unit.to_owned(),
        line.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{}×", format::interval(&ratio))),
        delta.unwrap_or_else(|| "–".to_owned()),
        number(line.shift),
        format!("± {:.1} %", line.floor * 100.0),
        format::markdown(&verdict),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::super::load::Rows;
    use super::*;
    use crate::rows::result::{ResultRow, State};

    fn data(change: impl Fn(&mut ResultRow)) -> Data {
        let mut rows = fixture::rows();
        rows.iter_mut().for_each(change);
        Data::of(Rows { rows, warnings: Vec::new() })
    }

    fn scale(row: &mut ResultRow, name: &str, factor: f64) {
        if row.name == name {
            row.samples.iter_mut().for_each(|sample| *sample *= factor);
        }
    }

    #[test]
    fn equal_files_show_no_difference() {
        let (old, new) = (data(|_| {}), data(|_| {}));
        let lines = lines(&old, &new);
        let changed = lines.iter().filter(|line| line.verdict == "faster" || line.verdict == "slower").count();
        assert_eq!(changed, 0);
        assert!(page(&old, &new, &lines).contains("0 faster, 0 slower"));
    }

    #[test]
    fn direction_follows_the_unit() {
        let (old, new) = (
            data(|_| {}),
            data(|row| {
                scale(row, "abi-call", 1.3);
                scale(row, "nginx", 1.3);
            }),
        );
        let lines = lines(&old, &new);
        let verdict = |key: &str| lines.iter().find(|line| line.key == key).unwrap().verdict.clone();
        assert_eq!(verdict("singularity/abi-call/direct"), "slower");
        assert_eq!(verdict("servers/nginx:clients=64/direct"), "faster");
        let slower = lines.iter().find(|line| line.key == "singularity/abi-call/direct").unwrap();
        assert!(slower.native_too, "the fixture scales native as well");
        let text = page(&old, &new, &lines);
        assert!(text.contains("**slower**, native too"));
        assert!(text.find("**slower**").unwrap() < text.find("| no difference").unwrap(), "what changed comes first");
    }

    #[test]
    fn rows_that_fail_vanish_or_appear_are_told() {
        let (mut old, new) = (
            data(|_| {}),
            data(|row| {
                if row.name == "once" {
                    row.state = State::Failed { reason: "signal 11".to_owned() };
                }
            }),
        );
        old.suites.retain(|suite| suite.name != "servers");
        old.suites[0].benchmarks[0].id.name = "gone".to_owned();
        old.suites[0].benchmarks[0].results[0].row.name = "gone".to_owned();
        let lines = lines(&old, &new);
        let verdict = |key: &str| lines.iter().find(|line| line.key == key).unwrap().verdict.clone();
        assert_eq!(verdict("unheard-of/once/direct"), "failed now: signal 11");
        assert_eq!(verdict("servers/nginx:clients=64/native"), "only in the new file");
        assert_eq!(verdict("singularity/gone/native"), "only in the old file");
        assert_eq!(verdict("interpose/getppid/gvisor"), "unavailable in both");
    }

    #[test]
    fn other_machines_are_pointed_out() {
        let (old, new) = (data(|_| {}), data(|row| row.host.cpu = "Other".to_owned()));
        assert!(page(&old, &new, &[]).contains("The machines differ"));
    }
}
