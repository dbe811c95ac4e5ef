//! The runner of suites runs `tests/suites/tiny`, in which some cases differ on purpose.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Options, run};
use crate::launcher::Bench;
use crate::paths;

/// Everything that a report can hold is found.
pub fn check(bench: &Bench) -> Result<()> {
    let directory = paths::sources().join("suites/tiny");
    let options = Options {
        engines: vec![bench.pass.clone()],
        jobs: 2,
        limit: Duration::from_secs(3),
        home: bench.work.clone(),
        ..Options::new(&directory)
    };
    let mut report = run(&options)?;
    report.new.sort();
    let engine = &bench.pass;
    ensure!(report.same == 5 && report.known == 1, "{}", report.line());
    let new = [
        format!("end_differs [{engine}]: natively exit 0 TPASS 1; here exit 3 TPASS 1"),
        format!("words_differ [{engine}]: natively exit 0 TPASS 2; here exit 0 TFAIL 1 TPASS 1"),
    ];
    ensure!(report.new == new, "new are {:?}", report.new);
    ensure!(report.gone == [format!("difference_is_gone [{engine}]: it was one once")], "gone are {:?}", report.gone);
    ensure!(report.totals().failed.len() == 2, "{}", report.line());

    let options = Options { filters: vec!["is_gone".to_owned()], lists: vec!["cases".to_owned()], ..options };
    let report = run(&options)?;
    ensure!(report.same == 1 && report.new.is_empty(), "a filter chooses: {}", report.line());
    Ok(())
}
