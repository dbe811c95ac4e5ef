//! Faults of instructions that run in ring 0, and registers that nothing but the program changes.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use bt_tests::runner::process::{Session, fix_environment};

use super::ring0::{c_program, compare_used, print_leaves, silently};
use crate::command::{Bench, RING0, expect_success, sum};

/// What a fault tells the program is the same as natively: signal, code, address, registers.
pub fn are_the_programs(bench: &Bench) -> Result<()> {
    silently(|| {
        let run = compare_used(bench, "faults", &[&c_program("faults"), "120"])?;
        let faults = sum(&run.events, "/ring0/leaves/fault");
        // Three for each of some ninety probes, of which some are another reason's.
        if faults < 100 {
            bail!("ring 0 was left for {faults} faults only");
        }
        Ok(())
    })
}

/// Seconds that vector registers are watched.
const SECONDS: &str = "10";

/// Vector registers keep their values beside others that use them.
pub fn vector_registers_stay(bench: &Bench) -> Result<()> {
    silently(|| {
        // One more program disturbs natively.
        let mut beside = Command::new(c_program("vectors"));
        fix_environment(beside.args(["60", "beside"]), &bench.work);
        let disturber = Session::start(beside.stdout(std::process::Stdio::null()))?;
        let mut limited = bench.clone();
        limited.limit = Duration::from_secs(50);
        let run = limited.engine(RING0, "vectors", &[&c_program("vectors"), SECONDS, "beside"])?;
        drop(disturber);
        print_leaves("vectors", &run);
        println!("{}", String::from_utf8_lossy(&run.finished.stdout));
        expect_success("vectors", &run.finished)?;
        if sum(&run.events, "/ring0/calls") < 1000 {
            bail!("few calls were made in ring 0");
        }
        Ok(())
    })
}
