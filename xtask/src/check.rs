//! Checks of the project's own files: each is one test of the suite.

use bt_tests::runner::Totals;

/// Prints the outcome of a check, which holds if there are no problems, and counts it.
pub fn totals_of(name: &str, problems: &[String]) -> Totals {
    let mut totals = Totals::default();
    if problems.is_empty() {
        println!("ok    {name}");
        totals.passed = 1;
    } else {
        println!("FAIL  {name}\n  {}", problems.join("\n  "));
        totals.failed.push(name.to_owned());
    }
    totals
}
