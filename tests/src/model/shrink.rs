//! Makes a sequence that shows a difference as simple as it gets, and prints it.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;
use proptest::strategy::{BoxedStrategy, ValueTree as _};

use super::bench::{Bench, Output};
use super::generate::Sequence;
use crate::paths;
use crate::runner::launch::{Launch, options_of};

/// One sequence takes milliseconds; one that hangs is a difference too.
pub const RUN_LIMIT: Duration = Duration::from_secs(5);
/// Time for making it simpler.
const BUDGET: Duration = Duration::from_secs(30);
/// A difference that needs luck gets a few chances.
const ATTEMPTS: usize = 3;

/// A tree of proptest's that gives simpler sequences on request.
pub type Tree = <BoxedStrategy<Sequence> as proptest::strategy::Strategy>::Tree;

/// Runs one sequence both ways.
fn both(bench: &Bench<'_>, text: &str) -> Result<(Output, Output)> {
    let texts = [text.to_owned()];
    Ok((bench.run(&Launch::Native, &texts, "one-native")?, bench.run(&bench.ours(), &texts, "one-ours")?))
}

fn differs(bench: &Bench<'_>, text: &str, attempts: usize) -> Result<bool> {
    for _ in 0..attempts {
        let (native, ours) = both(bench, text)?;
        if native.trouble.is_none() && (native.sequences != ours.sequences || ours.trouble.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The report on the simplest sequence that differs; nothing if the sequence does not differ alone.
pub fn shrink(bench: &Bench<'_>, tree: &mut Tree) -> Result<Option<String>> {
    if !differs(bench, &tree.current().text(0), ATTEMPTS)? {
        return Ok(None);
    }
    let started = Instant::now();
    let mut simplest = tree.current().text(0);
    let mut runs = 0;
    let mut goes_on = tree.simplify();
    while goes_on && started.elapsed() < BUDGET {
        runs += 1;
        let text = tree.current().text(0);
        goes_on = if differs(bench, &text, 1)? {
            simplest = text;
            tree.simplify()
        } else {
            tree.complicate()
        };
    }
    runs += drop_lines(bench, &mut simplest, started)?;
    // The last run leaves its outputs; a difference that needs luck may have lost it.
    let mut shown = both(bench, &simplest)?;
    for _ in 0..ATTEMPTS {
        if shown.0.sequences != shown.1.sequences || shown.1.trouble.is_some() {
            break;
        }
        shown = both(bench, &simplest)?;
    }
    let kept = bench.directory.join("simplest.sequences");
    fs::write(&kept, &simplest)?;
    let (native, ours) = shown;
    let mut report = format!("made simpler in {runs} runs, kept in {}:\n{simplest}", kept.display());
    report.push_str(&side_by_side(native.sequences.first(), ours.sequences.first(), "ours"));
    if let Some(trouble) = &ours.trouble {
        report.push_str(&format!("ours {trouble}\n"));
    }
    report.push_str(&replay(bench, &bench.command(&kept)));
    Ok(Some(report))
}

/// Drops every line that is not needed; the first one names the sequence. Returns the number of runs.
fn drop_lines(bench: &Bench<'_>, text: &mut String, started: Instant) -> Result<usize> {
    let mut runs = 0;
    let mut at = 1;
    while at < text.lines().count() && started.elapsed() < BUDGET {
        let kept = text.lines().enumerate().filter(|&(index, _)| index != at);
        let shorter: String = kept.map(|(_, line)| format!("{line}\n")).collect();
        runs += 1;
        if differs(bench, &shorter, 1)? {
            *text = shorter;
        } else {
            at += 1;
        }
    }
    Ok(runs)
}

/// The two command lines.
fn replay(bench: &Bench<'_>, arguments: &[String]) -> String {
    let line = arguments.join(" ");
    let Launch::Engine { pass, options, launcher } = bench.ours() else { return line };
    let launcher = launcher.unwrap_or_else(paths::launcher);
    let options = [options_of(&pass).join(" "), options.join(" ")].join(" ");
    format!("again: {line}\n  {} {} -- {line}\n", launcher.display(), options.trim_end())
}

/// Lines that are equal once, others twice with whose they are.
pub fn side_by_side(native: Option<&String>, ours: Option<&String>, name: &str) -> String {
    let lines = |text: Option<&String>| -> Vec<String> {
        text.map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
    };
    let (native, ours) = (lines(native), lines(ours));
    let width = name.len().max("native".len());
    let mut text = String::new();
    for index in 0..native.len().max(ours.len()) {
        let (was, is) = (native.get(index), ours.get(index));
        if was == is {
            text.push_str(&format!("{:width$}  {}\n", "", was.map_or("", String::as_str)));
        } else {
            text.push_str(&format!("{:width$}  {}\n", "native", was.map_or("<end>", String::as_str)));
            text.push_str(&format!("{name:width$}  {}\n", is.map_or("<end>", String::as_str)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::side_by_side;

    #[test]
    fn differing_lines_stand_below_each_other() {
        let (native, ours) = ("a\nb\n".to_owned(), "a\nc\nd\n".to_owned());
        let text = side_by_side(Some(&native), Some(&ours), "ours");
        assert_eq!(text, "        a\nnative  b\nours    c\nnative  <end>\nours    d\n");
    }
}
