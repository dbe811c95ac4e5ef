//! Faults of instructions that run in ring 0, and registers that nothing but the program changes.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use bt_tests::runner::process::{Session, fix_environment};

use super::ring0::{c_program, compare_used, print_leaves, silently};
use crate::case::need;
use crate::command::{Bench, RING0, expect_success, parameter, sum};
use crate::limits;
use crate::softirq;

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

/// Vector registers keep their values beside others that use them: processes, handlers of signals, softirqs.
pub fn vector_registers_stay(bench: &Bench) -> Result<()> {
    need("ip")?;
    need("modprobe")?;
    let seconds = parameter("seconds")?;
    let _encrypted = softirq::encrypt_udp(bench)?;
    silently(|| {
        // One more program disturbs natively.
        let mut beside = Command::new(c_program("vectors"));
        fix_environment(beside.args([&(seconds + 60).to_string(), "beside"]), &bench.work);
        let disturber = Session::start(beside.stdout(std::process::Stdio::null()))?;
        softirq::expect_vector_use(bench)?;
        let mut limited = bench.clone();
        limited.limit = Duration::from_secs(seconds) + limits::WAIT;
        let run = limited.engine(RING0, "vectors", &[&c_program("vectors"), &seconds.to_string(), "beside"])?;
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
