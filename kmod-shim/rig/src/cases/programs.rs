//! Programs of the distribution and of `c/`: that they run in this machine at all, without the module.

use std::fs;

use anyhow::{Context as _, Result, bail};

use bt_tests::runner::compare::tail;

use crate::case::need;
use crate::command::{Bench, expect_success};

/// Directory of the programs compiled from `c/`.
const C_PROGRAMS: &str = "/bt/c";

/// Programs with arguments that make them load what they need.
const PROGRAMS: &[&[&str]] = &[
    &["bash", "-c", "echo $((6 * 7))"],
    &["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=100"],
    &["gzip", "--version"],
    &["nginx", "-v"],
    &["perl", "-e", "use strict; print 6 * 7, \"\\n\""],
    &["redis-server", "--version"],
    &["sqlite3", ":memory:", "select 6 * 7"],
];

/// Every program of the initramfs starts: its libraries are there.
pub fn run_natively(bench: &Bench) -> Result<()> {
    for argv in PROGRAMS {
        if need(argv[0]).is_err() {
            println!("{} is not installed on the host", argv[0]);
            continue;
        }
        expect_success(argv[0], &bench.native(argv[0], argv)?)?;
    }
    Ok(())
}

/// Programs of `c/` run without arguments and say that all is well.
pub fn c_programs_run_natively(bench: &Bench) -> Result<()> {
    let mut count = 0;
    for entry in fs::read_dir(C_PROGRAMS).context(C_PROGRAMS)? {
        let path = entry?.path();
        let name = path.file_name().context("file name")?.to_string_lossy().into_owned();
        let finished = bench.native(&name, &[&path.to_string_lossy()])?;
        if expect_success(&name, &finished).is_err() {
            println!("{name} says:\n{}", tail(&finished.stdout, 20));
        }
        expect_success(&name, &finished)?;
        count += 1;
    }
    if count == 0 {
        bail!("{C_PROGRAMS} is empty");
    }
    Ok(())
}

/// bt-run works in this machine with an engine that needs no module.
pub fn launcher_runs(bench: &Bench) -> Result<()> {
    for engine in ["translate", "direct"] {
        bench.compare(engine, &format!("echo.{engine}"), &["/bin/busybox", "echo", "hello"])?;
    }
    Ok(())
}
