//! Prints and counts outcomes of cases.

use std::time::Duration;

use bt_tests::runner::Totals;

use super::console::{Outcome, Verdict};

/// Adds the outcome of a case to the totals and prints it.
pub fn record(totals: &mut Totals, prefix: &str, outcome: Outcome, took: Duration) {
    let name = format!("{prefix}/{}", outcome.name);
    match outcome.verdict {
        Verdict::Passed => {
            println!("ok    {name} {:.1} s", took.as_secs_f64());
            totals.passed += 1;
        }
        Verdict::Failed { reason, output } => {
            // In one piece: machines run side by side.
            let output: String = output.iter().map(|line| format!("\n  | {line}")).collect();
            println!("FAIL  {name} {:.1} s\n  {reason}{output}", took.as_secs_f64());
            totals.failed.push(name);
        }
        Verdict::Skipped(why) => {
            println!("skip  {name} ({why})");
            totals.skipped += 1;
        }
    }
}
